"""The page of a fault that hit: what was done, in words, and where one goes from there."""

from __future__ import annotations

from typing import Any

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from pytestqt.qtbot import QtBot

from app import events
from app.faults import presets
from tests.ui.conftest import Open
from tests.ui.desk import config, settle
from tests.ui.detail.page_samples import shown
from tests.ui.event_samples import event
from ui.detail.pages.fault import FaultPage

DETAIL = {"fault": "slow", "kind": "delay", "on": "sent", "message": 3, "seed": 7, "words": "200 ms late"}


def told(page: FaultPage) -> dict[str, str | None]:
    return {fact.name: fact.value for fact in page.sheet._facts}


def hit(payload: bytes | None = None, **more: Any) -> events.Event:
    return event(events.FAULT_APPLIED, payload, detail=DETAIL | more)


def test_it_says_what_happened_in_words(qtbot: QtBot) -> None:
    page = shown(qtbot, FaultPage(), hit())
    assert told(page) == {
        "what happened": "200 ms late",
        "fault": "slow",
        "kind": "delay: Delays each message; the order within a TCP connection stays",
        "hit": "message 3 that was sent to the peer on this connection",
        "seed": "7",
    }
    assert not page.body.isVisible()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"on": "received"}, "message 3 that the peer sent on this connection"),
        ({"on": "connect"}, "the connection, when it was made"),
        ({"message": 0}, "the whole connection"),
        ({"total": 12}, "12 messages that were sent to the peer, on the whole connection"),
    ],
)
def test_it_says_what_was_hit(qtbot: QtBot, more: dict[str, Any], words: str) -> None:
    assert told(shown(qtbot, FaultPage(), hit(**more)))["hit"] == words


def test_the_bytes_before_it_stand_beside(qtbot: QtBot) -> None:
    assert shown(qtbot, FaultPage(), hit(b"READ temp\n")).body.isVisible()


def test_a_detail_of_another_program_is_shown_as_far_as_it_goes(qtbot: QtBot) -> None:
    page = shown(qtbot, FaultPage(), event(events.FAULT_APPLIED, None, detail={"kind": "unheard of", "on": 3}))
    assert told(page) == {"kind": "unheard of", "hit": "the whole connection"}


def test_it_leads_to_the_fault_and_to_its_hits(open_window: Open) -> None:
    tables = presets.PRESETS[4].tables("tcp")
    window = open_window(config("sensor-hub", faults=({"kind": "reset"}, {"kind": "delay", "name": "slow"}, *tables)))
    found = hit()
    window.browser._wanted = found.id
    window.browser._on_event(found.id, found)
    settle()
    page = window.detail.tabs.currentWidget()
    assert isinstance(page, FaultPage)
    go, hits, _ = page.tools
    QTest.mouseClick(hits, Qt.LeftButton)
    assert window.filter.text() == "service == sensor-hub and fault.name == slow"
    window.browser._wanted = found.id
    window.browser._on_event(found.id, found)
    QTest.keyClick(go, Qt.Key_Space)
    settle()
    section = window.workbench.pages["sensor-hub"].forms.faults
    assert section is not None
    assert section.view.at() == 1


def test_in_an_opened_capture_there_is_nothing_to_go_to(qtbot: QtBot) -> None:
    assert shown(qtbot, FaultPage(), hit()).tools == ()
