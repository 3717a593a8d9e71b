"""Faults of services: the dock with all of them, and what is said of one."""
