"""The address of a service, edited in its row of the list."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtCore import QEvent, QPoint, QRect, Qt, pyqtSignal
from PyQt5.QtGui import QFocusEvent, QKeyEvent
from PyQt5.QtWidgets import QLabel, QLineEdit, QWidget

from ui.forms.form import sentence, set_property

LEAST = 160
"""Pixels of the field, however narrow the row is."""


class AddressEdit(QLineEdit):
    """A field over a row, with the port selected. Enter takes what is typed, Escape and a click elsewhere leave it.

    Signals:
        given(str, str): the name of the service, and the address or port that was typed; it has no problem.
        closed(bool): the field is gone; whether it had the keyboard.
    """

    given = pyqtSignal(str, str)
    closed = pyqtSignal(bool)

    def __init__(self, name: str, address: str, problem: Callable[[str, str], str | None], parent: QWidget) -> None:
        """``problem(name, typed)`` says what is wrong with what is typed."""
        super().__init__(address, parent)
        self.name = name
        self._problem, self._open = problem, True
        self.setProperty("role", "mono")
        self.setObjectName("address-edit")
        self.setAccessibleName(self.tr("Address of {name}").format(name=name))
        self._words = QLabel(self.window())
        self._words.setObjectName("filter-words")
        self._words.setTextFormat(Qt.PlainText)
        self._words.setWordWrap(True)
        self._words.hide()
        self.textEdited.connect(lambda _: self._check())

    def begin(self, rect: QRect) -> None:
        """Show the field over ``rect``, with the keyboard at the port."""
        self.place(rect)
        self.show()
        self.setFocus(Qt.OtherFocusReason)
        colon = self.text().rfind(":")
        self.setSelection(colon + 1, len(self.text()))

    def place(self, rect: QRect) -> None:
        """Stand over ``rect``: the line of the address."""
        height = rect.height() + 6
        self.setGeometry(rect.left() - 9, rect.center().y() + 1 - height // 2, max(LEAST, rect.width()), height)

    def _check(self) -> bool:
        problem = self._problem(self.name, self.text().strip())
        set_property(self, "invalid", problem is not None)
        self._words.setVisible(problem is not None)
        self.setAccessibleDescription(problem or "")
        if problem is not None:
            self._words.setText(sentence(problem))
            self._words.setFixedWidth(max(260, self.width()))
            self._words.adjustSize()
            self._words.move(self.mapTo(self.window(), QPoint(0, self.height() + 2)))
            self._words.raise_()
        return problem is None

    def leave(self) -> None:
        """Take the field away, and change nothing."""
        if self._open:
            self._open, had_keyboard = False, self.hasFocus()
            self._words.hide()
            self._words.deleteLater()
            self.hide()
            self.deleteLater()
            self.closed.emit(had_keyboard)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() == Qt.Key_Escape:
            event.accept()  # before a shortcut of the window
            return True
        return bool(super().event(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key_Escape:
            self.leave()
        elif event.key() in (Qt.Key_Return, Qt.Key_Enter):
            if self._check():
                self.given.emit(self.name, self.text().strip())
                self.leave()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() not in (Qt.ActiveWindowFocusReason, Qt.PopupFocusReason):
            self.leave()
