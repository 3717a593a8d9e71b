"""What a service received last, to be tried again."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from app import events
from tests.app.capture.captures import event, opened
from tests.app.capture.reading.test_streams import ANSWERED, ASKED, REQUEST, RESPONSE
from tests.ui.desk import Capture, InstantReader
from ui.workbench.rules.captured import CapturedMenu


def picked_from(menu: CapturedMenu, service: str) -> tuple[list[str], list[str]]:
    """The entries of the menu, and what the first of them gives."""
    picked: list[str] = []
    menu.picked.connect(picked.append)
    menu.service = service
    menu.entries.aboutToShow.emit()
    actions = menu.entries.actions()
    if actions[0].isEnabled():
        actions[0].trigger()
    return [action.text() for action in actions], picked


def test_a_request_is_picked_with_headers_and_body(capture: Capture, reader: InstantReader, qtbot: QtBot) -> None:
    rows = [
        opened(1), event(ASKED, events.DATA_RECEIVED, 1),
        event(None, events.HTTP_REQUEST, 1, detail=REQUEST, summary="POST /orders", size=4),
        event(ANSWERED, events.DATA_SENT, 1),
        event(None, events.HTTP_RESPONSE, 1, detail=RESPONSE, summary="201 Created", size=3),
    ]  # fmt: skip
    capture.store([value for row in rows for value in row])
    menu = CapturedMenu(reader, "http")  # type: ignore[arg-type]
    qtbot.addWidget(menu)
    entries, picked = picked_from(menu, "alpha")
    assert entries == ["POST /orders"]
    assert picked[0].startswith("POST /orders\nHost: x\n")
    assert picked[0].endswith("\n\nbody")


def test_messages_are_picked_with_escapes_the_newest_first(
    capture: Capture, reader: InstantReader, qtbot: QtBot
) -> None:
    capture.add([b"READ one\n", b"\x00two"])
    capture.add([b"sent"], kind=events.DATA_SENT)
    menu = CapturedMenu(reader, "tcp")  # type: ignore[arg-type]
    qtbot.addWidget(menu)
    entries, picked = picked_from(menu, "alpha")
    assert len(entries) == 2
    assert picked == [r"\x00two" if picked[0].startswith(r"\x00") else r"\0two"]
    assert picked_from(CapturedMenu(reader, "tcp"), "beta") == (["Nothing received yet"], [])  # type: ignore[arg-type]
