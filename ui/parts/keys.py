"""Keys that a widget wants for itself, before the window's shortcuts get them."""

from __future__ import annotations

from PyQt5.QtCore import QEvent
from PyQt5.QtGui import QKeyEvent, QKeySequence


def claims(event: QEvent, *keys: QKeySequence.StandardKey) -> bool:
    """Whether Qt asks if one of ``keys`` is the widget's own; accepts it then. For ``QWidget.event``."""
    if event.type() == QEvent.ShortcutOverride and isinstance(event, QKeyEvent) and any(map(event.matches, keys)):
        event.accept()
        return True
    return False
