"""Collections of JSON documents: in memory, in an SQLite file when asked, and what is asked of them."""
