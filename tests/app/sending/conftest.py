"""A desk of services, and whoever sends to them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from app.sending.sender import Sender
from tests.app.sending.helpers import Talker
from tests.app.services.conftest import desk, tape

__all__ = ["desk", "tape"]


@pytest.fixture
def talker(desk: Any, tmp_path: Path) -> Iterator[Talker]:
    """Opens conversations, and ends them."""
    talker = Talker(Sender(desk.reactor, desk.recorder, tmp_path / "data"))
    yield talker
    pytest_twisted.blockon(talker.sender.close(1))
