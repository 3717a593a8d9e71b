"""Pages of the detail pane by themselves."""

from __future__ import annotations

from typing import TypeVar

from PyQt5.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.events import Event
from ui.detail.code_view import CodeView
from ui.detail.page import CutNotice, Page, Subject

P = TypeVar("P", bound=Page)


def shown(qtbot: QtBot, page: P, what: Event | Subject) -> P:
    """``page`` in a window of its own, with an event."""
    subject = what if isinstance(what, Subject) else Subject(what)
    assert page.fits(subject)
    page.resize(1000, 300)
    # Held until then: collected as garbage while it is painted, it would take Qt with it.
    qtbot.addWidget(page, before_close_func=lambda _: page.hide())
    with qtbot.waitExposed(page):
        page.show()
    page.show_subject(subject)
    settled(qtbot, page)
    return page


def settled(qtbot: QtBot, page: Page) -> None:
    """Wait until all code is laid out, which happens in slices."""
    for view in page.findChildren(CodeView):
        qtbot.waitUntil(lambda view=view: not view._filling.isActive())


def said(notice: CutNotice) -> str:
    """The text of a notice; empty while it is hidden."""
    (label,) = notice.findChildren(QLabel)
    return label.text() if notice.isVisible() else ""
