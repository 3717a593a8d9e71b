"""Failures: from an exception to a record, its group and its report."""
