"""Alerts: who is told when events fit a filter, by what, and how often."""
