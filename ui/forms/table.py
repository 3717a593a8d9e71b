"""An editor for a list of tables, such as rules: one row for each table, and a form for the selected one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from PyQt5.QtCore import QCoreApplication, QSize, Qt, pyqtSignal
from PyQt5.QtWidgets import QAbstractItemView, QHBoxLayout, QLabel, QListWidget, QToolButton, QVBoxLayout, QWidget

from app.options import Option, problems
from ui.forms.form import OptionForm, tab_through, title
from ui.forms.registry import edits
from ui.looks.icons import icon

ROWS = 5
"""Rows that are visible without scrolling."""

MOST = 60
"""Characters of a value that a row shows at most."""


@edits("table")
class TableEditor(QWidget):
    """A list of tables. Their order matters: often the first table that matches is used.

    Signals:
        changed(): a table was edited, added, removed or moved, or another one was selected.
    """

    changed = pyqtSignal()

    def __init__(self, option: Option, tables: list[dict[str, Any]]) -> None:
        super().__init__()
        self._declared = option.of
        self._tables = [dict(table) for table in tables]
        self._form: OptionForm | None = None
        self.list = QListWidget()
        self.list.setProperty("role", "mono")
        self.list.setProperty("surface", "field")
        self.list.setSelectionMode(QAbstractItemView.SingleSelection)
        self.list.setAccessibleName(option.name.replace("_", " "))
        self.list.setFixedHeight(self.list.fontMetrics().lineSpacing() * ROWS + 60)
        self.list.setTextElideMode(Qt.ElideRight)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self._empty = QLabel(self.tr("No entries yet."))
        self._empty.setProperty("role", "dim")
        self._empty.setContentsMargins(0, 0, 0, 8)
        self._lay_out()
        self._fill(0)
        self.list.currentRowChanged.connect(self._on_row)
        self._show(self.list.currentRow())

    def value(self) -> list[dict[str, Any]]:
        return [dict(table) for table in self._tables]

    def in_words(self, problem: str) -> str:
        """``problem`` with option names as the form shows them.

        A problem of the selected table is shown in its form already, so this only refers to it.
        """
        row, key = next(self._wrong(), (-1, ""))
        names = [option.name for option in self._declared]
        if row == self.list.currentRow() and key in names:
            return QCoreApplication.translate("TableEditor", "number {row}: see {option} below").format(
                row=row + 1, option=title(key)
            )
        for name in filter(lambda name: "_" in name, names):  # a name without an underscore could be an ordinary word
            problem = re.sub(rf"\b{name}\b", title(name), problem)
        return problem

    def _wrong(self) -> Iterator[tuple[int, str]]:
        """Row and key of each option whose value is wrong on its own."""
        for row, table in enumerate(self._tables):
            yield from ((row, key) for key, _ in problems(self._declared, table))

    # -- layout

    def _lay_out(self) -> None:
        buttons = QVBoxLayout()
        buttons.setSpacing(2)
        self._buttons = {
            name: self._button(name, picture, words)
            for name, picture, words in (
                ("add", "plus", self.tr("Add an entry")),
                ("copy", "duplicate", self.tr("Add a copy of this entry")),
                ("remove", "trash", self.tr("Remove this entry")),
                ("up", "chevron-up", self.tr("Move this entry up")),
                ("down", "chevron-down", self.tr("Move this entry down")),
            )
        }
        for button in self._buttons.values():
            buttons.addWidget(button)
        buttons.addStretch()
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self.list, 1)
        top.addLayout(buttons)
        self._below = QVBoxLayout()
        self._below.setContentsMargins(12, 8, 0, 0)
        self._below.addWidget(self._empty)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(top)
        whole.addLayout(self._below)

    def _button(self, name: str, picture: str, words: str) -> QToolButton:
        button = QToolButton()
        button.setIcon(icon(picture))
        button.setIconSize(QSize(14, 14))
        button.setToolTip(words)
        button.setAccessibleName(words)
        button.clicked.connect(getattr(self, f"_{name}"))
        return button

    # -- buttons

    def _add(self) -> None:
        self._insert({})

    def _copy(self) -> None:
        self._insert(dict(self._tables[self.list.currentRow()]))

    def _insert(self, table: dict[str, Any]) -> None:
        row = self.list.currentRow() + 1
        self._tables.insert(row, table)
        self._after(row)

    def _remove(self) -> None:
        row = self.list.currentRow()
        del self._tables[row]
        self._after(min(row, len(self._tables) - 1))

    def _up(self) -> None:
        self._move(-1)

    def _down(self) -> None:
        self._move(1)

    def _move(self, by: int) -> None:
        row = self.list.currentRow()
        self._tables.insert(row + by, self._tables.pop(row))
        self._after(row + by)

    def _after(self, row: int) -> None:
        self._fill(row)
        self._show(row)
        self.changed.emit()

    # -- rows and form

    def _fill(self, row: int) -> None:
        self.list.blockSignals(True)
        self.list.clear()
        for number, table in enumerate(self._tables, 1):
            self.list.addItem(f"{number}  {self._words(table)}")
        self.list.setCurrentRow(row)
        self.list.blockSignals(False)

    def _words(self, table: dict[str, Any]) -> str:
        """The value of the first option, then the values that differ from their defaults."""
        first = self._declared[0]
        words = [_brief(str(table.get(first.name, first.default)))]
        for option in self._declared[1:]:
            value = table.get(option.name, option.default)
            if value == option.default:
                continue
            if isinstance(value, bool):
                words.append(
                    option.name
                    if value
                    else QCoreApplication.translate("TableEditor", "not {option}").format(option=option.name)
                )
            else:
                shown = _brief("; ".join(map(str, value)) if isinstance(value, list) else str(value))
                words.append(shown if option.type in (str, list) else f"{option.name} {shown}")
        return "   ".join(word for word in words if word)

    def _on_row(self, row: int) -> None:
        self._show(row)
        self.changed.emit()

    def _show(self, row: int) -> None:
        if self._form is not None:
            self._form.hide()
            self._form.deleteLater()
            self._form = None
        there = 0 <= row < len(self._tables)
        self._empty.setVisible(not there)
        self._buttons["copy"].setEnabled(there)
        self._buttons["remove"].setEnabled(there)
        self._buttons["up"].setEnabled(there and row > 0)
        self._buttons["down"].setEnabled(there and row < len(self._tables) - 1)
        if there:
            self._form = OptionForm(self._declared, self._tables[row])
            self._form.changed.connect(lambda: self._on_edit(row))
            self._below.addWidget(self._form)
            tab_through(self)

    def _on_edit(self, row: int) -> None:
        assert self._form is not None
        self._tables[row] = self._form.options()
        self._form.check()
        item = self.list.item(row)
        if item is not None:
            item.setText(f"{row + 1}  {self._words(self._tables[row])}")
        self.changed.emit()


def _brief(text: str) -> str:
    """``text`` on one line, cut to the width of a row."""
    line = " ".join(text[: 4 * MOST].split())
    return line if len(line) <= MOST and len(text) <= 4 * MOST else line[: MOST - 1] + "…"
