"""Copying to the clipboard: every window says in its status line what was copied."""

from __future__ import annotations

from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtGui import QGuiApplication
from PyQt5.QtWidgets import QStatusBar

SHOWN = 4000
"""Milliseconds for which a status line says it."""


class Copies(QObject):
    """What was copied in any window.

    Signals:
        copied: what it was, in words for the user.
    """

    copied = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__()
        self._last: str | None = None
        self._listening = False

    def listen(self) -> None:
        """Notice also what views of text copy by themselves."""
        clipboard = QGuiApplication.clipboard()
        if not self._listening and clipboard is not None:
            self._listening = True
            clipboard.dataChanged.connect(self._on_changed)

    def copy(self, text: str, words: str) -> None:
        """Put ``text`` on the clipboard, and say ``words``."""
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            self._last = text
            clipboard.setText(text)
            self.copied.emit(words)

    def _on_changed(self) -> None:
        clipboard = QGuiApplication.clipboard()
        # While a window of ours has the keyboard, no other program copies.
        if clipboard is None or QGuiApplication.focusWindow() is None or clipboard.text() == self._last:
            return
        self._last = None
        self.copied.emit(self.tr("Copied"))


copies = Copies()


def copy(text: str, words: str) -> None:
    """Put ``text`` on the clipboard, and have the windows say ``words``: what it is."""
    copies.copy(text, words)


def tell_in(status: QStatusBar) -> None:
    """Say in this status line what is copied."""
    copies.listen()
    copies.copied.connect(Told(status).say)


class Told(QObject):
    """Says in one status line what is copied; it goes with the status line."""

    def __init__(self, status: QStatusBar) -> None:
        super().__init__(status)
        self._status = status

    def say(self, words: str) -> None:
        self._status.showMessage(words, SHOWN)
