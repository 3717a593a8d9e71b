"""The detail pane: pages on one event."""
