"""Services and connections: their panels and dialogs."""
