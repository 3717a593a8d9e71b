"""The detail pane: shows one event on several pages."""
