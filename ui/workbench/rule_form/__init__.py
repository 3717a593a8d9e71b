"""The form of a rule, and of a fault: groups of rows, their fields, texts with ``{{…}}``."""
