"""The page of one service: its forms, applied while it runs."""
