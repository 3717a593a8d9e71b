"""Fields of a form: a line of words beneath each says what it is for, or what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QSizePolicy,
    QStyle,
    QVBoxLayout,
    QWidget,
)

from app.options import Option, problems


class Words(QLabel):
    """The line beneath a field: help, a warning, or a problem. It keeps its room when it is empty."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setTextFormat(Qt.PlainText)
        self.setProperty("role", "dim")

    def say(self, text: str, role: str = "dim") -> None:
        """``role`` is one of the stylesheet's: ``dim``, ``warning`` or ``error``."""
        self.setText(text)
        set_property(self, "role", role)


class Form(QGridLayout):
    """Rows of a label, one or more editors, and their words beneath."""

    def __init__(self) -> None:
        super().__init__()
        self.setContentsMargins(0, 0, 0, 0)
        self.setHorizontalSpacing(16)
        self.setVerticalSpacing(4)
        self.setColumnStretch(1, 1)
        self._labels: list[QLabel] = []

    def align(self, other: Form) -> None:
        """Give the labels of both forms the same room, so that they stand as one."""
        width = max(label.sizeHint().width() for label in (*self._labels, *other._labels))
        for form in (self, other):
            form.setColumnMinimumWidth(0, width)

    def add(self, label: str, *editors: QWidget) -> Words:
        """Add a row; the first editor takes the label's mnemonic and the room there is."""
        row = self.rowCount()
        name = QLabel(label)
        name.setBuddy(editors[0])
        line = QHBoxLayout()
        line.setSpacing(8)
        for index, editor in enumerate(editors):
            line.addWidget(editor, int(index == 0))
            if not editor.accessibleName():
                editor.setAccessibleName(label.replace("&", ""))
        words = Words()
        words.setContentsMargins(0, 0, 0, 8)
        words.setAlignment(Qt.AlignTop)
        words.setMinimumHeight(words.fontMetrics().height() + 8)
        self._labels.append(name)
        self.addWidget(name, row, 0)
        self.addLayout(line, row, 1)
        self.addWidget(words, row + 1, 1)
        return words


class OptionForm(QWidget):
    """Declared options, each with an editor that fits its type.

    Signals:
        changed(): one of them was edited.
    """

    changed = pyqtSignal()

    def __init__(self, declared: tuple[Option, ...], given: Mapping[str, Any], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._options = declared
        self._given = dict(given)
        self.form = Form()
        self.setLayout(self.form)
        self._rows = {option.name: self._add(option) for option in self._options}
        self.check()

    def options(self) -> dict[str, Any]:
        """What is set here and differs from the defaults, or was given before. Maybe with problems."""
        values = {option.name: _value(option, self._rows[option.name][0]) for option in self._options}
        return {
            option.name: values[option.name]
            for option in self._options
            if option.name in self._given or values[option.name] != option.default
        }

    def check(self) -> bool:
        """Say what is wrong beneath each option; whether nothing is."""
        wrong = dict(problems(self._options, self.options()))
        for option in self._options:
            editor, words = self._rows[option.name]
            problem = wrong.get(option.name)
            tell(editor, words, problem and sentence(problem), _help(option))
        return not wrong

    def _add(self, option: Option) -> tuple[QWidget, Words]:
        editor = _editor(option, self._given.get(option.name, option.default))
        if isinstance(editor, QCheckBox):
            editor.toggled.connect(self.changed)
        elif isinstance(editor, QLineEdit | QPlainTextEdit):
            editor.textChanged.connect(self.changed)
        more = [QLabel(option.unit)] if option.unit else []
        return editor, self.form.add(option.name.replace("_", " ").capitalize(), editor, *more)


def _help(option: Option) -> str:
    return f"{option.help}; one in each line" if option.type is list else option.help


def _editor(option: Option, value: Any) -> QWidget:
    if option.type is bool:
        box = QCheckBox("on")
        box.setChecked(bool(value))
        box.setAccessibleName(option.name.replace("_", " "))
        return box
    if option.type is list:
        lines = QPlainTextEdit("\n".join(value))
        lines.setProperty("role", "mono")
        lines.setTabChangesFocus(True)
        lines.setFixedHeight(lines.fontMetrics().lineSpacing() * 3 + 20)
        return lines
    text = QLineEdit(str(value))
    text.setProperty("role", "mono")
    if option.type is not str:
        text.setSizePolicy(QSizePolicy.Preferred, QSizePolicy.Fixed)
    return text


def _value(option: Option, editor: QWidget) -> Any:
    """What the editor holds; text that is no number stays text, for the check to find."""
    if isinstance(editor, QCheckBox):
        return editor.isChecked()
    if isinstance(editor, QPlainTextEdit):
        return [line for line in editor.toPlainText().split("\n") if line.strip()]
    assert isinstance(editor, QLineEdit)
    text = editor.text()
    if option.type is str:
        return text
    try:
        return int(text) if option.type is int else float(text)
    except ValueError:
        return text


def tell(editor: QWidget, words: Words, problem: str | None, otherwise: str = "") -> None:
    """Show a problem beneath an editor and on its frame; without one, other words."""
    words.say(problem or otherwise, "error" if problem else "dim")
    set_property(editor, "invalid", problem is not None)
    editor.setAccessibleDescription(problem or otherwise)


def sentence(text: str) -> str:
    """With a capital at its beginning and a full stop at its end."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def set_property(widget: QWidget, name: str, value: object) -> None:
    """Set a property that the stylesheet looks at, and have it look again."""
    if widget.property(name) == value:
        return
    widget.setProperty(name, value)
    style: QStyle = widget.style()
    style.unpolish(widget)
    style.polish(widget)


def column(*items: QWidget | Form) -> QVBoxLayout:
    """Items one above the other, without margins of their own."""
    layout = QVBoxLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    for item in items:
        if isinstance(item, QWidget):
            layout.addWidget(item)
        else:
            layout.addLayout(item)
    return layout
