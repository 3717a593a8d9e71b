"""Means of actions, without a Post."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, succeed

from app.alerts.means import Caller, Means
from app.services.budget import Budget
from tests.app.alerts.mail_server import PASSWORD
from tests.app.services.conftest import desk, tape

__all__ = ["desk", "tape"]


@pytest.fixture
def means(desk: object, tmp_path: Path) -> Iterator[Means]:
    """What actions use: nobody is shown anything, and the password is known."""

    def password(server: str, user: str) -> Deferred[str]:
        return succeed(PASSWORD)

    found = Means(Caller(desk.reactor, desk.recorder, tmp_path / "data", Budget()), bool, lambda ports: None, password)  # type: ignore[attr-defined]
    yield found
    pytest_twisted.blockon(found.sender.close(1))
