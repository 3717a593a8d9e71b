"""Sending messages: the send dock and the saved messages."""
