"""A line of text that may have ``{{…}}``, with the names of values completed."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QPoint, Qt
from PyQt5.QtGui import QFocusEvent, QKeyEvent
from PyQt5.QtWidgets import QLineEdit

from app.capture.filters.completion import Suggestion
from ui.parts.completions import Completions
from ui.workbench.rule_form.template_text import Offers, begun_in, closing_for


class TemplateLine(QLineEdit):
    """The line. Behind ``{{`` and ``|`` it offers names; Tab or Enter takes one.

    Attributes:
        template: whether ``{{…}}`` is an expression.
    """

    def __init__(self, text: str, offers: Offers) -> None:
        super().__init__(text)
        self.template = True
        self._offers = offers
        self._completions: Completions | None = None
        self.textEdited.connect(lambda _: self._offer())

    def _begun(self) -> tuple[str, bool] | None:
        return begun_in(self.text()[: self.cursorPosition()]) if self.template else None

    def _offer(self) -> None:
        begun = self._begun()
        suggestions = self._offers(*begun) if begun is not None else ()
        if self._completions is None:
            if not suggestions:
                return
            self._completions = Completions(self)
            self._completions.chosen.connect(self._take)
        corner = QPoint(self.cursorRect().left(), self.height() + 2)
        self._completions.offer(suggestions, self.mapTo(self.window(), corner))

    def _take(self, suggestion: Suggestion) -> None:
        begun = self._begun()
        if begun is None:
            return
        closing = closing_for(suggestion, self.text()[self.cursorPosition() :])
        for _ in begun[0]:
            self.backspace()
        self.insert(suggestion.text + closing)
        self._hide() if closing else self._offer()

    def _hide(self) -> None:
        if self._completions is not None:
            self._completions.hide()

    def _offering(self) -> bool:
        return self._completions is not None and self._completions.isVisible()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and self._offering():
            if event.type() == QEvent.ShortcutOverride and event.key() == Qt.Key_Escape:
                event.accept()
                return True
            if event.type() == QEvent.KeyPress and self._for_list(event):
                return True
        return bool(super().event(event))

    def _for_list(self, event: QKeyEvent) -> bool:
        """Handle a key that is for the list of names; before Qt takes Tab to go on."""
        if event.key() == Qt.Key_Escape:
            self._hide()
            return True
        assert self._completions is not None
        return self._completions.takes(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._hide()
        super().focusOutEvent(event)
