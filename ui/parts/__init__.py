"""Small widgets and helpers that many rooms use."""
