"""The appearance of the window: themes, icons, shapes, formats of times."""
