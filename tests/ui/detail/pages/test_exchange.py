"""The page Exchange: request and answer beside each other, what came and what was sent."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from PyQt5.QtCore import QBuffer, QByteArray, QIODevice, Qt
from PyQt5.QtGui import QImage
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app import events
from app.capture.reading.exchange_at import Exchanged
from app.capture.reading.turns import Turn
from app.events import Event
from app.http.contents import Content
from app.http.forms import all_parts
from tests.ui.detail.page_samples import said, shown
from tests.ui.event_samples import TIME, event
from ui.detail.half import Half
from ui.detail.page import Subject
from ui.detail.pages.exchange import ExchangePage

pytestmark = pytest.mark.usefixtures("dark")

FORM = [["Cookie", "sid=1; theme=dark"], ["Content-Type", "application/x-www-form-urlencoded"]]
TARGET = "/orders?dry_run=1&x=%C3%A9"


def http(kind: int, id: int, time: int, **detail: Any) -> Event:
    found = event(kind, None, summary="", detail=json.loads(json.dumps(detail)))
    return replace(found, id=id, time=time)


def request(fields: Any = (), body: int | None = 0, target: str = TARGET, **more: Any) -> Event:
    detail = {"method": "POST", "target": target, "version": "HTTP/1.1", "fields": list(fields), "body": body, **more}
    return http(events.HTTP_REQUEST, 12, TIME, **detail)


def response(fields: Any = (), body: int = 0, **more: Any) -> Event:
    detail = {"status": 200, "reason": "OK", "fields": list(fields), "body": body, "seconds": 0.25, **more}
    return http(events.HTTP_RESPONSE, 15, TIME + 3_800_000, **detail)


def facts(half: Half) -> dict[str, str]:
    """The facts of a half by name."""
    lines = (line.strip().partition("\t") for line in half.sheet.text().split("\n"))
    return {name: value for name, _, value in lines}


def page_of(qtbot: QtBot, subject: Subject) -> ExchangePage:
    return shown(qtbot, ExchangePage(), subject)


def test_both_halves_have_line_headers_and_body_whichever_event_is_shown(qtbot: QtBot) -> None:
    asks, answer = request(FORM, 12), response([["X-Served-By", "mock"]], 7, rule=2)
    found = Exchanged(
        asks, answer, Content(b"a=1&b=%C3%B6", 12, FORM[1][1]), Content(b'{"a":1}', 7, "application/json"),
        TIME + 1_500_000, raw_asked=(10, 11), raw_answered=(14, 14),
    )  # fmt: skip
    page = page_of(qtbot, Subject(asks, found))
    for one in (asks, answer):
        page.show_subject(Subject(one, found))
        assert page.asked.line.text() == f"POST {TARGET} HTTP/1.1"
        assert page.answered.line.text() == "200 OK"
        said = facts(page.asked)
        assert [said[name] for name in ("dry_run", "x", "sid", "theme", "a", "b")] == ["1", "é", "1", "dark", "1", "ö"]
        assert facts(page.answered)["X-Served-By"] == "mock"
        assert page.asked.body.text.toPlainText() == "a=1&b=%C3%B6"
        assert page.answered.body.heading.text() == "BODY  ·  7 bytes  ·  application/json"
    qtbot.waitUntil(lambda: page.answered.body.code.toPlainText() == '{\n  "a": 1\n}')
    assert (page.asked.title.text(), page.answered.title.text()) == ("← REQUEST", "→ ANSWER")
    timing = page.timing.text().split("   ·   ")
    assert timing[1:] == ["after 3.8 ms", "first byte after 1.5 ms", "by rule 2"]
    assert timing[0].startswith("Received ")
    assert "  →  answered " in timing[0]


def test_links_lead_to_the_events_their_bytes_and_the_connection(qtbot: QtBot) -> None:
    found = Exchanged(request(), response(), raw_asked=(10, 11), raw_answered=(14, 14))
    page = page_of(qtbot, Subject(request(), found))
    assert [link.text() for link in (page.asked.raw_link, page.answered.raw_link)] == ["Bytes 10–11", "Bytes 14"]
    wanted: list[int] = []
    page.event_wanted.connect(wanted.append)
    for half in (page.asked, page.answered):
        for link in (half.event_link, half.raw_link):
            QTest.mouseClick(link, Qt.LeftButton)
    assert wanted == [12, 10, 15, 14]
    with qtbot.waitSignal(page.stream_wanted) as stream:
        QTest.mouseClick(page.stream_link, Qt.LeftButton)
    assert stream.args == [request().conn]


def test_while_there_is_no_answer_it_says_so(qtbot: QtBot) -> None:
    asks = request()
    page = page_of(qtbot, Subject(asks, read=False))
    assert page.answered.words.text() == "Reading…"
    page.show_subject(Subject(asks, Exchanged(asks)))
    assert page.answered.words.text() == "No answer yet"
    page.show_subject(Subject(asks, Exchanged(asks, ended="reset by the peer")))
    assert page.answered.words.text() == "There was no answer. The connection ended: reset by the peer"


def test_a_request_of_ours_points_the_other_way(qtbot: QtBot) -> None:
    asks, answer = request(outgoing=True), response(outgoing=True)
    page = page_of(qtbot, Subject(answer, Exchanged(asks, answer)))
    assert (page.asked.title.text(), page.answered.title.text()) == ("→ REQUEST", "← ANSWER")
    assert page.timing.text().startswith("Sent ")


def test_a_body_that_was_not_read_yet_or_cannot_be_is_said(qtbot: QtBot) -> None:
    page = page_of(qtbot, Subject(request(body=5), read=False))
    body = page.asked.body
    assert body.words.text() == "Reading…"
    page.show_subject(Subject(request(body=5)))
    assert body.words.text().startswith("The body is not in the capture")
    assert body.save_button.isVisible()
    assert not body.save_button.isEnabled()
    page.show_subject(Subject(request()))
    assert not body.isVisible()
    asks = request(body=None)
    page.show_subject(Subject(asks, read=False))
    assert body.isVisible()
    page.show_subject(Subject(asks, Exchanged(asks, None, Content(b"words", 5))))
    assert body.text.toPlainText() == "words"
    assert body.save_button.isEnabled()


def test_a_body_that_is_cut_says_so_in_one_line(qtbot: QtBot) -> None:
    answer = response(body=5000)
    content = Content(b"x" * 100, 5000, cut=True, whole=False)
    page = page_of(qtbot, Subject(answer, Exchanged(None, answer, None, content)))
    words = "This is the beginning, 100 bytes, of a body of 5,000 bytes. The body is incomplete."
    notice = page.answered.body.notice
    assert said(notice) == words
    assert notice.height() <= 3 * page.fontMetrics().height()
    with qtbot.waitSignal(page.save_body) as saved:
        QTest.mouseClick(notice._button, Qt.LeftButton)
    assert saved.args == [answer]


def test_bytes_are_shown_as_hex(qtbot: QtBot) -> None:
    answer = response(body=3)
    page = page_of(qtbot, Subject(answer, Exchanged(None, answer, None, Content(b"\0\1\2", 3))))
    assert page.answered.body.views.currentWidget() is page.answered.body.hex
    assert page.answered.body.hex.data() == b"\0\1\2"
    assert page.asked.words.text() == "The request is not in the capture, or too far away to be found"


def test_a_refusal_says_why(qtbot: QtBot) -> None:
    refused = http(events.HTTP_RESPONSE, 15, TIME, status=400, refused="a bad line")
    page = page_of(qtbot, Subject(refused, Exchanged(None, refused)))
    assert (page.answered.line.text(), facts(page.answered)["refused"]) == ("400", "a bad line")
    assert page.asked.words.text() == "The request was refused before it was read"
    assert not page.answered.body.isVisible()


def png() -> bytes:
    image = QImage(3, 2, QImage.Format_RGB32)
    image.fill(Qt.red)
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.WriteOnly)
    image.save(buffer, "PNG")
    return bytes(data)


def multipart() -> Content:
    kind = "multipart/form-data"
    fields = [("Content-Type", f"{kind}; boundary=XX")]
    data = (
        b'--XX\r\nContent-Disposition: form-data; name="title"\r\n\r\nA picture\r\n'
        b'--XX\r\nContent-Disposition: form-data; name="file"; filename="../a.png"\r\nContent-Type: image/png\r\n\r\n'
        + png()
        + b'\r\n--XX\r\nContent-Disposition: form-data; name="about"\r\nContent-Type: application/json\r\n\r\n[1]'
        b"\r\n--XX\r\n\r\n\0\1\2\r\n--XX--\r\n"
    )
    return Content(data, len(data), kind, parts=tuple(all_parts(data, fields)))


def test_the_parts_of_a_multipart_body_are_shown_as_what_they_are(qtbot: QtBot) -> None:
    asks, content = request(body=1), multipart()
    page = page_of(qtbot, Subject(asks, Exchanged(asks, None, content)))
    body = page.asked.body
    rows = [[body.parts.topLevelItem(row).text(at) for at in range(4)] for row in range(4)]
    assert rows == [
        ["title", "", "", "9"],
        ["file", "../a.png", "image/png", str(len(png()))],
        ["about", "", "application/json", "3"],
        ["–", "", "", "3"],
    ]
    assert body.text.toPlainText() == "A picture"
    body.parts.setFocus()
    with qtbot.waitSignal(body.picture.decoded):
        QTest.keyClick(body.parts, Qt.Key_Down)
    assert body.views.currentWidget() is body.picture
    assert not body.picture.image().isNull()
    with qtbot.waitSignal(page.save_part) as saved:
        QTest.mouseClick(body.part_button, Qt.LeftButton)
    assert saved.args == [asks, 1]
    QTest.keyClick(body.parts, Qt.Key_Down)
    assert body.views.currentWidget() is body.code
    QTest.keyClick(body.parts, Qt.Key_Down)
    assert body.views.currentWidget() is body.hex


def message(id: int, payload: bytes, way: str, rule: int = 0) -> Event:
    detail = {"opcode": "text", "direction": way} | ({"rule": rule} if rule else {})
    found = event(events.WS_MESSAGE, payload, detail=detail)
    return replace(found, id=id, time=TIME + id * 1_000_000)


def test_a_message_has_what_was_sent_in_answer_and_by_which_rule(qtbot: QtBot) -> None:
    came, first, second = message(1, b"[1]", "received"), message(2, b"a", "sent", 3), message(4, b"b", "sent", 3)
    page = page_of(qtbot, Subject(second, turn=Turn((came,), (first, second))))
    assert page.asked.line.text() == "text   ·   3 bytes"
    assert page.answered.line.text() == "2 messages   ·   2 bytes   ·   by rule 3"
    assert page.timing.text().endswith("after 1.0 ms   ·   by rule 3")
    assert page.answered.body.text.toPlainText() == "b"  # the one that is selected in the pane
    page.answered.items.setFocus()
    QTest.keyClick(page.answered.items, Qt.Key_Up)
    assert page.answered.body.text.toPlainText() == "a"
    assert page.answered.event_link.text() == "Event 2"
    assert not page.answered.body.save_button.isVisible()


def test_bytes_of_a_stream_are_shown_together(qtbot: QtBot) -> None:
    came = [event(events.DATA_RECEIVED, part) for part in (b"REA", b"D 7\n")]
    turn = Turn(tuple(replace(one, id=at) for at, one in enumerate(came, 1)), ended="closed by the peer")
    page = page_of(qtbot, Subject(turn.asked[1], turn=turn))
    assert page.asked.body.text.toPlainText() == "READ 7\n"
    assert page.asked.line.text() == "2 pieces   ·   7 bytes"
    assert page.answered.words.text() == "There was no answer. The connection ended: closed by the peer"
    assert not page.asked.event_link.isVisible()  # of all together


def test_in_a_narrow_page_the_answer_stands_below(qtbot: QtBot, qapp: QApplication) -> None:
    page = page_of(qtbot, Subject(request(), Exchanged(request(), response())))
    assert page.halves.orientation() == Qt.Horizontal
    page.resize(420, 300)
    qapp.processEvents()
    assert page.halves.orientation() == Qt.Vertical
    assert page.answered.y() > page.asked.y()
    assert page.asked.height() > 8 * page.fontMetrics().height()


def test_all_is_copied_or_what_is_selected(qtbot: QtBot) -> None:
    answer = response([["A", "b"]], 5)
    page = page_of(qtbot, Subject(answer, Exchanged(request(), answer, None, Content(b"words", 5))))
    assert all(words in page.copied() for words in ("200 OK", "A\tb", "Request"))
    page.answered.body.text.selectAll()
    assert page.copied() == "words"
