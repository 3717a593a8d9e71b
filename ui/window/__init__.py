"""The main window: it makes and places what the other rooms provide."""
