"""Fixtures for faults that are tested on real sockets, with real clients."""

from tests.app.services.conftest import desk, tape

__all__ = ["desk", "tape"]
