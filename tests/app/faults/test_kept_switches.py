"""What was switched by hand stays switched: through edits, a restart, and another table in between."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.task import Clock

from app.faults.live import Faults
from app.post import Post
from app.services.config import ServiceConfig
from app.workspace.reading import Workspace
from tests.app.faults.course import Stage

LATE: dict[str, Any] = {"kind": "delay", "ms": 20.0}
LOST: dict[str, Any] = {"kind": "hang", "enabled": False}


def acting(faults: Faults) -> list[tuple[str, bool]]:
    return [(fault.name, fault.enabled) for fault in faults.all]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ((LATE, LOST), [("delay", False), ("hang", True)]),
        (({"kind": "delay"}, LATE, LOST), [("delay", True), ("delay 2", False), ("hang", True)]),
        (({**LATE, "ms": 30.0}, LOST), [("delay", False), ("hang", True)]),
        ((LATE, {**LOST, "enabled": True}), [("delay", False), ("hang", True)]),
        (({**LATE, "enabled": False}, {"kind": "hang"}), [("delay", False), ("hang", True)]),
        ((LOST,), [("hang", True)]),
    ],
)
@pytest.mark.parametrize("restart", [False, True], ids=["edit", "restart"])
def test_switches_stay(now: tuple[dict[str, Any], ...], expected: list[tuple[str, bool]], restart: bool):
    before = Stage(Clock(), LATE, LOST).faults
    for fault in before.all:
        before.switch(fault, on=not fault.enabled)
    if restart:
        after = Stage(Clock(), *now).faults
        after.take_switches(before)
    else:
        before.configure(now)
        after = before
    assert acting(after) == expected


@pytest_twisted.ensureDeferred
async def test_all_off_stays_off_when_a_change_needs_a_restart(tmp_path: Path):
    from twisted.internet import reactor

    config = ServiceConfig("one", "tcp", "127.0.0.1", 0, "echo", faults=(LATE, {"kind": "stall"}))
    post = Post(reactor, Workspace((config,)))
    await post.open(tmp_path / "x.lpost")
    try:
        service = post.services["one"]
        await service.start()
        for fault in service.faults.all:
            service.faults.switch(fault, on=False)
        new = await post.replace("one", replace(config, socket={"backlog": 7}))
        assert new is not None
        assert new is not service
        assert acting(new.faults) == [("delay", False), ("stall", False)]
    finally:
        await post.shut_down()


def test_one_that_lifts_itself_is_off_when_its_service_has_stopped():
    clock = Clock()
    stage = Stage(clock, {"kind": "hang", "enabled": False, "ttl_seconds": 60.0})
    [fault] = stage.faults.all
    stage.faults.switch(fault, on=True)
    clock.advance(59)
    assert fault.enabled
    stage.faults.end()
    assert not fault.enabled
    assert not clock.getDelayedCalls()
