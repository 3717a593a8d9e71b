"""The rows of the list of services, and which of them have changed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from PyQt5.QtCore import QAbstractListModel, QModelIndex, Qt, pyqtSignal

from app.post import Post
from ui.bridge import Bridge
from ui.services.program_rows import rows_of
from ui.services.rows import Heading, Row, ServiceRow, arranged, row_of


class ServicesModel(QAbstractListModel):
    """Headings and services, in the order of the workspace. ``refresh`` reads the services again.

    Attributes:
        rows: the visible ones.
        typed: the text of the search; only services that fit it are rows.

    Signals:
        rows_changed: the numbers of rows that show something else now. Not ``dataChanged``, for which a
            QListView lays out and paints all of its rows.
    """

    rows_changed = pyqtSignal(list)

    def __init__(self, post: Post, bridge: Bridge, folded: Callable[[], Collection[str]]) -> None:
        super().__init__()
        self._post, self._bridge, self._folded = post, bridge, folded
        self.rows: list[Row] = []
        self.typed = ""
        self.rows = self._now()

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: QModelIndex, role: int = Qt.DisplayRole) -> Any:
        row = self.row(index)
        if row is None:
            return None
        if role == Qt.DisplayRole:  # what is typed into the list finds a row by
            return row.group if isinstance(row, Heading) else row.name
        return row.spoken if role == Qt.AccessibleTextRole else None

    def row(self, index: QModelIndex) -> Row | None:
        """The row at an index of this model."""
        return self.rows[index.row()] if index.isValid() and index.row() < len(self.rows) else None

    def at(self, name: str) -> int:
        """The number of a service's row; -1 if it has none."""
        named = (i for i, row in enumerate(self.rows) if isinstance(row, ServiceRow) and row.name == name)
        return next(named, -1)

    def heading(self, group: str) -> int:
        """The number of a heading's row; -1 if there is none."""
        return next((i for i, row in enumerate(self.rows) if isinstance(row, Heading) and row.group == group), -1)

    def members(self, group: str) -> list[str]:
        """The names of a group's services, in their order."""
        return [config.name for config in self._post.configs() if config.group == group]

    def refresh(self) -> bool:
        """Show the services as they are now. True if there are other rows, or they stand in another order."""
        now = self._now()
        if [_identity(row) for row in now] != [_identity(row) for row in self.rows]:
            self.beginResetModel()
            self.rows = now
            self.endResetModel()
            return True
        changed = [i for i, (old, new) in enumerate(zip(self.rows, now, strict=True)) if old != new]
        self.rows = now
        if changed:
            self.rows_changed.emit(changed)
        return False

    def _now(self) -> list[Row]:
        rows = [row_of(service, self._bridge.of(service)) for service in self._post.services.values()]
        for program in self._post.programs:
            rows += rows_of(program, self._bridge.of)
        return arranged(rows, self._folded(), self.typed)


def _identity(row: Row) -> tuple[str, ...]:
    return ("", row.group) if isinstance(row, Heading) else (row.name,)
