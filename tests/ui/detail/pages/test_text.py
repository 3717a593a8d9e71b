"""A payload as text."""

from __future__ import annotations

import pytest
from PyQt5.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.http.contents import of_payload
from tests.ui.detail.page_samples import said, shown
from tests.ui.event_samples import event
from ui.detail.page import Subject
from ui.detail.pages.text import TextPage
from ui.detail.plain_text import MAX_LINES, MAX_TEXT, readable

pytestmark = pytest.mark.usefixtures("dark")


def choose(page: TextPage, encoding: str) -> None:
    page.encoding.setCurrentIndex(page.encoding.findData(encoding))
    page.encoding.activated.emit(0)


def test_text_keeps_line_breaks_and_shows_all_else(qtbot: QtBot) -> None:
    page = shown(qtbot, TextPage(), event(payload=b"GET /\r\n\tcaf\xc3\xa9 \xff\x00\x1b[2J \\ <b>\n"))
    assert page.view.toPlainText() == "GET /\\r\n\\tcafé \\xff\\0\\e[2J \\\\ <b>\n"
    assert not said(page.notice)


def test_the_encoding_is_detected_and_named(qtbot: QtBot) -> None:
    page = shown(qtbot, TextPage(), event(payload="Grüße\n".encode("utf-16")))
    assert (page.view.toPlainText(), page.encoding.currentText()) == ("Grüße\n", "Detected: UTF-16 LE")


def test_another_encoding_can_be_chosen_and_stays(qtbot: QtBot) -> None:
    page = shown(qtbot, TextPage(), event(payload=b"\x82\xa0"))
    assert page.view.toPlainText() == "\\x82\\xa0"
    choose(page, "shift_jis")
    assert page.view.toPlainText() == "あ"
    page.show_subject(Subject(event(payload=b"\x82\xa2")))
    assert page.view.toPlainText() == "い"
    choose(page, "")
    assert page.view.toPlainText() == "\\x82\\xa2"


def test_control_characters_of_another_encoding_are_visible(qtbot: QtBot) -> None:
    page = shown(qtbot, TextPage(), event(payload="a\u202eb\0".encode("utf-16-le")))
    choose(page, "utf-16-le")
    assert page.view.toPlainText() == "a\\xe2\\x80\\xaeb\\0"


def test_a_long_text_is_cut_between_characters_and_says_so(qtbot: QtBot) -> None:
    payload = b"x" + "é".encode() * MAX_TEXT
    page = shown(qtbot, TextPage(), event(payload=payload))
    assert page.copied().replace("\n", "") == "x" + "é" * (MAX_TEXT // 2 - 1)
    words = "This is the beginning, 1,048,575 bytes (1.0 MB), of a payload of 2,097,153 bytes (2.1 MB)."
    assert said(page.notice) == words


def test_the_notice_offers_to_save_all(qtbot: QtBot) -> None:
    page = shown(qtbot, TextPage(), event(payload=b"x" * (MAX_TEXT + 1)))
    with qtbot.waitSignal(page.save):
        qtbot.mouseClick(page.notice._button, Qt.LeftButton)


def test_a_long_text_comes_in_pieces(qtbot: QtBot) -> None:
    payload = b"a line\n" * 20_000
    page = shown(qtbot, TextPage(), event(payload=payload))
    assert page.view.blockCount() < 2000
    qtbot.waitUntil(lambda: page.view.blockCount() == 20_001)
    assert page.view.verticalScrollBar().value() == 0
    assert page.view.toPlainText() == payload.decode()


def test_another_event_ends_the_filling_of_the_one_before(qtbot: QtBot) -> None:
    page = shown(qtbot, TextPage(), event(payload=b"a line\n" * 20_000))
    page.show_subject(Subject(event(payload=b"short")))
    qtbot.wait(50)
    assert page.view.toPlainText() == "short"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_too_many_lines_are_cut_at_a_line(encoding: str) -> None:
    data = ("é\n" * (MAX_LINES + 500)).encode(encoding)
    head, text = readable(of_payload(data), encoding)
    assert text.count(b"\n") in (MAX_LINES, MAX_LINES - 1)
    assert data[:head].decode(encoding).endswith("é\n")


def test_lines_wrap_or_not(qtbot: QtBot) -> None:
    page = shown(qtbot, TextPage(), event(payload=b"word " * 300))
    assert page.view.horizontalScrollBar().maximum() == 0
    page.wrap_button.click()
    assert page.view.horizontalScrollBar().maximum() > 0
