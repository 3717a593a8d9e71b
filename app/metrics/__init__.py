"""Figures of the running program for monitoring: ``/metrics`` and ``/healthz``."""
