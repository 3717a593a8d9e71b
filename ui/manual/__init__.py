"""The manual in the program: the pages of ``docs``, shown without a network."""
