"""Completions below a field of one line."""

from __future__ import annotations

from collections.abc import Iterable

from PyQt5.QtCore import QObject, QStringListModel, Qt
from PyQt5.QtWidgets import QCompleter

_NOTHING = "\0"
"""Is in no completion."""


class Offers(QCompleter):
    """Offers texts that contain what is typed; none once it is typed out.

    An open list takes the next click for itself: beneath a field that is complete, it would keep the click from the
    button or the field that comes next.
    """

    def __init__(self, texts: Iterable[str], parent: QObject) -> None:
        super().__init__(parent)
        self._texts = QStringListModel(self)
        self.setModel(self._texts)
        self.setFilterMode(Qt.MatchContains)
        self.setCaseSensitivity(Qt.CaseInsensitive)
        self.offer(texts)

    def offer(self, texts: Iterable[str]) -> None:
        """Offer these from now on."""
        self._texts.setStringList(list(texts))

    def texts(self) -> list[str]:
        """All that is offered, whatever is typed."""
        return self._texts.stringList()

    def splitPath(self, typed: str) -> list[str]:
        """What completions must contain."""
        left = [text for text in self.texts() if typed.lower() in text.lower()]
        return [_NOTHING] if len(left) == 1 and len(left[0]) == len(typed) else [typed]
