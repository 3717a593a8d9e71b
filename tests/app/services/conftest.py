"""A desk of services for each test, stopped afterwards."""

from collections.abc import Iterator
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred

from tests.app.services.helpers import Desk, Tape


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    from twisted.internet import reactor

    desk = Desk(reactor, monkeypatch)
    yield desk
    pytest_twisted.blockon(ensureDeferred(desk.close()))


@pytest.fixture
def tape(desk: Desk) -> Any:
    tape: Tape = desk.tape
    return tape
