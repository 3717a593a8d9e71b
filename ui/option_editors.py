"""Editors of single options, by type: each has ``value()`` and says ``changed``."""

from __future__ import annotations

from typing import Any

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QLineEdit,
    QPlainTextEdit,
    QSizePolicy,
    QStyledItemDelegate,
    QWidget,
)

from app.options import Option
from ui.icons import icon

LINES = 3
"""Lines that a list shows before it scrolls."""


class Switch(QCheckBox):
    """An option that is on or off."""

    changed = pyqtSignal()

    def __init__(self, option: Option, value: Any) -> None:
        super().__init__("on")
        self.setChecked(bool(value))
        self.setAccessibleName(option.name.replace("_", " "))
        self.toggled.connect(lambda _: self.changed.emit())

    def value(self) -> bool:
        return self.isChecked()


class Lines(QPlainTextEdit):
    """A list of texts, one in each line."""

    changed = pyqtSignal()

    def __init__(self, option: Option, value: Any) -> None:
        super().__init__("\n".join(str(item) for item in value))
        self.setProperty("role", "mono")
        self.setTabChangesFocus(True)
        self.setLineWrapMode(QPlainTextEdit.NoWrap)
        self.setFixedHeight(self.fontMetrics().lineSpacing() * LINES + 20)
        self.textChanged.connect(self.changed)

    def value(self) -> list[str]:
        return [line for line in self.toPlainText().split("\n") if line.strip()]


class Text(QLineEdit):
    """A text or a number; one that is to be a number and is none stays text, for the check to find."""

    changed = pyqtSignal()

    def __init__(self, option: Option, value: Any) -> None:
        super().__init__(str(value))
        self._type = option.type
        self.setProperty("role", "mono")
        if option.secret:
            self.setEchoMode(QLineEdit.PasswordEchoOnEdit)
        if option.path:
            self._offer(option)
        if option.type is not str:
            self.setSizePolicy(QSizePolicy.Preferred, QSizePolicy.Fixed)
        self.textChanged.connect(lambda _: self.changed.emit())

    def value(self) -> Any:
        text = self.text()
        if self._type is str:
            return text
        try:
            return int(text) if self._type is int else float(text)
        except ValueError:
            return text

    def _offer(self, option: Option) -> None:
        words = self.tr("Choose a folder…") if option.path == "folder" else self.tr("Choose a file…")
        action = self.addAction(icon("folder-open"), QLineEdit.TrailingPosition)
        action.setToolTip(words)
        action.triggered.connect(lambda: self._choose(option.path, words))

    def _choose(self, kind: str, words: str) -> None:
        if kind == "folder":
            chosen = QFileDialog.getExistingDirectory(self, words, self.text())
        else:
            chosen, _ = QFileDialog.getOpenFileName(self, words, self.text())
        if chosen:
            self.setText(chosen)


class Choice(QComboBox):
    """One of a few texts."""

    changed = pyqtSignal()

    def __init__(self, option: Option, value: Any) -> None:
        super().__init__()
        self.setItemDelegate(QStyledItemDelegate(self))
        for choice in option.choices:
            self.addItem(choice or self.tr("none"), choice)
        if value not in option.choices:
            self.addItem(str(value), value)  # for the check to find
        self.setCurrentIndex(self.findData(value))
        self.setSizePolicy(QSizePolicy.Preferred, QSizePolicy.Fixed)
        self.currentIndexChanged.connect(lambda _: self.changed.emit())

    def value(self) -> str:
        return str(self.currentData())


def editor_for(option: Option, value: Any) -> Any:
    """The editor that fits the option's type, holding ``value``."""
    if option.of:
        from ui.table_editor import TableEditor

        return TableEditor(option, value)
    if option.choices:
        return Choice(option, value)
    kind: type[QWidget] = {bool: Switch, list: Lines}.get(option.type, Text)
    return kind(option, value)  # type: ignore[arg-type]
