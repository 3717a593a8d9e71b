"""Keeping captures: copies, redaction, retention."""
