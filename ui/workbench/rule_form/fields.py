"""Rows of a form: a label, editors of one or two options, and below them what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QLineEdit, QSizePolicy, QToolButton, QWidget

from app.options import Option
from ui.forms.form import Words, sentence, set_property, title
from ui.forms.registry import editor_for
from ui.looks.declared import in_words
from ui.parts.close_button import close_button
from ui.parts.labels import plain
from ui.workbench.rule_form.arrangement import Row, translated
from ui.workbench.rule_form.editors import EDITORS

LEAST = 11
"""Characters of a text for which there is always room."""


class FieldRow(QWidget):
    """One row. Its editors stand side by side.

    Attributes:
        label: at the left; its width is set by the form, so that all editors begin at the same place.

    Signals:
        changed(str): the option of that name was edited.
        cleared(): the user takes the row away.
    """

    changed = pyqtSignal(str)
    cleared = pyqtSignal()

    def __init__(
        self, row: Row, options: Mapping[str, Option], values: Mapping[str, Any], *, can_be_cleared: bool = False
    ) -> None:
        super().__init__()
        self._options = {name: options[name] for name in row.names}
        self.label = QLabel(translated(row.label) if row.label else title(row.names[0]))
        self.label.setProperty("role", "dim")
        self.editors: dict[str, Any] = {}
        self._beside: dict[str, list[QLabel]] = {}
        line = QHBoxLayout()
        line.setSpacing(8)
        for at, (name, option) in enumerate(self._options.items()):
            self._add(line, row, at, option, values.get(name, option.default))
        if not any(map(_stretches, self.editors.values())):
            line.addStretch(1)
        if can_be_cleared:
            line.addWidget(self._clear_button(), 0, Qt.AlignTop)
        self._words = Words()
        self._words.setMinimumHeight(0)
        self._words.hide()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        tall = any(hasattr(editor, "document") for editor in self.editors.values())
        grid.addWidget(self.label, 0, 0, Qt.AlignTop if tall else Qt.AlignVCenter)
        if tall:
            self.label.setContentsMargins(0, 7, 0, 0)
        grid.addLayout(line, 0, 1)
        grid.addWidget(self._words, 1, 1)

    def _add(self, line: QHBoxLayout, row: Row, at: int, option: Option, value: Any) -> None:
        special = EDITORS.get(row.editor) if at == 0 else None
        editor = special(option, value) if special else editor_for(option, value)
        around: list[QLabel] = []
        if at and row.between:
            around.append(QLabel(translated(row.between)))
        if option.unit:
            around.append(QLabel(in_words(option.unit)))
        for word in around:
            word.setProperty("role", "dim")
        if at and row.between:
            line.addWidget(around[0])
        if option.type in (int, float) and special is None:
            editor.setMaximumWidth(editor.fontMetrics().horizontalAdvance("0") * 12 + 24)
            editor.setSizePolicy(QSizePolicy.Preferred, QSizePolicy.Fixed)
        if option.type is str and isinstance(editor, QLineEdit):
            editor.home(False)  # what does not fit is cut at its end
            editor.setMinimumWidth(editor.fontMetrics().horizontalAdvance("0") * LEAST)
        line.addWidget(editor, int(_stretches(editor)))
        if option.unit:
            line.addWidget(around[-1])
        if row.hint and hasattr(editor, "setPlaceholderText") and (at == 0 or option.type is str):
            editor.setPlaceholderText(translated(row.hint))
        editor.setToolTip(plain(in_words(option.help)))
        name = self.label.text() if at == 0 and len(row.names) == 1 else title(option.name)
        editor.setAccessibleName(name)
        if at == 0:
            self.label.setBuddy(editor)
            self.label.setToolTip(plain(in_words(option.help)))
        editor.changed.connect(lambda: self.changed.emit(option.name))
        self.editors[option.name] = editor
        self._beside[option.name] = around

    def _clear_button(self) -> QToolButton:
        button = close_button(self.tr("Leave out {option}").format(option=self.label.text()))
        button.clicked.connect(self.cleared)
        return button

    # -- values

    def values(self) -> dict[str, Any]:
        return {name: editor.value() for name, editor in self.editors.items()}

    def is_set(self) -> bool:
        """Whether a value differs from its default."""
        return any(value != self._options[name].default for name, value in self.values().items())

    def tell(self, problems: Mapping[str, str], hints: Mapping[str, str] = MappingProxyType({})) -> None:
        """Show what is wrong with the options of this row, by name; else what is probably not meant."""
        several = len(self.editors) > 1
        found = problems if not problems.keys().isdisjoint(self.editors) else hints
        told = {name: found[name] for name in self.editors if name in found}
        wrong = [sentence(f"{title(name)} {text}" if several else text) for name, text in told.items()]
        for name, editor in self.editors.items():
            set_property(editor, "invalid", name in problems)
            editor.setAccessibleDescription(problems.get(name, self._options[name].help))
        text = " ".join(wrong)
        if text != self._words.text() or self._words.isHidden() == bool(text):
            self._words.setVisible(bool(text))
            self._words.say(text, "error" if found is problems else "warning")

    def focus(self, name: str = "") -> None:
        """Give the keyboard to the editor of that option, or to the first one."""
        editor = self.editors.get(name) or next(iter(self.editors.values()))
        editor.setFocus(Qt.OtherFocusReason)
        if isinstance(editor, QLineEdit):
            editor.selectAll()

    def show_what_matters(self, values: Mapping[str, Any]) -> None:
        """Hide an editor that other ``values`` of the form make irrelevant, and the row where all are."""
        shown = {name: o.matters(values) or values[name] != o.default for name, o in self._options.items()}
        for name, matters in shown.items():
            for widget in (self.editors[name], *self._beside[name]):
                widget.setVisible(matters)
        self.setVisible(any(shown.values()))


def _stretches(editor: QWidget) -> bool:
    return bool(editor.sizePolicy().expandingDirections() & Qt.Horizontal)
