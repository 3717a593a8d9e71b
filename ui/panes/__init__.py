"""The panes: live views on the events, exchanges, conversations and failures of a capture."""
