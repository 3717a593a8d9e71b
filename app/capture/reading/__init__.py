"""Reading a capture: events, streams, conversations, exchanges, failure groups."""
