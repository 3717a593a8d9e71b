"""The faults that a message is sent with: a line for each, which can be off. They are edited in a dialog."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PyQt5.QtCore import QSize, Qt, pyqtSignal
from PyQt5.QtGui import QKeyEvent
from PyQt5.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from app.sending.faults import problems
from ui.faults.words import title_lines
from ui.forms.form import Words, Wrapped, sentence, title

Tables = Sequence[dict[str, Any]]

Edit = Callable[[str, Tables, QWidget, Callable[[Tables], object]], object]
"""Lets the user edit the faults of a message by this protocol; the last is called with those that are right."""


class _Lines(QListWidget):
    """The faults.

    Signals:
        removed(), opened(): the user wants the current one away, or edited.
    """

    removed = pyqtSignal()
    opened = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("surface", "panel")
        self.setAccessibleName(self.tr("Faults of this message"))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.ElideRight)
        self.itemDoubleClicked.connect(lambda _: self.opened.emit())

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 2 * self.fontMetrics().lineSpacing() + 12)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key_Delete:
            self.removed.emit()
        elif event.key() in (Qt.Key_Return, Qt.Key_Enter) and not event.modifiers():
            self.opened.emit()
        else:
            super().keyPressEvent(event)


class MessageFaults(QWidget):
    """Lines, and a button that opens the form.

    Attributes:
        lines, button: its parts.

    Signals:
        changed(): other faults, or others of them are on.
    """

    changed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self._tables: tuple[dict[str, Any], ...] = ()
        self._protocol = "tcp"
        self._edit: Edit | None = None
        self.lines = _Lines()
        self.words = Words()
        self.none = Wrapped(
            self.tr(
                "Faults show whether a server survives a bad client: cut or delay what is sent, reset "
                "the connection, or do not read the answer."
            )
        )
        self.none.setProperty("role", "dim")
        self.button = QPushButton()
        self.button.setAutoDefault(False)
        self.button.clicked.connect(self.open)
        self.lines.opened.connect(self.open)
        self.lines.removed.connect(self._remove)
        self.lines.itemChanged.connect(self._on_item)
        row = QHBoxLayout()
        row.addWidget(self.button)
        row.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 6, 0, 0)
        column.setSpacing(6)
        for part in (self.none, self.lines, self.words):
            column.addWidget(part, int(part is self.lines))
        column.addLayout(row)
        self._stretch = column
        column.addStretch(0)
        self._show()

    def edit_by(self, edit: Edit) -> None:
        """``edit`` shows the form of faults."""
        self._edit = edit

    @property
    def editable(self) -> bool:
        return self._edit is not None

    @property
    def tables(self) -> tuple[dict[str, Any], ...]:
        """As a workspace has them."""
        return self._tables

    def set_tables(self, tables: Tables) -> None:
        if tuple(tables) != self._tables:
            self._tables = tuple(tables)
            self._show()
            self.changed.emit()

    def check(self, protocol: str) -> bool:
        """Show what is wrong with them for a message by ``protocol``. Returns whether nothing is."""
        self._protocol = protocol
        wrong = next(problems(self._tables, protocol), None)
        said = ""
        if wrong is not None:
            what = f"{title(wrong.key)} {wrong.text}" if wrong.key and wrong.key != "kind" else wrong.text
            said = self.tr("Fault {number}: {what}").format(number=(wrong.table or 0) + 1, what=what)
        self.words.setVisible(bool(said))
        self.words.say(sentence(said) if said else "", "error")
        return wrong is None

    def open(self) -> None:
        """Show the form of all of them."""
        if self._edit is not None:
            self._edit(self._protocol, self._tables, self, self.set_tables)

    def _show(self) -> None:
        self.lines.blockSignals(True)
        at = self.lines.currentRow()
        self.lines.clear()
        for table in self._tables:
            name, does = title_lines({key: value for key, value in table.items() if key != "enabled"})
            words = does if does.partition(" ")[0] == name else f"{name}: {does}"
            item = QListWidgetItem(words)
            item.setFlags(item.flags() | Qt.ItemIsUserCheckable)
            item.setCheckState(Qt.Checked if table.get("enabled", True) else Qt.Unchecked)
            item.setToolTip(words)
            self.lines.addItem(item)
        if self._tables:
            self.lines.setCurrentRow(min(max(at, 0), len(self._tables) - 1))
        self.lines.blockSignals(False)
        self.lines.setVisible(bool(self._tables))
        self.none.setVisible(not self._tables)
        self.button.setText(self.tr("Edit faults…") if self._tables else self.tr("Add a fault…"))
        self._stretch.setStretch(self._stretch.count() - 1, int(not self._tables))

    def _on_item(self, item: QListWidgetItem) -> None:
        at, on = self.lines.row(item), item.checkState() == Qt.Checked
        tables = [dict(table) for table in self._tables]
        tables[at].pop("enabled", None)
        if not on:
            tables[at]["enabled"] = False
        self._tables = tuple(tables)
        self.changed.emit()

    def _remove(self) -> None:
        at = self.lines.currentRow()
        if at >= 0:
            self.set_tables([table for number, table in enumerate(self._tables) if number != at])
            (self.lines if self._tables else self.button).setFocus(Qt.OtherFocusReason)
