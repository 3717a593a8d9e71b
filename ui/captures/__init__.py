"""Other captures: opening, saving, exporting."""
