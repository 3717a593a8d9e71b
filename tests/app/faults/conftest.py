"""Fixtures for faults that are tested on real sockets, with real clients."""

from pathlib import Path

import pytest

from tests.app.services.conftest import desk, tape
from tests.app.services.helpers import Desk
from tests.app.services.tls_peers import at_home

__all__ = ["desk", "tape"]


@pytest.fixture
def home(desk: Desk, tmp_path: Path) -> None:
    """A folder for the desk's services, as those with TLS need."""
    at_home(desk, tmp_path)
