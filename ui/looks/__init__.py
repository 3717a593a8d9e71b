"""How the window looks: theme, icons, shapes, times."""
