"""Replaces PyInstaller's own hook, which would include every lexer, formatter and style of Pygments."""
