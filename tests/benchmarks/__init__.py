"""Benchmarks: measure the program and its references, and compare the figures with the marks. ``make bench``."""
