"""The dock of watches: what is checked, and how it is."""
