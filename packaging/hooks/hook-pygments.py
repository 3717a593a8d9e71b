"""In the place of PyInstaller's own hook, which adds every lexer, formatter and style there is."""
