"""JSON and XML made readable."""

from __future__ import annotations

import pytest
from PyQt5.QtGui import QTextCursor
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app import events
from tests.ui.detail.page_samples import said, settled, shown
from tests.ui.event_samples import event
from ui.detail.code_view import MAX_LINES, MAX_UNIT, CodeView, lines
from ui.detail.page import Subject
from ui.detail.pages.code import JSONPage, XMLPage
from ui.detail.plain_text import MAX_CODE
from ui.detail.text_pieces import MAX_LINE
from ui.looks import theme

pytestmark = pytest.mark.usefixtures("dark")


def color_of(view: CodeView, text: str) -> str:
    cursor = view.document().find(text)
    cursor.setPosition(cursor.selectionStart())
    cursor.movePosition(QTextCursor.NextCharacter)
    return cursor.charFormat().foreground().color().name()


def test_json_is_put_on_lines_and_coloured(qtbot: QtBot) -> None:
    page = shown(qtbot, JSONPage(), event(payload=b'{"a":[1.50,"b",null]}'))
    assert page.view.toPlainText() == '{\n  "a": [\n    1.50,\n    "b",\n    null\n  ]\n}'
    colors = theme.DARK
    assert [color_of(page.view, text) for text in ('"a"', "1.50", '"b"', "null", "[")] == [
        colors.accent, colors.warning, colors.good, colors.sent, colors.dim,
    ]  # fmt: skip


def test_xml_is_put_on_lines_and_coloured(qtbot: QtBot) -> None:
    page = shown(qtbot, XMLPage(), event(payload=b'<a b="c"><!-- d --><e>f</e></a>'))
    assert page.view.toPlainText() == '<a b="c">\n  <!-- d -->\n  <e>f</e>\n</a>'
    assert [color_of(page.view, text) for text in ("<a", "b=", '"c"', "<!--", "f<")] == [
        theme.DARK.accent, theme.DARK.sent, theme.DARK.good, theme.DARK.dim, theme.DARK.text,
    ]  # fmt: skip


def test_what_a_peer_sends_stays_plain_text(qtbot: QtBot) -> None:
    payload = '{"a":"<b>x</b> \u202e\x07\\n"}'.encode()
    page = shown(qtbot, JSONPage(), event(payload=payload))
    assert page.view.toPlainText() == '{\n  "a": "<b>x</b> \\xe2\\x80\\xae\\x07\\n"\n}'


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b'{"a": 1,}', "Not valid JSON: expecting property name enclosed in double quotes at line 1, column 9"),
        (b'{"a": 1}\n{"b": 2}\n', ""),
        (b"[" * 5000, ""),
        (b'{"a": ' + b"1" * 5000 + b"}", ""),
    ],
)
def test_json_that_is_none_is_shown_and_says_so(qtbot: QtBot, payload: bytes, words: str) -> None:
    page = shown(qtbot, JSONPage(), event(payload=payload))
    assert page._wrong.text() == words
    assert page.view.toPlainText()


def test_a_theme_recolours(qtbot: QtBot, qapp: QApplication) -> None:
    page = shown(qtbot, JSONPage(), event(payload=b'{"a":1}'))
    theme.apply(qapp, theme.LIGHT)
    settled(qtbot, page)
    assert color_of(page.view, '"a"') == theme.LIGHT.accent


def test_only_the_beginning_of_a_long_one_is_shown(qtbot: QtBot) -> None:
    page = shown(qtbot, JSONPage(), event(payload=b"[" + b'"x", ' * 100_000))
    assert said(page.notice).startswith("This is the beginning, 262,144 bytes (262 kB), of a payload of 500,001 bytes")
    assert len(page.copied().split("\n")) <= MAX_LINES
    assert MAX_CODE == 262_144


def test_a_long_one_begins_at_its_beginning(qtbot: QtBot) -> None:
    page = shown(qtbot, JSONPage(), event(payload=b"[" + b"1, " * 5000 + b"1]"))
    qtbot.waitUntil(lambda: not page.view._filling.isActive())
    assert page.view.verticalScrollBar().value() == 0
    assert page.view.blockCount() == 5003


def test_another_one_ends_the_filling_of_the_one_before(qtbot: QtBot) -> None:
    page = shown(qtbot, JSONPage(), event(payload=b"[" + b"1, " * 50_000))
    page.show_subject(Subject(event(payload=b"[2]")))
    qtbot.wait(30)
    assert page.view.toPlainText() == "[\n  2\n]"


def test_no_line_is_longer_than_qt_lays_out_at_once() -> None:
    for text in ('{"a": "' + "x" * 50_000 + '"}', "<a>" + "y" * (MAX_UNIT - 20) + "</a>", "<!--" * 20_000):
        for language in ("json", "xml"):
            found = ["".join(part for part, _ in line) for line in lines(text, language)]
            assert max(map(len, found)) <= MAX_LINE


def test_a_page_is_offered_for_what_looks_like_it() -> None:
    def fits(payload: bytes) -> tuple[bool, bool]:
        subject = Subject(event(payload=payload))
        return JSONPage.fits(subject), XMLPage.fits(subject)

    assert fits(b"[1]") == (True, False)
    assert fits(b"<a/>") == (False, True)
    assert fits(b"GET / HTTP/1.1\r\n") == (False, False)
    assert not JSONPage.fits(Subject(event(events.CONNECTION_OPENED, None)))
