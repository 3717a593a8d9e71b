"""Keys that a widget handles itself, in place of the window's shortcuts."""

from __future__ import annotations

from PyQt5.QtCore import QEvent
from PyQt5.QtGui import QKeyEvent, QKeySequence


def claims(event: QEvent, *keys: QKeySequence.StandardKey) -> bool:
    """Accept a ShortcutOverride event for one of ``keys``. True if it was one. For ``QWidget.event``."""
    if event.type() == QEvent.ShortcutOverride and isinstance(event, QKeyEvent) and any(map(event.matches, keys)):
        event.accept()
        return True
    return False
