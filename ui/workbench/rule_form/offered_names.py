"""The names of values, offered below a field in which one types ``{{…}}``."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Protocol

from PyQt5.QtCore import QEvent, QPoint, Qt
from PyQt5.QtGui import QKeyEvent
from PyQt5.QtWidgets import QWidget

from app.capture.filters.completion import Suggestion
from ui.parts.completions import Completions

Offers = Callable[[str, bool], Sequence[Suggestion]]
"""Given what is typed of a name, and whether it is a filter's: the names that begin so."""

_TYPED = re.compile(r"\{\{\s*((?:[^{}]*\|\s*)?)([^\s{}|]*)$")


class Field(Protocol):
    """The field in which one types."""

    @abstractmethod
    def around(self) -> tuple[str, str] | None:
        """The text before the cursor and behind it, in its line; None where ``{{…}}`` is no expression."""

    @abstractmethod
    def replace(self, count: int, text: str) -> None:
        """Put ``text`` in the place of ``count`` characters before the cursor."""

    @abstractmethod
    def corner(self) -> QPoint:
        """Below the cursor, in the window."""


class OfferedNames:
    """Behind ``{{`` and ``|`` it offers names; Tab or Enter takes one.

    The field calls ``offer`` after an edit, ``hide`` when it loses the focus, and gives its events to ``takes``.
    """

    def __init__(self, widget: QWidget, field: Field, offers: Offers) -> None:
        self._widget, self._field, self._offers = widget, field, offers
        self._list: Completions | None = None

    def offer(self) -> None:
        """Offer what can stand at the cursor, or hide the list."""
        around = self._field.around()
        begun = begun_in(around[0]) if around is not None else None
        suggestions = self._offers(*begun) if begun is not None else ()
        if self._list is None:
            if not suggestions:
                return
            self._list = Completions(self._widget)
            self._list.chosen.connect(self._take)
        self._list.offer(suggestions, self._field.corner())

    def _take(self, suggestion: Suggestion) -> None:
        around = self._field.around()
        begun = begun_in(around[0]) if around is not None else None
        if around is None or begun is None:
            return
        closing = closing_for(suggestion, around[1])
        self._field.replace(len(begun[0]), suggestion.text + closing)
        self.hide() if closing else self.offer()

    def hide(self) -> None:
        if self._list is not None:
            self._list.hide()

    def takes(self, event: QEvent) -> bool:
        """Handle a key that is for the list; before Qt takes Tab to go on, and Escape for a shortcut."""
        if self._list is None or not self._list.isVisible() or not isinstance(event, QKeyEvent):
            return False
        if event.type() == QEvent.ShortcutOverride and event.key() == Qt.Key_Escape:
            event.accept()
            return True
        if event.type() != QEvent.KeyPress:
            return False
        if event.key() == Qt.Key_Escape:
            self.hide()
            return True
        return self._list.takes(event)


def begun_in(before: str) -> tuple[str, bool] | None:
    """What is typed of a name at the end of ``before``, and whether a filter's; None outside of expressions."""
    found = _TYPED.search(before)
    return (found[2], bool(found[1])) if found else None


def closing_for(suggestion: Suggestion, after: str) -> str:
    """The braces behind a name that is taken; none where more of it follows, or where ``after`` has them."""
    return "" if suggestion.text.endswith(".") or after.lstrip().startswith(("}}", "|")) else "}}"
