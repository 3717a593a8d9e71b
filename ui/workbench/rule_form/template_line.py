"""A line of text that may have ``{{…}}``, with the names of values completed."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QPoint
from PyQt5.QtGui import QFocusEvent
from PyQt5.QtWidgets import QLineEdit

from ui.workbench.rule_form.offered_names import OfferedNames, Offers


class TemplateLine(QLineEdit):
    """The line. Behind ``{{`` and ``|`` it offers names; Tab or Enter takes one.

    Attributes:
        template: whether ``{{…}}`` is an expression.
    """

    def __init__(self, text: str, offers: Offers) -> None:
        super().__init__(text)
        self.template = True
        self._names = OfferedNames(self, self, offers)
        self.textEdited.connect(lambda _: self._names.offer())

    def around(self) -> tuple[str, str] | None:
        at = self.cursorPosition()
        return (self.text()[:at], self.text()[at:]) if self.template else None

    def replace(self, count: int, text: str) -> None:
        for _ in range(count):
            self.backspace()
        self.insert(text)

    def corner(self) -> QPoint:
        return self.mapTo(self.window(), QPoint(self.cursorRect().left(), self.height() + 2))

    def event(self, event: QEvent) -> bool:
        return self._names.takes(event) or bool(super().event(event))

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._names.hide()
        super().focusOutEvent(event)
