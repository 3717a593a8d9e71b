"""Rows of a name and a value that are typed in place: headers, the parts of a form, variables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from PyQt5.QtCore import QModelIndex, QPoint, Qt, pyqtSignal
from PyQt5.QtGui import QFocusEvent, QIcon, QKeyEvent, QKeySequence, QPalette, QResizeEvent
from PyQt5.QtWidgets import (
    QAbstractItemDelegate,
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QLineEdit,
    QMenu,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from app.sending.contents import OFF
from ui.looks.icons import icon
from ui.parts import copying
from ui.parts.offers import Offers

ON, NAME, VALUE, REMOVE = range(4)
"""The columns."""

MAX_ROWS = 500
"""Rows that can be typed or pasted."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row. ``on``: whether it is sent."""

    name: str
    value: str
    on: bool = True


class Rows(QTableWidget):
    """A table that always ends with an empty row, which becomes a real one when something is typed into it.

    Enter goes on to the next cell. Several lines that are pasted become rows. Delete removes the selected rows.

    Signals:
        changed(): a row was edited, added, removed, or switched on or off.
    """

    changed = pyqtSignal()

    def __init__(self, separator: str, *, switched: bool = True, parent: QWidget | None = None) -> None:
        """
        Args:
            separator: what stands between name and value in pasted lines.
            switched: whether rows can be switched off.
        """
        super().__init__(0, 4, parent)
        self._separator, self._switched = separator, switched
        self._names: tuple[str, ...] = ()
        self._values: Mapping[str, Sequence[str]] = {}
        self._quiet = False
        self.titles = {NAME: self.tr("Name"), VALUE: self.tr("Value")}
        self.horizontalHeader().hide()
        self.setColumnHidden(ON, not switched)
        header = self.horizontalHeader()
        header.setMinimumSectionSize(20)
        for column, width in ((ON, 30), (REMOVE, 30)):
            header.setSectionResizeMode(column, QHeaderView.Fixed)
            header.resizeSection(column, width)
        header.setSectionResizeMode(NAME, QHeaderView.Fixed)
        header.setSectionResizeMode(VALUE, QHeaderView.Stretch)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().lineSpacing() + 10)
        self.setShowGrid(False)
        self.setProperty("role", "mono")
        self.setTabKeyNavigation(False)
        self.setSelectionMode(QAbstractItemView.ExtendedSelection)
        self.setEditTriggers(QTableWidget.AnyKeyPressed | QTableWidget.EditKeyPressed | QTableWidget.DoubleClicked)
        self.setItemDelegate(_Delegate(self))
        self.setContextMenuPolicy(Qt.CustomContextMenu)
        self.customContextMenuRequested.connect(self._menu)
        self.cellClicked.connect(self._on_clicked)
        self.cellChanged.connect(self._on_changed)
        self.set_rows(())

    def complete(self, names: Iterable[str], values: Mapping[str, Sequence[str]] | None = None) -> None:
        """Offer these names, and for a name in small letters these values, while the user types."""
        self._names, self._values = tuple(names), values or {}

    # -- the rows

    def rows(self) -> list[Row]:
        """The rows that hold something."""
        found = (self._row(row) for row in range(self.rowCount()))
        return [row for row in found if row.name or row.value]

    def set_rows(self, rows: Iterable[Row]) -> None:
        """Replace all rows."""
        self._quiet = True
        self.setRowCount(0)
        for row in [*rows][:MAX_ROWS]:
            self._append(row)
        self._append(Row("", ""))
        self._quiet = False
        self.changed.emit()

    def lines(self) -> list[str]:
        """A line for each row; one that is off begins with ``OFF``."""
        space = " " if self._separator == ":" else ""
        return [f"{'' if row.on else OFF}{row.name}{self._separator}{space}{row.value}" for row in self.rows()]

    def set_lines(self, lines: Iterable[str]) -> None:
        """Replace all rows by those that ``lines`` gives."""
        self.set_rows(self._of_lines(lines))

    def _of_lines(self, lines: Iterable[str]) -> list[Row]:
        found = []
        for line in lines:
            if line.strip():
                name, _, value = line.removeprefix(OFF).partition(self._separator)
                if self._separator == ":":
                    name, value = name.strip(), value.strip()
                found.append(Row(name, value, not line.startswith(OFF)))
        return found

    def _row(self, row: int) -> Row:
        on, name, value = (self.item(row, column) for column in (ON, NAME, VALUE))
        assert on is not None
        assert name is not None
        assert value is not None
        return Row(name.text(), value.text(), on.checkState() == Qt.Checked)

    def _append(self, row: Row, at: int = -1) -> None:
        at = self.rowCount() if at < 0 else at
        self.insertRow(at)
        on, name, value, remove = (QTableWidgetItem(text) for text in ("", row.name, row.value, ""))
        on.setFlags(Qt.ItemIsEnabled | Qt.ItemIsUserCheckable)
        on.setCheckState(Qt.Checked if row.on else Qt.Unchecked)
        on.setToolTip(self.tr("Send this row"))
        remove.setFlags(Qt.ItemIsEnabled)
        for column, item in ((ON, on), (NAME, name), (VALUE, value), (REMOVE, remove)):
            self.setItem(at, column, item)
        self._dress(at)

    def _dress(self, row: int) -> None:
        """Show the button that removes a row, unless that is the empty one, and dim the row if it is off."""
        found = self._row(row)
        real = bool(found.name or found.value)
        remove = self.item(row, REMOVE)
        assert remove is not None
        remove.setIcon(icon("close", "dim") if real else QIcon())
        remove.setToolTip(self.tr("Remove this row") if real else "")

    # -- changes by the user

    def _on_changed(self, row: int, column: int) -> None:
        if self._quiet:
            return
        self._quiet = True
        self._dress(row)
        last = self._row(self.rowCount() - 1)
        if (last.name or last.value) and self.rowCount() < MAX_ROWS:
            self._append(Row("", ""))
        self._quiet = False
        self.changed.emit()

    def _on_clicked(self, row: int, column: int) -> None:
        if column in (NAME, VALUE):
            self.edit(self.model().index(row, column))
        elif column == REMOVE:
            self.remove([row])

    def remove(self, rows: Iterable[int]) -> None:
        """Remove these rows; the empty one at the end stays."""
        last = self.rowCount() - 1
        self._quiet = True
        for row in sorted(rows, reverse=True):
            if row != last:
                self.removeRow(row)
        self._quiet = False
        self.changed.emit()

    def paste(self, text: str) -> None:
        """Make rows of the lines of ``text``, at the current row."""
        found = self._of_lines(text.replace("\r\n", "\n").split("\n"))
        at = max(self.currentRow(), 0)
        self._quiet = True
        current = self._row(at)
        if at < self.rowCount() - 1 and not (current.name or current.value):
            self.removeRow(at)
        for offset, row in enumerate(found[: MAX_ROWS - self.rowCount()]):
            self._append(row, at + offset)
        self._quiet = False
        self.changed.emit()

    def selected(self) -> list[int]:
        return sorted({index.row() for index in self.selectedIndexes()})

    def _menu(self, at: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WA_DeleteOnClose)
        copy = menu.addAction(icon("copy"), self.tr("&Copy rows"))
        paste = menu.addAction(self.tr("&Paste rows"))
        menu.addSeparator()
        remove = menu.addAction(icon("trash"), self.tr("&Remove"))
        copy.triggered.connect(self._copy)
        paste.triggered.connect(lambda: self.paste(QApplication.clipboard().text()))
        remove.triggered.connect(lambda: self.remove(self.selected()))
        menu.popup(self.viewport().mapToGlobal(at))

    def _copy(self) -> None:
        rows = [self._row(row) for row in self.selected()]
        space = " " if self._separator == ":" else ""
        text = "\n".join(f"{row.name}{self._separator}{space}{row.value}" for row in rows if row.name or row.value)
        if text:
            copying.copy(text, self.tr("Copied %n row(s)", "", len(rows)))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.state() == QAbstractItemView.EditingState:
            event.accept()  # the editor of a cell lets Enter through, and ends for itself
        elif event.matches(QKeySequence.Paste):
            self.paste(QApplication.clipboard().text())
        elif event.matches(QKeySequence.Copy):
            self._copy()
        elif event.key() in (Qt.Key_Delete, Qt.Key_Backspace) and not event.modifiers():
            self.remove(self.selected())
        elif event.key() in (Qt.Key_Return, Qt.Key_Enter) and not event.modifiers() & ~Qt.KeypadModifier:
            self.edit(self.currentIndex())
        elif event.key() == Qt.Key_Space and self._switched and (item := self.item(self.currentRow(), ON)):
            item.setCheckState(Qt.Unchecked if item.checkState() == Qt.Checked else Qt.Checked)
        elif event.modifiers() & ~(Qt.ShiftModifier | Qt.KeypadModifier):
            event.ignore()  # a shortcut, and not the beginning of a text
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        most = self.fontMetrics().horizontalAdvance("0") * 22
        self.horizontalHeader().resizeSection(NAME, min(most, int(self.viewport().width() * 0.4)))

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if self.currentRow() < 0:
            self.setCurrentCell(self.rowCount() - 1, NAME)

    def closeEditor(self, editor: QWidget, hint: QAbstractItemDelegate.EndEditHint) -> None:
        super().closeEditor(editor, hint)
        if hint == QAbstractItemDelegate.SubmitModelCache:  # Enter
            row, column = self.currentRow(), self.currentColumn()
            to = (row, VALUE) if column == NAME else (min(row + 1, self.rowCount() - 1), NAME)
            self.setCurrentCell(*to)
            if column == NAME:
                self.edit(self.currentIndex())


class _Cell(QLineEdit):
    """The editor of a cell. Several lines that are pasted become rows of the table."""

    def __init__(self, rows: Rows, parent: QWidget) -> None:
        super().__init__(parent)
        self._rows = rows
        self.setFrame(False)
        self.setProperty("cell", True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        text = QApplication.clipboard().text().strip("\r\n") if event.matches(QKeySequence.Paste) else ""
        if "\n" in text:
            self._rows.closeEditor(self, QAbstractItemDelegate.RevertModelCache)
            self._rows.paste(text)
        else:
            super().keyPressEvent(event)


class _Delegate(QStyledItemDelegate):
    def __init__(self, rows: Rows) -> None:
        super().__init__(rows)
        self._rows = rows

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        super().initStyleOption(option, index)
        last = index.row() == self._rows.rowCount() - 1
        if last and not option.text:
            option.text = self._rows.titles.get(index.column(), "")
        name = self._rows.item(index.row(), ON)
        if last or (name is not None and name.checkState() != Qt.Checked):
            option.palette.setColor(QPalette.Text, option.palette.color(QPalette.PlaceholderText))
        if last and index.column() == ON:
            without = int(option.features) & ~int(QStyleOptionViewItem.HasCheckIndicator)
            option.features = QStyleOptionViewItem.ViewItemFeatures(without)

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: QModelIndex) -> QWidget:
        cell = _Cell(self._rows, parent)
        offered: Sequence[str] = self._rows._names
        if index.column() == VALUE:
            name = self._rows.item(index.row(), NAME)
            offered = self._rows._values.get(name.text().lower(), ()) if name is not None else ()
        if offered:
            cell.setCompleter(Offers(offered, cell))
        return cell
