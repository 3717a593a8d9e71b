"""The line on which one types what to try, and what comes of it."""

from __future__ import annotations

from PyQt5.QtCore import QSize, Qt, pyqtSignal
from PyQt5.QtGui import QKeyEvent, QResizeEvent
from PyQt5.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.capture.reading.reader import Reader
from app.responders.trial import Message, Request, request_of
from app.text.errors import EscapeError
from app.text.escapes import unescape
from ui.forms.dropdown import Dropdown
from ui.forms.form import set_property
from ui.looks.icons import icon
from ui.parts.line import Line
from ui.workbench.rules.captured import CapturedMenu

BESIDE = 92
"""Characters for which there must be room to have the verdict behind the line."""

MORE_LINES = 5
"""Lines of headers and body that are visible."""


class TryBar(QWidget):
    """What is tried, with a verdict behind it.

    Attributes:
        line: the first line of a request, or a message with escapes.
        more: headers and body of a request.

    Signals:
        changed(): something else is to be tried.
        entered(): the user pressed Enter.
        toggled(bool): the answer is to be shown, or not.
    """

    changed = pyqtSignal()
    entered = pyqtSignal()
    toggled = pyqtSignal(bool)

    def __init__(self, reader: Reader, protocol: str) -> None:
        super().__init__()
        self._http = protocol == "http"
        self.line = QLineEdit()
        self.line.setProperty("role", "mono")
        self.line.setClearButtonEnabled(True)
        self.line.setPlaceholderText("GET /users/7?full=1" if self._http else r"HELLO id=17\r\n")
        self.line.setAccessibleName(self.tr("Try it"))
        self.line.setMinimumWidth(120)
        self.when = Dropdown()
        for words, when in (
            (self.tr("message"), "message"), (self.tr("connected"), "connected"), (self.tr("silence, s"), "idle"),
        ):  # fmt: skip
            self.when.addItem(words, when)
        self.when.setAccessibleName(self.tr("What happens"))
        self.more = QPlainTextEdit()
        self.more.setProperty("role", "mono")
        self.more.setTabChangesFocus(True)
        self.more.setAccessibleName(self.tr("Headers and body"))
        self.more.setPlaceholderText(self.tr('Content-Type: application/json\n\n{"headers": "above the empty line"}'))
        self.more.setFixedHeight(self.more.fontMetrics().lineSpacing() * MORE_LINES + 20)
        self.more.hide()
        self.unfold = QToolButton()
        self.unfold.setCheckable(True)
        self.unfold.setAutoRaise(True)
        self.unfold.setIcon(icon("chevron-down", "dim"))
        self.unfold.setIconSize(QSize(12, 12))
        self.unfold.setToolTip(self.tr("Headers and body of the request"))
        self.unfold.setAccessibleName(self.tr("Headers and body of the request"))
        self.captured = CapturedMenu(reader, protocol)
        self.verdict = Line()
        self.show_answer = QToolButton()
        self.show_answer.setText(self.tr("Answer"))
        self.show_answer.setCheckable(True)
        self.show_answer.setIcon(icon("chevron-down", "dim"))
        self.show_answer.setIconSize(QSize(12, 12))
        self.show_answer.setToolButtonStyle(Qt.ToolButtonTextBesideIcon)
        self.show_answer.setEnabled(False)
        self.show_answer.setToolTip(self.tr("Show the answer, and why each earlier rule does not match"))
        self._lay_out()
        self.when.setVisible(not self._http)
        self.unfold.setVisible(self._http)
        self._connect()

    def _lay_out(self) -> None:
        name = QLabel(self.tr("&Try it"))
        name.setProperty("role", "dim")
        name.setBuddy(self.line)
        name.setContentsMargins(2, 0, 2, 0)  # else letters that reach beyond their width are cut
        row = self._row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(name)
        row.addWidget(self.when)
        row.addWidget(self.line, 3)
        row.addWidget(self.unfold)
        row.addWidget(self.captured)
        row.addWidget(self.verdict, 2)
        row.addWidget(self.show_answer)
        self._below = QHBoxLayout()
        self._is_below = False
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 8, 12, 8)
        column.setSpacing(8)
        column.addLayout(row)
        column.addWidget(self.more)
        column.addLayout(self._below)

    def _connect(self) -> None:
        self.line.textChanged.connect(lambda _: self.changed.emit())
        self.line.returnPressed.connect(self.entered)
        self.more.textChanged.connect(self.changed)
        self.when.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.unfold.toggled.connect(self._on_unfold)
        self.captured.picked.connect(self.type_in)
        self.show_answer.toggled.connect(self.toggled)

    def empty(self) -> bool:
        """Whether there is nothing to try."""
        return not self.line.text().strip() and self.when.currentData() != "connected"

    def asked(self) -> Request | Message:
        """What is to be tried. Raises ValueError, in words."""
        text = self.line.text()
        if self._http:
            more = self.more.toPlainText() if self.unfold.isChecked() else ""
            raw = f"{text.strip()}\n{more}" if more else text.strip()
            return request_of(raw.encode("utf-8", "surrogateescape"))
        when = str(self.when.currentData())
        if when == "idle":
            try:
                return Message(when=when, seconds=float(text))
            except ValueError:
                raise ValueError(self.tr("Enter the seconds of silence, such as 0.5")) from None
        try:
            return Message(unescape(text) if when == "message" else b"", when, nth=1 if when == "message" else 0)
        except EscapeError as e:
            raise ValueError(str(e)) from e

    def type_in(self, text: str) -> None:
        """Put in a request with its headers and body, or a message."""
        if not self._http:
            self.when.setCurrentIndex(0)
            self.line.setText(text)
        else:
            first, _, more = text.partition("\n")
            self.more.setPlainText(more)
            self.unfold.setChecked(bool(more))
            self.line.setText(first)
        self.line.setFocus(Qt.OtherFocusReason)

    def say(self, words: str, role: str = "dim") -> None:
        """Show what comes of it. ``role``: as in the stylesheet."""
        self.verdict.setText(words)
        set_property(self.verdict, "role", role)
        self._hide_empty()
        self.show_answer.setEnabled(bool(words))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the verdict into a line of its own where there is little room."""
        super().resizeEvent(event)
        below = event.size().width() < self.fontMetrics().horizontalAdvance("0") * BESIDE
        if below != self._is_below:
            self._is_below = below
            (self._row if below else self._below).removeWidget(self.verdict)
            if below:
                self._below.addWidget(self.verdict, 1)
            else:
                self._row.insertWidget(self._row.count() - 1, self.verdict, 2)
            self._hide_empty()

    def _hide_empty(self) -> None:
        """A line of its own takes no room while it says nothing."""
        self.verdict.setHidden(self._is_below and not self.verdict.text())

    def _on_unfold(self, on: bool) -> None:
        self.more.setVisible(on)
        self.unfold.setIcon(icon("chevron-up" if on else "chevron-down", "dim"))
        self.changed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key_Return, Qt.Key_Enter):
            event.accept()  # the line has said so already
        else:
            super().keyPressEvent(event)
