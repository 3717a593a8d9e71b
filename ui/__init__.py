"""Everything of Listening Post that is Qt."""
