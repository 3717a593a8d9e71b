"""Configured servers: life cycle, limits, the Tap, one module for each protocol."""
