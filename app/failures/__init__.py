"""Failures: records of exceptions, their fingerprints for grouping, and reports for bug trackers."""
