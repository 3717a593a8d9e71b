"""The responder ``rest``: collections of JSON documents, in memory and optionally in an SQLite file."""
