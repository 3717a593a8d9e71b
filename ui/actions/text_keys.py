"""Keeps the keys of text editing with the text that has the keyboard, and what destroys away from it.

Return presses the button that has the keyboard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PyQt5.QtCore import QEvent, QObject, Qt
from PyQt5.QtGui import QKeyEvent, QKeySequence
from PyQt5.QtWidgets import (
    QAbstractSpinBox,
    QAction,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QTextEdit,
    QToolButton,
    QWidget,
)

STANDARD = (
    QKeySequence.Undo, QKeySequence.Redo, QKeySequence.Cut, QKeySequence.Copy, QKeySequence.Paste,
    QKeySequence.SelectAll, QKeySequence.Deselect,
    QKeySequence.Delete, QKeySequence.Backspace, QKeySequence.DeleteStartOfWord, QKeySequence.DeleteEndOfWord,
    QKeySequence.DeleteEndOfLine, QKeySequence.DeleteCompleteLine,
    QKeySequence.InsertParagraphSeparator, QKeySequence.InsertLineSeparator,
    QKeySequence.MoveToNextChar, QKeySequence.MoveToPreviousChar,
    QKeySequence.MoveToNextWord, QKeySequence.MoveToPreviousWord,
    QKeySequence.MoveToNextLine, QKeySequence.MoveToPreviousLine,
    QKeySequence.MoveToNextPage, QKeySequence.MoveToPreviousPage,
    QKeySequence.MoveToStartOfLine, QKeySequence.MoveToEndOfLine,
    QKeySequence.MoveToStartOfBlock, QKeySequence.MoveToEndOfBlock,
    QKeySequence.MoveToStartOfDocument, QKeySequence.MoveToEndOfDocument,
    QKeySequence.SelectNextChar, QKeySequence.SelectPreviousChar,
    QKeySequence.SelectNextWord, QKeySequence.SelectPreviousWord,
    QKeySequence.SelectNextLine, QKeySequence.SelectPreviousLine,
    QKeySequence.SelectNextPage, QKeySequence.SelectPreviousPage,
    QKeySequence.SelectStartOfLine, QKeySequence.SelectEndOfLine,
    QKeySequence.SelectStartOfBlock, QKeySequence.SelectEndOfBlock,
    QKeySequence.SelectStartOfDocument, QKeySequence.SelectEndOfDocument,
)  # fmt: skip
"""What Qt's texts do, by the keys that the platform has for it: Ctrl+E is the end of the line on Linux alone."""

READING = (QKeySequence.Copy, QKeySequence.SelectAll, QKeySequence.Deselect)
"""What a text that can only be read does, too: its words are copied, not the rows of a pane."""

MORE = tuple(
    map(
        QKeySequence,
        (
            "Ctrl+Backspace", "Ctrl+Del", "Ctrl+Shift+Backspace", "Ctrl+Shift+Del", "Alt+Backspace", "Alt+Del",
            "Ctrl+Y", "Ctrl+Shift+Z",
            "Ctrl+H", "Ctrl+B", "Ctrl+D", "Ctrl+E", "Ctrl+U",  # in shells
            "Ctrl+Return", "Ctrl+Enter", "Ctrl+Shift+Return", "Ctrl+Shift+Enter",  # what forms send by
        ),
    )
)  # fmt: skip
"""Keys that hands know from other texts. Where Qt does nothing with one, nothing happens, and nothing else does."""


class TextKeys(QObject):
    """For one window: no shortcut takes a key of editing from a text, and none destroys while a text has the keyboard.

    Qt asks the widget that has the keyboard, and then those it stands in up to the window, whether they want a key
    themselves, before any shortcut gets it (ShortcutOverride).
    """

    def __init__(self, window: QWidget, destroying: Iterable[QAction]) -> None:
        super().__init__(window)
        self._destroying = [keys for action in destroying for keys in action.shortcuts()]
        self._kept: list[tuple[QAction, QWidget, Callable[[], object]]] = []
        self._said: list[tuple[QAction, Callable[[], object]]] = []
        window.installEventFilter(self)

    def keep(self, action: QAction, target: QWidget, elsewhere: Callable[[], object]) -> None:
        """Let the shortcut work only while ``target`` has the keyboard: what it would take away is shown there.

        ``elsewhere()`` is called when it is pressed with the keyboard in another place.
        """
        self._kept.append((action, target, elsewhere))

    def say_why(self, action: QAction, say: Callable[[], object]) -> None:
        """Call ``say()`` when the shortcut is pressed while the action is disabled: Qt does nothing then."""
        self._said.append((action, say))

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if not isinstance(event, QKeyEvent):
            return False
        if event.type() == QEvent.KeyPress:
            return _press(event)
        if event.type() != QEvent.ShortcutOverride:
            return False
        focus = QApplication.focusWidget()
        keys = _keys(event)
        if not _is_text(focus):
            return self._is_elsewhere(event, keys, focus) or self._is_disabled(event, keys)
        editable = _is_editable(focus)
        of_text = any(map(event.matches, STANDARD if editable else READING)) or (editable and keys in MORE)
        if keys in self._destroying or of_text:
            event.accept()
            return True
        return self._is_disabled(event, keys)

    def _is_disabled(self, event: QKeyEvent, keys: QKeySequence) -> bool:
        for action, say in self._said:
            if not action.isEnabled() and keys in action.shortcuts():
                event.accept()
                say()
                return True
        return False

    def _is_elsewhere(self, event: QKeyEvent, keys: QKeySequence, focus: QWidget | None) -> bool:
        for action, target, elsewhere in self._kept:
            if action.isEnabled() and keys in action.shortcuts() and focus is not target:
                event.accept()
                elsewhere()
                return True
        return False


def _press(event: QKeyEvent) -> bool:
    """Press the button that has the keyboard by Return, which nothing on the way up to the window wanted."""
    button = QApplication.focusWidget()
    if event.key() not in (Qt.Key_Return, Qt.Key_Enter) or event.modifiers() & ~Qt.KeypadModifier:
        return False
    if not isinstance(button, QPushButton | QToolButton) or event.isAutoRepeat():
        return False
    if isinstance(button, QToolButton) and button.popupMode() == QToolButton.InstantPopup:
        button.showMenu()
    else:
        button.click()
    return True


def _keys(event: QKeyEvent) -> QKeySequence:
    return QKeySequence(int(event.modifiers() & ~Qt.KeypadModifier) | event.key())


def _is_text(widget: QWidget | None) -> bool:
    """Whether a text has the keyboard. A combo box and a number field have it in place of the line in them."""
    if isinstance(widget, QComboBox):
        return widget.isEditable()
    return isinstance(widget, QLineEdit | QTextEdit | QPlainTextEdit | QAbstractSpinBox)


def _is_editable(widget: QWidget | None) -> bool:
    return isinstance(widget, QComboBox) or not getattr(widget, "isReadOnly", lambda: True)()
