"""A desk of services, whose checks run on real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from app.watch.connections import Checking
from tests.app.services.conftest import desk, tape

__all__ = ["desk", "tape"]


@pytest.fixture
def checking(desk: Any, tmp_path: Path) -> Iterator[Checking]:
    """Checks targets; its connections are on the desk's tape."""
    checking = Checking(desk.reactor, desk.recorder, tmp_path / "data")
    yield checking
    pytest_twisted.blockon(checking.sender.close(1))
