"""Services that answer with a function under test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred

from app import responders
from app.plugin.declare import MARK
from tests.app.services.helpers import Desk, Tape

Serve = Callable[..., Any]


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    from twisted.internet import reactor

    desk = Desk(reactor, monkeypatch)
    yield desk
    pytest_twisted.blockon(ensureDeferred(desk.close()))


@pytest.fixture
def tape(desk: Desk) -> Tape:
    return desk.tape


@pytest.fixture
def serve(desk: Desk) -> Iterator[Serve]:
    """Starts a service of ``protocol`` that answers with something decorated."""
    names: list[str] = []

    async def start(thing: Any, protocol: str = "tcp", **options: Any) -> Any:
        responder = getattr(thing, MARK)
        responders.add(responder)
        names.append(responder.name)
        return await desk.start(protocol, responder.name, options=options)

    yield start
    for name in names:
        responders.remove(name)
