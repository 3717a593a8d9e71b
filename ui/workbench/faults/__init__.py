"""The faults of a service as rows, and those of a message."""
