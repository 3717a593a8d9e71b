"""The marks: what the program has to reach, measured beside its references. ``make bench``."""
