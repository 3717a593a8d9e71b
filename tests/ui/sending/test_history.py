"""What was sent: kept in a file of the user, within a bound, and picked again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PyQt5.QtWidgets import QMenu
from pytestqt.qtbot import QtBot
from twisted.internet.defer import Deferred, succeed

from app.workspace.history import MOST, MOST_DATA, Past, added, load, save
from app.workspace.message import Message
from ui.sending.history import SentHistory


def message(url: str, **more: Any) -> Message:
    return Message("", url, **{"fields": [], **more})


def at_once(call: Any, *args: Any) -> Deferred[Any]:
    return succeed(call(*args))


def test_it_is_read_as_it_was_written_and_only_the_user_can_read_it(tmp_path: Path) -> None:
    file = tmp_path / "data" / "sent.json"
    past = (
        Past(2.5, message("http://x/", fields=["A: 1"], form="json", data="{}"), "200 OK"),
        Past(1.0, message("tcp://x:1")),
    )
    save(file, past)
    assert load(file) == past
    assert file.stat().st_mode & 0o777 == 0o600
    save(file, ())
    assert not file.exists()


def test_what_is_not_right_in_the_file_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "sent.json"
    good = {"time": 1, "outcome": "", "message": {"name": "", "url": "tcp://x:1"}}
    file.write_text(json.dumps([good, 7, {}, {**good, "time": "x"}, {**good, "message": {"url": 3}}]))
    assert [past.message.url for past in load(file)] == ["tcp://x:1"]
    for broken in ("[", "{}", "[" * 100_000):
        file.write_text(broken)
        assert load(file) == ()


def test_the_newest_comes_first_and_there_is_a_bound() -> None:
    past: tuple[Past, ...] = ()
    for number in range(MOST + 10):
        past = added(past, Past(number, message(f"tcp://x:{number + 1}")))
    assert len(past) == MOST
    past = added(past, Past(999, message("tcp://x:50")))
    assert past[0].message.url == "tcp://x:50"
    assert len([one for one in past if one.message.url == "tcp://x:50"]) == 1
    assert added(past, Past(1000, message("tcp://y:1", data="x" * (MOST_DATA + 1)))) == past


def test_ctrl_up_goes_back_and_down_to_what_was_typed(qtbot: QtBot, tmp_path: Path) -> None:
    sent = SentHistory(at_once, tmp_path / "sent.json")
    for number in (1, 2):
        sent.add(message(f"tcp://x:{number}"))
    draft = message("tcp://draft:9")
    steps = [sent.step(by, draft) for by in (1, 1, 1, -1, -1, -1)]
    assert [step and step.url for step in steps] == ["tcp://x:2", "tcp://x:1", None, "tcp://x:2", "tcp://draft:9", None]


def test_the_menu_picks_a_message_and_clears_the_file(qtbot: QtBot, tmp_path: Path) -> None:
    file = tmp_path / "sent.json"
    sent = SentHistory(at_once, file)
    chosen: list[Message] = []
    sent.chosen.connect(chosen.append)
    sent.add(message("http://x/&a", method="PUT"))
    sent.tell(sent.past[0].message, "201 Created")
    menu = QMenu()
    qtbot.addWidget(menu)
    sent.fill(menu)
    assert menu.actions()[0].text().endswith("PUT http://x/&&a  →  201 Created")
    menu.actions()[0].trigger()
    assert chosen == [sent.past[0].message]
    again = SentHistory(at_once, file)
    again.load()
    assert again.past == sent.past
    menu.actions()[-1].trigger()
    assert not file.exists()
    assert sent.past == ()


def test_a_file_that_cannot_be_written_is_told(qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    sent = SentHistory(at_once, tmp_path / "taken" / "sent.json")
    told: list[str] = []
    sent.failed.connect(told.append)
    sent.add(message("tcp://x:1"))
    assert "The history of what was sent is not kept" in told[0]
