"""The details in the window: what keys do there, where their links lead, and what is said of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot
from twisted.internet.defer import maybeDeferred

from app import events
from tests.ui.conftest import Open
from tests.ui.desk import BASE, Capture, accept_file
from ui.detail.pages.exchange import ExchangePage
from ui.window.main_window import MainWindow

pytestmark = [
    pytest.mark.qt_log_ignore(r"^This plugin does not support (raise\(\)|grabbing the keyboard)$"),
]

BODY = (
    b'--XX\r\nContent-Disposition: form-data; name="title"\r\n\r\nA picture\r\n'
    b'--XX\r\nContent-Disposition: form-data; name="raw"; filename="../../evil.bin"\r\n\r\n\0\1\2\r\n--XX--\r\n'
)
HEADERS = [["Host", "x"], ["Content-Type", "multipart/form-data; boundary=XX"], ["Content-Length", str(len(BODY))]]
ASKED = b"POST /pictures HTTP/1.1\r\n" + b"".join(f"{n}: {v}\r\n".encode() for n, v in HEADERS) + b"\r\n" + BODY
ANSWERED = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstored"


@pytest.fixture
def desk(open_window: Open, capture: Capture) -> MainWindow:
    """A window on an exchange, and on one that waits for its answer."""
    request = {"method": "POST", "target": "/pictures", "version": "HTTP/1.1", "fields": HEADERS, "body": len(BODY)}
    answer = {"status": 200, "reason": "OK", "fields": [["Content-Length", "6"]], "body": 6, "seconds": 0.1, "rule": 1}
    opened = {"peer": "127.0.0.1:5", "host": "127.0.0.1:80"}
    waits = {"method": "GET", "target": "/slow", "version": "HTTP/1.1", "fields": [], "body": 0}
    rows = [
        (events.CONNECTION_OPENED, 1, None, "accepted", opened, None),
        (events.DATA_RECEIVED, 1, ASKED, None, None, None),
        (events.HTTP_REQUEST, 1, None, "POST /pictures", request, len(BODY)),
        (events.DATA_SENT, 1, ANSWERED, None, None, None),
        (events.HTTP_RESPONSE, 1, None, "200 OK", answer, 6),
        (events.HTTP_REQUEST, 2, None, "GET /slow", waits, 0),
    ]
    flat = [
        value
        for at, (kind, conn, payload, summary, detail, size) in enumerate(rows)
        for value in (BASE + at * 10**6, kind, 1, conn, size, payload, summary, detail and json.dumps(detail))
    ]
    stored = capture.store(flat)
    window = open_window(path=capture.path)
    window._post.recorder.range = stored
    window.bridge.ticked.emit(stored)
    return window


def page(window: MainWindow) -> ExchangePage:
    found = window.detail.pages["exchange"]
    assert isinstance(found, ExchangePage)
    return found


@pytest.fixture
def exchange(desk: MainWindow, qtbot: QtBot) -> ExchangePage:
    """The exchange of the HTTP pane's first row, chosen with keys."""
    QTest.keyClick(desk, Qt.Key_H, Qt.ControlModifier | Qt.ShiftModifier)
    qtbot.waitUntil(lambda: len(desk.panes.http.events) == 2)
    assert desk.panes.http.view.hasFocus()
    QTest.keyClick(desk.panes.http.view, Qt.Key_Home)
    qtbot.waitUntil(lambda: "exchange" in desk.detail.pages and bool(page(desk).asked.line.text()))
    return page(desk)


def test_a_row_of_the_http_pane_shows_both_halves(exchange: ExchangePage, qtbot: QtBot) -> None:
    assert exchange.isVisible()
    assert exchange.asked.line.text() == "POST /pictures HTTP/1.1"
    assert exchange.answered.line.text() == "200 OK"
    qtbot.waitUntil(lambda: exchange.answered.body.text.toPlainText() == "stored")
    assert exchange.asked.body.parts.topLevelItemCount() == 2
    assert exchange.timing.text().endswith("by rule 1")


def test_what_has_no_answer_gets_it_when_it_comes(
    desk: MainWindow, exchange: ExchangePage, capture: Capture, qtbot: QtBot
) -> None:
    QTest.keyClick(desk.panes.http.view, Qt.Key_Down)
    qtbot.waitUntil(lambda: exchange.answered.words.text() == "No answer yet")
    assert exchange.answered.words.isVisible()
    desk.browser.show_event(6)
    answer = json.dumps({"status": 204, "reason": "No Content", "fields": [], "body": 0, "seconds": 1.0})
    stored = capture.store([BASE + 10**9, events.HTTP_RESPONSE, 1, 2, 0, None, "204", answer])
    desk.bridge.ticked.emit(stored)
    qtbot.waitUntil(lambda: exchange.answered.line.text() == "204 No Content")
    assert desk.browser.current_event is not None
    assert desk.browser.current_event.id == 6


def test_links_lead_to_the_events_whatever_is_filtered(desk: MainWindow, exchange: ExchangePage, qtbot: QtBot) -> None:
    for link, id in ((exchange.asked.raw_link, 2), (exchange.answered.event_link, 5)):
        desk.filter.setText("kind == http.request")
        desk.filter.apply()
        qtbot.waitUntil(lambda: exchange.asked.raw_link.isVisible())
        QTest.mouseClick(link, Qt.LeftButton)
        qtbot.waitUntil(lambda id=id: desk.browser.current_event is not None and desk.browser.current_event.id == id)
        assert desk.panes.current() is desk.panes.all
        assert desk.filter.text() == ""
        desk.browser.show_event(3)
        qtbot.waitUntil(lambda: desk.browser.current_event is not None and desk.browser.current_event.id == 3)


def test_the_connection_is_shown_as_a_stream(desk: MainWindow, exchange: ExchangePage, qtbot: QtBot) -> None:
    QTest.mouseClick(exchange.stream_link, Qt.LeftButton)
    qtbot.waitUntil(lambda: len(desk.streams.open) == 1)
    qtbot.waitUntil(lambda: desk.streams.open[0].windowTitle().startswith("Stream #1"))


def test_ctrl_f_finds_in_the_details_and_filters_in_the_pane(
    desk: MainWindow, exchange: ExchangePage, qtbot: QtBot
) -> None:
    view = exchange.answered.body.text
    qtbot.waitUntil(lambda: view.isVisible() and view.toPlainText() == "stored")
    view.setFocus()
    QTest.keyClick(view, Qt.Key_F, Qt.ControlModifier)
    bar = desk.detail.find_bar
    assert bar.field.hasFocus()
    QTest.keyClicks(bar.field, "tor")
    qtbot.waitUntil(lambda: bar.words.text() == "1 of 1")
    assert view.textCursor().selectedText() == "tor"
    QTest.keyClick(bar.field, Qt.Key_Escape)
    assert view.hasFocus()
    desk.panes.http.view.setFocus()
    QTest.keyClick(desk.panes.http.view, Qt.Key_F, Qt.ControlModifier)
    assert desk.filter.hasFocus()


def test_find_goes_through_both_halves_of_an_exchange(desk: MainWindow, exchange: ExchangePage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: exchange.answered.body.text.toPlainText() == "stored")
    exchange.asked.sheet.setFocus()
    QTest.keyClick(exchange.asked.sheet, Qt.Key_F, Qt.ControlModifier)
    bar = desk.detail.find_bar
    QTest.keyClicks(bar.field, "t")
    qtbot.waitUntil(lambda: bar.words.text().startswith("1 of "))
    seen = []
    for _ in range(int(bar.words.text().split()[-1])):
        now = bar._target.widget if bar._target is not None else None
        seen += [now] if now not in seen else []
        QTest.keyClick(bar.field, Qt.Key_Return)
    assert bar.words.text().startswith("1 of ")
    assert [one for one in seen if one in (exchange.asked.sheet, exchange.answered.sheet)] == [
        exchange.asked.sheet,
        exchange.answered.sheet,
    ]
    assert seen[-1] is exchange.answered.body.text


def test_a_part_is_saved_under_a_harmless_name(
    desk: MainWindow, exchange: ExchangePage, qtbot: QtBot, tmp_path: Path
) -> None:
    body = exchange.asked.body
    desk.detail._in_thread = maybeDeferred
    qtbot.waitUntil(lambda: body.parts.isVisible())
    body.parts.setFocus()
    QTest.keyClick(body.parts, Qt.Key_Down)
    QTest.mouseClick(body.part_button, Qt.LeftButton)
    [dialog] = desk.detail.findChildren(QFileDialog)
    assert [Path(name).name for name in dialog.selectedFiles()] == ["evil.bin"]
    path = tmp_path / "part.bin"
    accept_file(dialog, path)
    qtbot.waitUntil(lambda: path.exists() and path.read_bytes() == b"\0\1\2")


def test_panes_that_are_asked_for_by_key_have_the_focus(desk: MainWindow) -> None:
    for key, pane in (
        (Qt.Key_F, desk.panes.failures),
        (Qt.Key_O, desk.panes.conversations),
        (Qt.Key_H, desk.panes.http),
    ):
        QTest.keyClick(desk, key, Qt.ControlModifier | Qt.ShiftModifier)
        assert desk.panes.current() is pane
        assert pane.view.hasFocus()


def test_what_was_copied_is_said(desk: MainWindow, exchange: ExchangePage, qtbot: QtBot) -> None:
    status = desk.statusBar()
    pane = desk.panes.http
    QTest.keyClick(pane.view, Qt.Key_A, Qt.ControlModifier)
    QTest.keyClick(pane.view, Qt.Key_C, Qt.ControlModifier)
    qtbot.waitUntil(lambda: status.currentMessage() == "Copied 2 rows")
    QTest.keyClick(pane.view, Qt.Key_Home)
    QTest.keyClick(pane.view, Qt.Key_C, Qt.ControlModifier | Qt.AltModifier)
    qtbot.waitUntil(lambda: status.currentMessage() == "Copied as curl")
    view = exchange.answered.body.text
    qtbot.waitUntil(lambda: not desk.detail._asking and view.toPlainText() == "stored")
    view.setFocus()
    view.selectAll()
    QTest.keyClick(view, Qt.Key_C, Qt.ControlModifier)
    qtbot.waitUntil(lambda: status.currentMessage() == "Copied")
    clipboard = QApplication.clipboard()
    assert clipboard is not None
    assert clipboard.text() == "stored"
