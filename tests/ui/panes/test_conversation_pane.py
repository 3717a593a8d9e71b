"""All connections in a pane: which, in which order, and what a click does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from app import events
from app.capture.filters import errors
from app.capture.reading.conversations import Conversation
from app.capture.recorder import Stored
from app.post import Post
from tests.ui.desk import BASE, Capture, InstantReader, Peer, config, do, memory_post
from ui.panes import conversation_list, conversation_pane
from ui.panes.conversation_pane import COLUMNS, ConversationPane, ended, lasted
from ui.window.main_window import MainWindow

pytestmark = pytest.mark.usefixtures("dark")

SECOND = 10**9


class Traffic:
    """Stores what happens to connections."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture

    def opened(self, *conns: int, peer: str = "127.0.0.1:{}") -> Stored:
        detail = [json.dumps({"peer": peer.format(5000 + c), "host": "127.0.0.1:9007"}) for c in conns]
        return self._store(
            *([BASE + c, events.CONNECTION_OPENED, 1, c, None, None, "accepted", d]
              for c, d in zip(conns, detail, strict=True))
        )  # fmt: skip

    def data(self, conn: int, payload: bytes, kind: int = events.DATA_RECEIVED) -> Stored:
        return self._store([BASE, kind, 1, conn, None, payload, None, None])

    def closed(self, conn: int, reason: str = "closed by the peer", received: int = 0) -> Stored:
        detail = json.dumps({"reason": reason, "received": received, "sent": 0})
        return self._store([BASE + SECOND, events.CONNECTION_CLOSED, 1, conn, None, None, reason, detail])

    def _store(self, *rows: list[Any]) -> Stored:
        return self._capture.store([value for row in rows for value in row])


@pytest.fixture
def traffic(capture: Capture, monkeypatch: pytest.MonkeyPatch) -> Traffic:
    monkeypatch.setattr(conversation_list, "REST", 0)
    return Traffic(capture)


@pytest.fixture
def post() -> Post:
    post, _ = memory_post(config("alpha"))
    post.recorder.run = "run"  # the capture's
    return post


@pytest.fixture
def pane(post: Post, reader: InstantReader, traffic: Traffic, qtbot: QtBot) -> Iterator[ConversationPane]:
    pane = ConversationPane(post, reader)  # type: ignore[arg-type]
    qtbot.addWidget(pane)
    pane.resize(1100, 300)
    with qtbot.waitExposed(pane):
        pane.show()
    pane.events.activate(True)
    yield pane
    pane.let_go()


def numbers(pane: ConversationPane) -> list[int]:
    return [pane.events.id_at(i) for i in range(len(pane.events))]


def texts(pane: ConversationPane, index: int) -> dict[str, str]:
    row = pane.events.row(index)
    assert row is not None
    return {column.name: column.text(row, None) for column in COLUMNS}


def test_it_says_what_will_be_here(pane: ConversationPane) -> None:
    assert "No conversation yet" in pane.view._placeholder


def test_connections_show_up_and_their_figures_move_on(pane: ConversationPane, traffic: Traffic, qtbot: QtBot) -> None:
    pane.on_stored(traffic.opened(1, 2))
    qtbot.waitUntil(lambda: numbers(pane) == [1, 2])
    assert texts(pane, 0)["received"] == "0 B"
    pane.on_stored(traffic.data(1, b"x" * 4100))
    qtbot.waitUntil(lambda: texts(pane, 0)["received"] == "4.1 kB")
    assert texts(pane, 0)["received.messages"] == "1"
    assert texts(pane, 0)["reason"] == "open"
    pane.on_stored(traffic.closed(1, "reset by the peer", 4100))
    qtbot.waitUntil(lambda: texts(pane, 0)["reason"] == "reset by the peer")
    assert texts(pane, 0)["seconds"] == "1.0 s"


def test_a_heading_sorts_by_it_and_again_the_other_way(pane: ConversationPane, traffic: Traffic, qtbot: QtBot) -> None:
    traffic.opened(1, 2, 3)
    traffic.data(2, b"xxx")
    pane.on_stored(traffic.data(3, b"x"))
    column = [column.name for column in COLUMNS].index("received")
    pane.view.header.setSortIndicator(column, Qt.DescendingOrder)
    qtbot.waitUntil(lambda: numbers(pane) == [2, 3, 1])
    pane.view.header.setSortIndicator(column, Qt.AscendingOrder)
    qtbot.waitUntil(lambda: numbers(pane) == [1, 3, 2])
    pane.on_stored(traffic.data(1, b"x" * 9))
    qtbot.waitUntil(lambda: numbers(pane) == [3, 2, 1])


def test_the_current_one_stays_current_wherever_it_goes(pane: ConversationPane, traffic: Traffic, qtbot: QtBot) -> None:
    pane.on_stored(traffic.opened(1, 2, 3))
    pane.view.header.setSortIndicator(5, Qt.DescendingOrder)
    qtbot.waitUntil(lambda: len(numbers(pane)) == 3)
    pane.view.set_current(numbers(pane).index(2))
    pane.on_stored(traffic.data(1, b"xx"))
    qtbot.waitUntil(lambda: numbers(pane)[0] == 1)
    current = pane.current()
    assert current is not None
    assert current.id == 2


def test_one_that_no_longer_fits_is_no_longer_current(pane: ConversationPane, traffic: Traffic, qtbot: QtBot) -> None:
    pane.on_stored(traffic.opened(1, 2))
    pane.set_filter("not reason exists")
    qtbot.waitUntil(lambda: numbers(pane) == [1, 2])
    pane.view.set_current(1)
    pane.on_stored(traffic.closed(2))
    qtbot.waitUntil(lambda: numbers(pane) == [1])
    assert pane.view.current == -1


def test_they_are_filtered_in_words_of_their_own(pane: ConversationPane, traffic: Traffic, qtbot: QtBot) -> None:
    traffic.opened(1, 2, peer="10.0.0.7:{}")
    pane.on_stored(traffic.opened(3))
    pane.set_filter("peer contains 10.0")
    qtbot.waitUntil(lambda: numbers(pane) == [1, 2])
    pane.set_filter("received > 5")
    qtbot.waitUntil(lambda: "Nothing matches “received > 5”" in pane.view._placeholder)
    with pytest.raises(errors.FilterError):
        pane.set_filter("http.status == 200")


def test_cleared_it_shows_only_what_is_opened_from_then_on(
    pane: ConversationPane, traffic: Traffic, qtbot: QtBot
) -> None:
    pane.on_stored(traffic.opened(1))
    qtbot.waitUntil(lambda: numbers(pane) == [1])
    pane.events.clear()
    pane.on_stored(traffic.opened(2))
    qtbot.waitUntil(lambda: numbers(pane) == [2])
    pane.events.show_all()
    qtbot.waitUntil(lambda: numbers(pane) == [1, 2])


def test_the_event_shown_is_the_last_word_on_it(pane: ConversationPane, traffic: Traffic, qtbot: QtBot) -> None:
    pane.on_stored(traffic.opened(1))
    qtbot.waitUntil(lambda: numbers(pane) == [1])
    with qtbot.waitSignal(pane.current_changed, check_params_cb=lambda id: id == 1):
        pane.view.set_current(0)
    with qtbot.waitSignal(pane.current_changed, check_params_cb=lambda id: id == 2):
        pane.on_stored(traffic.closed(1))


def test_a_double_click_and_enter_ask_for_its_events(pane: ConversationPane, traffic: Traffic, qtbot: QtBot) -> None:
    pane.on_stored(traffic.opened(1, 2))
    qtbot.waitUntil(lambda: numbers(pane) == [1, 2])
    place = pane.view.row_rect(1).center()
    qtbot.mouseClick(pane.view.viewport(), Qt.LeftButton, pos=place)
    with qtbot.waitSignal(pane.opened, check_params_cb=lambda number: number == 2):
        qtbot.mouseDClick(pane.view.viewport(), Qt.LeftButton, pos=place)
    with qtbot.waitSignal(pane.opened, check_params_cb=lambda number: number == 2):
        qtbot.keyClick(pane.view, Qt.Key_Return)


def test_only_a_live_one_can_be_disconnected(
    pane: ConversationPane, post: Post, traffic: Traffic, qtbot: QtBot
) -> None:
    peer = Peer(1)
    post.services["alpha"].connections[1] = peer
    traffic.opened(1, 2)
    pane.on_stored(traffic.closed(2))
    qtbot.waitUntil(lambda: numbers(pane) == [1, 2])

    def offered(index: int) -> list[str]:
        pane.view.set_current(index)
        menu = QMenu(pane)
        pane.menu_wanted.emit(menu, pane.pos())
        for action in menu.actions():
            if "isconnect" in action.text():
                action.trigger()
        return [action.text() for action in menu.actions() if action.text()]

    with qtbot.waitSignal(pane.disconnect_wanted, check_params_cb=lambda found: found is peer):
        assert offered(0) == ["Show &events", "D&isconnect"]
    assert offered(1) == ["Show &events"]


def test_what_cannot_be_read_is_asked_for_again_with_the_next_news(
    pane: ConversationPane, traffic: Traffic, reader: InstantReader, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "read", lambda read, nothing, done: done(nothing))
    pane.on_stored(traffic.opened(1))
    assert numbers(pane) == []
    monkeypatch.undo()
    pane.on_stored(traffic.data(1, b"x"))
    qtbot.waitUntil(lambda: numbers(pane) == [1])


def test_an_answer_for_another_filter_changes_nothing(
    pane: ConversationPane, traffic: Traffic, reader: InstantReader, qtbot: QtBot
) -> None:
    reader.holding = True
    pane.on_stored(traffic.opened(1, 2))
    pane.set_filter("conn == 2")
    reader.holding = False
    reader.release()
    qtbot.waitUntil(lambda: numbers(pane) == [2])


def test_a_hundred_thousand_are_held_as_numbers_and_few_rows(
    pane: ConversationPane, traffic: Traffic, qtbot: QtBot
) -> None:
    for start in range(1, 100_001, 20_000):
        stored = traffic.opened(*range(start, start + 20_000))
    pane.on_stored(stored)
    qtbot.waitUntil(lambda: len(pane.events) == 100_000)
    for index in range(0, 100_000, 500):
        pane.events.row(index)
    assert len(pane.list._rows) <= conversation_list.MAX_ROWS


# -- words


def a(**changes: Any) -> Conversation:
    fields = {"id": 1, "time": BASE, "kind": 0, "service": "", "conn": 1, "peer": "", "size": None, "summary": ""}
    return Conversation(**fields | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0008, "0.8 ms"), (0.12, "120 ms"), (4.21, "4.2 s"), (59.9, "59.9 s"), (123, "2m 03s"), (3720, "1h 02m")],
)
def test_how_long_it_lasted(seconds: float, words: str) -> None:
    assert lasted(a(closed=BASE + round(seconds * SECOND))) == words


def test_one_that_goes_on_lasts_until_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation_pane, "time_ns", lambda: BASE + 90 * SECOND)
    assert lasted(a(live=1)) == "1m 30s"


def test_where_the_capture_ends_before_it_nothing_is_said_of_how_long() -> None:
    assert lasted(a()) == ""
    assert ended(a()) == "still open when the capture ended"
    assert ended(a(live=1)) == "open"
    assert ended(a(closed=1, reason="idle")) == "idle"


# -- in the window


@pytest.fixture
def window(open_window: Any, capture: Capture, traffic: Traffic, qtbot: QtBot) -> MainWindow:
    window: MainWindow = open_window(path=capture.path)
    traffic.opened(1, 2)
    window.panes.on_stored(traffic.data(2, b"abc"))
    do(window, "conversations")
    qtbot.waitUntil(lambda: numbers(window.panes.conversations) == [1, 2])
    return window


def test_its_events_are_shown_in_all(window: MainWindow, qtbot: QtBot) -> None:
    window.panes.conversations.opened.emit(2)
    assert window.panes.current() is window.panes.all
    assert window.filter.text() == "conn == 2"
    qtbot.waitUntil(lambda: [window.panes.all.events.id_at(i) for i in range(len(window.panes.all.events))] == [2, 3])


def test_connections_have_a_filter_of_their_own(window: MainWindow, qtbot: QtBot) -> None:
    window.filter.setText("failures == 0 and conn == 2")
    assert window.filter.apply()
    qtbot.waitUntil(lambda: numbers(window.panes.conversations) == [2])
    window.panes.setCurrentIndex(0)
    assert window.filter.text() == ""
    window.filter.setText("size > 1")
    assert window.filter.apply()
    do(window, "conversations")
    assert window.filter.text() == "failures == 0 and conn == 2"
    assert "failures > 0" in window.filter.placeholderText()
    window.filter.setText("http.status == 200")
    assert not window.filter.apply()


def test_it_counts_the_seconds_only_while_somebody_looks(pane: ConversationPane) -> None:
    pane.hide()
    assert not pane._second.isActive()
    pane.show()
    assert pane._second.isActive()
