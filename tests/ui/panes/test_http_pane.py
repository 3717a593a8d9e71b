"""The HTTP pane: one row for each exchange, live."""

from __future__ import annotations

import json
from typing import Any

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtTest import QTest
from pytestqt.qtbot import QtBot

from app import events
from app.capture.recorder import Stored
from tests.ui.desk import BASE, Capture, InstantReader, settle
from ui.looks import theme
from ui.panes.columns import as_text
from ui.panes.http_pane import COLUMNS, HTTPPane, duration

pytestmark = pytest.mark.usefixtures("dark")

REQUEST, RESPONSE = events.HTTP_REQUEST, events.HTTP_RESPONSE


class Traffic:
    """Stores halves of exchanges, each in a batch of its own."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture

    def asked(self, conn: int = 1, target: str = "/", method: str = "GET") -> Stored:
        detail = {"method": method, "target": target, "fields": []}
        return self._note(REQUEST, conn, detail, f"{method} {target}", 0)

    def answered(self, conn: int = 1, status: int = 200, size: int = 3) -> Stored:
        detail = {"status": status, "reason": "OK", "seconds": 0.25, "fields": [["content-type", "text/html"]]}
        return self._note(RESPONSE, conn, detail, f"{status} OK", size)

    def closed(self, conn: int = 1) -> Stored:
        detail: dict[str, Any] = {"peer": "127.0.0.1:5", "host": "127.0.0.1:80", "reason": "closed by the peer"}
        detail |= {"received": 0, "sent": 0, "unsent": 0, "seconds": 1.0}
        self._note(events.CONNECTION_OPENED, conn, detail, "accepted", None)
        return self._note(events.CONNECTION_CLOSED, conn, detail, "closed", None)

    def _note(self, kind: int, conn: int, detail: Any, summary: str, size: int | None) -> Stored:
        time = BASE + self._capture.stored.last * 1_000_000
        return self._capture.store([time, kind, 1, conn, size, None, summary, json.dumps(detail)])


@pytest.fixture
def traffic(capture: Capture) -> Traffic:
    return Traffic(capture)


@pytest.fixture
def pane(reader: InstantReader, qtbot: QtBot) -> HTTPPane:
    widget = HTTPPane(reader)  # type: ignore[arg-type]
    qtbot.addWidget(widget)
    widget.resize(1000, 300)
    with qtbot.waitExposed(widget):
        widget.show()
    widget.events.activate(True)
    return widget


def see(pane: HTTPPane, stored: Stored) -> None:
    pane.on_stored(stored)
    settle()


def shown(pane: HTTPPane) -> list[list[str]]:
    """Method, target, status, type, size and duration of each row."""
    rows = [pane.events.row(index) for index in range(len(pane.events))]
    return [as_text(row, None, COLUMNS).split("\t")[2:] for row in rows if row is not None]


def test_a_row_comes_with_the_request_and_is_completed_by_its_answer(pane: HTTPPane, traffic: Traffic) -> None:
    see(pane, traffic.asked(target="/a", method="PUT"))
    assert shown(pane) == [["PUT", "/a", "waiting", "", "", ""]]
    see(pane, traffic.answered())
    assert shown(pane) == [["PUT", "/a", "200", "text/html", "3", "250 ms"]]


def test_a_connection_that_closes_without_an_answer_leaves_none(pane: HTTPPane, traffic: Traffic) -> None:
    traffic.asked()
    see(pane, traffic.closed())
    assert [row[2] for row in shown(pane)] == ["none"]


def test_only_exchanges_are_rows(pane: HTTPPane, traffic: Traffic, capture: Capture) -> None:
    capture.add([b"raw"])
    traffic.asked()
    traffic.answered()
    traffic.asked(2)
    see(pane, traffic.answered(2))
    assert [pane.events.id_at(index) for index in range(len(pane.events))] == [2, 4]


def test_the_answer_is_what_the_detail_pane_is_to_show(pane: HTTPPane, traffic: Traffic, qtbot: QtBot) -> None:
    traffic.asked()
    see(pane, traffic.answered())
    shown(pane)
    with qtbot.waitSignal(pane.current_changed, check_params_cb=lambda id: id == 2):
        pane.view.set_current(0)


def test_the_answer_takes_the_place_of_the_request_when_it_comes(pane: HTTPPane, traffic: Traffic) -> None:
    see(pane, traffic.asked())
    told: list[int] = []
    pane.current_changed.connect(told.append)
    pane.view.set_current(0)
    see(pane, traffic.answered())
    shown(pane)
    settle()
    assert told == [1, 2]


def test_a_filter_is_about_both_parts(pane: HTTPPane, traffic: Traffic) -> None:
    for conn, (method, status) in enumerate([("GET", 500), ("POST", 500), ("POST", 200)], 1):
        traffic.asked(conn, method=method)
        see(pane, traffic.answered(conn, status))
    pane.set_filter("http.status == 500 and http.method == POST")
    settle()
    assert [row[:3] for row in shown(pane)] == [["POST", "/", "500"]]
    pane.set_filter("http.status == 404")
    settle()
    assert "Nothing matches" in pane.view._placeholder


def test_with_a_filter_a_late_answer_adds_a_row_above_and_the_current_one_stays(
    pane: HTTPPane, traffic: Traffic
) -> None:
    pane.set_filter("http.status exists")
    traffic.asked(1, "/late")
    traffic.asked(2, "/quick")
    see(pane, traffic.answered(2))
    assert [row[1] for row in shown(pane)] == ["/quick"]
    pane.view.set_current(0)
    see(pane, traffic.answered(1))
    assert [row[1] for row in shown(pane)] == ["/late", "/quick"]
    assert pane.view.current == 1
    see(pane, traffic.answered(1))
    assert len(pane.events) == 2


def test_what_is_cleared_does_not_come_back_with_a_late_answer(pane: HTTPPane, traffic: Traffic) -> None:
    pane.set_filter("http.status exists")
    see(pane, traffic.asked())
    pane.events.clear()
    see(pane, traffic.answered())
    assert len(pane.events) == 0


def test_statuses_have_the_colours_of_what_they_mean(pane: HTTPPane, traffic: Traffic) -> None:
    for conn, status in enumerate([200, 302, 404, 503], 1):
        traffic.asked(conn)
        traffic.answered(conn, status)
    traffic.asked(9)
    see(pane, traffic.asked(10))
    status = next(column for column in COLUMNS if column.title == "Status")
    rows = [row for index in range(len(pane.events)) if (row := pane.events.row(index))]
    colors = theme.DARK
    expected = [colors.good, colors.dim, colors.warning, colors.bad, colors.dim, colors.dim]
    assert [status.color(row, colors) for row in rows] == expected


def test_the_target_takes_the_room_that_is_left(pane: HTTPPane, qtbot: QtBot) -> None:
    target = [column.name for column in COLUMNS].index("target")
    before = pane.view.header.sectionSize(target)
    pane.resize(1700, 300)
    qtbot.waitUntil(lambda: pane.view.header.sectionSize(target) >= before + 100)
    assert pane.view.header.length() <= pane.view.viewport().width()


def test_rows_are_copied_with_their_own_columns(pane: HTTPPane, traffic: Traffic) -> None:
    traffic.asked(target="/a")
    see(pane, traffic.answered())
    copied: list[tuple[str, str]] = []
    pane.copied.connect(lambda *args: copied.append(args))
    shown(pane)
    pane.view.select_all()
    pane.copy_rows()
    [(text, words)] = copied
    assert text.split("\t")[1:4] == ["alpha", "GET", "/a"]
    assert words == "Copied 1 row"


@pytest.mark.parametrize(
    ("seconds", "words"), [(None, ""), (0.0003, "0.3 ms"), (0.0994, "99.4 ms"), (0.12, "120 ms"), (4.21, "4.2 s")]
)
def test_durations_are_short(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


def click_title(pane: HTTPPane, name: str) -> None:
    header = pane.view.header
    at = [column.name for column in COLUMNS].index(name)
    middle = QPoint(header.sectionViewportPosition(at) + header.sectionSize(at) // 2, header.height() // 2)
    QTest.mouseClick(header.viewport(), Qt.LeftButton, Qt.NoModifier, middle)
    settle()


def column(pane: HTTPPane, name: str) -> list[str]:
    at = [column.name for column in COLUMNS].index(name)
    rows = [pane.events.row(index) for index in range(len(pane.events))]
    return [COLUMNS[at].text(row, None) for row in rows if row is not None]


@pytest.fixture
def several(pane: HTTPPane, traffic: Traffic) -> HTTPPane:
    for conn, (target, status, size) in enumerate([("/b", 500, 7), ("/c", 200, 100), ("/a", 404, 20)], 1):
        traffic.asked(conn, target)
        traffic.answered(conn, status, size)
    see(pane, traffic.asked(4, "/d"))
    return pane


@pytest.mark.parametrize(
    ("name", "upwards", "downwards"),
    [
        ("target", ["/a", "/b", "/c", "/d"], ["/d", "/c", "/b", "/a"]),
        ("status", ["/c", "/a", "/b", "/d"], ["/b", "/a", "/c", "/d"]),  # what has no status is last
        ("size", ["/b", "/a", "/c", "/d"], ["/c", "/a", "/b", "/d"]),
    ],
)
def test_a_click_on_a_title_sorts_and_another_one_turns_it_round(
    several: HTTPPane, name: str, upwards: list[str], downwards: list[str]
) -> None:
    click_title(several, name)
    assert column(several, "target") == upwards
    assert not several.view.following
    click_title(several, name)
    assert column(several, "target") == downwards
    click_title(several, "time")
    assert column(several, "target") == ["/b", "/c", "/a", "/d"]
    click_title(several, "time")
    assert column(several, "target") == ["/d", "/a", "/c", "/b"]


@pytest.mark.parametrize("name", [column.name for column in COLUMNS])
def test_every_column_can_be_sorted_by(several: HTTPPane, name: str) -> None:
    click_title(several, name)
    assert sorted(column(several, "target")) == ["/a", "/b", "/c", "/d"]


def test_what_comes_while_it_is_sorted_finds_its_place_and_the_current_row_stays(
    several: HTTPPane, traffic: Traffic, qtbot: QtBot
) -> None:
    click_title(several, "target")
    several.view.set_current(1)
    traffic.asked(5, "/aa")
    several.on_stored(traffic.answered(5))
    qtbot.waitUntil(lambda: column(several, "target") == ["/a", "/aa", "/b", "/c", "/d"])
    assert several.view.current == 2
    several.view.select_all()
    copied: list[str] = []
    several.copied.connect(lambda text, _: copied.append(text))
    several.copy_rows()
    assert [line.split("\t")[3] for line in copied[0].split("\n")] == ["/a", "/aa", "/b", "/c", "/d"]


def test_what_comes_while_the_newest_is_first_stands_above(several: HTTPPane, traffic: Traffic) -> None:
    click_title(several, "time")
    several.view.set_current(0)
    see(several, traffic.asked(5, "/e"))
    assert column(several, "target") == ["/e", "/d", "/a", "/c", "/b"]
    assert several.view.current == 1


def test_too_many_are_not_sorted_and_that_is_said(several: HTTPPane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.panes.exchange_list.MAX_SORTED", 3)
    click_title(several, "target")
    assert several.notice.isVisible()
    assert several.notice.label.text().startswith("4 exchanges are too many to sort by this column")
    assert column(several, "target") == ["/b", "/c", "/a", "/d"]
    assert several.view.header.sortIndicatorSection() == 0
    several.set_filter("http.target contains a")
    settle()
    click_title(several, "target")
    assert not several.notice.isVisible()
    assert column(several, "target") == ["/a"]


def test_the_rule_that_answered_can_be_filtered_by(pane: HTTPPane, capture: Capture, traffic: Traffic) -> None:
    traffic.asked(1, "/a")
    detail = json.dumps({"status": 200, "rule": 2})
    time = BASE + 5_000_000
    see(pane, capture.store([time, RESPONSE, 1, 1, 3, None, "200 OK", detail]))
    pane.set_filter("rule == 2")
    settle()
    assert column(pane, "target") == ["/a"]
    pane.set_filter("rule == 3")
    settle()
    assert len(pane.events) == 0


def test_no_title_is_ever_cut(pane: HTTPPane) -> None:
    header = pane.view.header
    pane.resize(1700, 300)
    for at, declared in enumerate(COLUMNS):
        header.resizeSection(at, 10)
        assert header.sectionSize(at) >= header.fontMetrics().horizontalAdvance(declared.title)


def test_a_figure_that_does_not_fit_makes_its_column_wider(pane: HTTPPane, traffic: Traffic, qtbot: QtBot) -> None:
    at = [column.name for column in COLUMNS].index("size")
    before = pane.view.header.sectionSize(at)
    traffic.asked()
    see(pane, traffic.answered(size=123_456_789_012))
    qtbot.waitUntil(lambda: pane.view.header.sectionSize(at) > before)
