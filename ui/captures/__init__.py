"""Captures as files: windows and dialogs to open, save and export them."""
