"""Hosted programs: how they are started, changed and ended in the window."""
