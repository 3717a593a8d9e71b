"""Files of a folder as HTTP sends them."""
