"""The page Exchange: request and answer beside each other, or what came and what was sent."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QSplitter, QToolButton, QWidget

from ui.detail.half import Half
from ui.detail.http_sides import http_sides
from ui.detail.page import Page, Subject
from ui.detail.turn_sides import turn_sides
from ui.parts.line import Line

NARROW = 96
"""Characters of the interface's font: in a narrower page the answer stands below the request."""

LOWEST, WITH_BODY = 9, 17
"""Lines of text that each half has at least, where they stand above each other: without a body, and with one."""


class ExchangePage(Page):
    key, title = "exchange", "Exchange"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._conn: int | None = None
        self.timing = Line()
        self.timing.setProperty("role", "dim")
        self.stream_link = QToolButton()
        self.stream_link.setProperty("link", True)
        self.stream_link.setFocusPolicy(Qt.TabFocus)
        self.stream_link.setToolTip(self.tr("Show all that passed on the connection"))
        self.stream_link.clicked.connect(lambda _=False: self._on_stream_link())
        self.asked, self.answered = Half(), Half()
        for half in (self.asked, self.answered):
            half.event_wanted.connect(self.event_wanted)
            half.save_body.connect(self.save_body)
            half.save_part.connect(self.save_part)
        self.halves = QSplitter(Qt.Horizontal)
        self.halves.setHandleWidth(1)
        self.halves.setChildrenCollapsible(False)
        self.halves.addWidget(self.asked)
        self.halves.addWidget(self.answered)
        self.halves.setSizes([500, 500])
        area = QScrollArea()
        area.setWidget(self.halves)
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self._stack(self._bar(), area)
        self.setFocusProxy(self.asked)

    def _bar(self) -> QFrame:
        bar = QFrame()
        bar.setProperty("surface", "window")
        row = QHBoxLayout(bar)
        row.setContentsMargins(16, 3, 8, 3)
        row.addWidget(self.timing, 1)
        row.addWidget(self.stream_link)
        return bar

    def _on_stream_link(self) -> None:
        if self._conn is not None:
            self.stream_wanted.emit(self._conn)

    @staticmethod
    def fits(subject: Subject) -> bool:
        return subject.is_http or subject.is_turn

    def show_subject(self, subject: Subject) -> None:
        sides = http_sides(subject) if subject.is_http else turn_sides(subject)
        self._conn = subject.event.conn
        self.timing.setText(sides.timing)
        self.stream_link.setVisible(self._conn is not None)
        self.stream_link.setText(self.tr("Connection {number}").format(number=self._conn))
        self.asked.show_side(sides.asked)
        self.answered.show_side(sides.answered)
        self._place()

    def copied(self) -> str:
        halves = (self.asked, self.answered)
        selected = next((found for half in halves if (found := half.selection())), "")
        return selected or "\n".join([self.timing.text(), *(half.text() for half in halves)])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        narrow = self.width() < NARROW * self.fontMetrics().averageCharWidth()
        self.halves.setOrientation(Qt.Vertical if narrow else Qt.Horizontal)
        for half in (self.asked, self.answered):
            lines = WITH_BODY if half.body.isVisibleTo(half) else LOWEST
            half.setMinimumHeight(lines * self.fontMetrics().lineSpacing() if narrow else 0)
