"""The rules of a service as rows, with what is known of each: title, hits, mistake, and what a try says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PyQt5.QtCore import QT_TRANSLATE_NOOP, QAbstractListModel, QModelIndex, Qt, pyqtSignal

from ui.workbench.rule_form.arrangement import SWITCH

Table = dict[str, Any]

RULE = Qt.UserRole
"""The role under which a row's ``RuleRow`` is found."""


@dataclass(eq=False)
class RuleRow:
    """One rule.

    Attributes:
        table: as the workspace has it.
        asks, does: the two lines of its title.
        hits: how often it applied since the service was started.
        mistake: what is wrong with it; "": nothing is.
        why: why it does not take what is tried; "" where that was not asked.
        takes: whether it takes what is tried.
    """

    table: Table
    asks: str = ""
    does: str = ""
    hits: int = 0
    mistake: str = ""
    why: str = ""
    takes: bool = False

    @property
    def on(self) -> bool:
        return bool(self.table.get(SWITCH, True))

    @property
    def below(self) -> str:
        """Its second line."""
        return f"→ {self.does}"


RULES: Mapping[str, str] = {
    "title": QT_TRANSLATE_NOOP("Workbench", "Rules"),
    "new": QT_TRANSLATE_NOOP("Workbench", "Add a rule"),
    "add": QT_TRANSLATE_NOOP("Workbench", "adding a rule"),
    "duplicate": QT_TRANSLATE_NOOP("Workbench", "duplicating a rule"),
    "remove": QT_TRANSLATE_NOOP("Workbench", "removing (a rule|%n rules)"),
    "paste": QT_TRANSLATE_NOOP("Workbench", "pasting rules"),
    "move": QT_TRANSLATE_NOOP("Workbench", "moving a rule"),
}
"""What is said of rules; of faults see ``ui.workbench.faults.section``."""


@dataclass(frozen=True)
class Kind:
    """What the rows need to know of what they show.

    Attributes:
        title: the two lines of a rule.
        read: the rules in a text that was pasted. Raises RulesUnreadableError.
        write: the text of rules that are copied.
        switchable: whether a rule can be off.
        new: a rule to begin with.
        words: what steps and entries of menus are called, by the names in ``RULES``.
    """

    title: Callable[[Mapping[str, Any]], tuple[str, str]]
    read: Callable[[str], Sequence[Mapping[str, Any]]]
    write: Callable[[Sequence[Mapping[str, Any]]], str]
    switchable: bool = True
    new: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=lambda: RULES)


class RulesModel(QAbstractListModel):
    """The rows.

    Signals:
        edited(str): the user changed the rules; carries words for what was done.
    """

    edited = pyqtSignal(str)

    def __init__(self, kind: Kind) -> None:
        super().__init__()
        self.kind = kind
        self._rows: list[RuleRow] = []

    # -- what Qt asks

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: QModelIndex, role: int = Qt.DisplayRole) -> Any:
        if not 0 <= index.row() < len(self._rows):
            return None
        row = self._rows[index.row()]
        if role == RULE:
            return row
        if role == Qt.DisplayRole:
            return f"{row.asks} → {row.does}"
        if role == Qt.AccessibleTextRole:
            return self._said(index.row() + 1, row)
        return row.mistake or None if role == Qt.ToolTipRole else None

    def _said(self, number: int, row: RuleRow) -> str:
        state = "" if row.on else self.tr(", off")
        return self.tr("{number}: {title}{state}").format(number=number, title=f"{row.asks}, {row.does}", state=state)

    # -- the rules

    def tables(self) -> list[Table]:
        """All rules, in their order."""
        return [row.table for row in self._rows]

    def row(self, at: int) -> RuleRow | None:
        return self._rows[at] if 0 <= at < len(self._rows) else None

    def set_tables(self, tables: Iterable[Mapping[str, Any]]) -> None:
        """Show other rules. Rows whose rules are the same keep what is known of them."""
        self.beginResetModel()
        known = [(row.table, row) for row in self._rows]
        fresh: list[RuleRow] = []
        for at, table in enumerate(tables):
            same = at < len(known) and known[at][0] == table
            fresh.append(known[at][1] if same else self._made(dict(table)))
        self._rows = fresh
        self.endResetModel()

    def _made(self, table: Table) -> RuleRow:
        row = RuleRow(table)
        row.asks, row.does = self.kind.title(table)
        return row

    def change(self, at: int, table: Table) -> None:
        """Give one row another rule, from its form."""
        row = self._rows[at]
        row.table = table
        row.asks, row.does = self.kind.title(table)
        self._changed(at)

    def insert(self, at: int, tables: Sequence[Mapping[str, Any]], words: str) -> None:
        """Add rules before the row ``at``."""
        if not tables:
            return
        self.beginInsertRows(QModelIndex(), at, at + len(tables) - 1)
        self._rows[at:at] = [self._made(dict(table)) for table in tables]
        self.endInsertRows()
        self.edited.emit(words)

    def remove(self, rows: Sequence[int], words: str) -> None:
        """Take rules away."""
        for at in sorted(rows, reverse=True):
            self.beginRemoveRows(QModelIndex(), at, at)
            del self._rows[at]
            self.endRemoveRows()
        if rows:
            self.edited.emit(words)

    def move(self, at: int, to: int) -> bool:
        """Move one row to the place ``to``. ``edited`` is not emitted: a drag goes over many places."""
        if at == to or not (0 <= at < len(self._rows) and 0 <= to < len(self._rows)):
            return False
        self.beginMoveRows(QModelIndex(), at, at, QModelIndex(), to + 1 if to > at else to)
        self._rows.insert(to, self._rows.pop(at))
        self.endMoveRows()
        return True

    def switch(self, at: int) -> None:
        """Switch a rule off, or on again."""
        row = self._rows[at]
        table = dict(row.table)
        if row.on:
            table[SWITCH] = False
        else:
            table.pop(SWITCH, None)
        row.table = table
        self._changed(at)
        words = self.tr("rule {number} on") if row.on else self.tr("rule {number} off")
        self.edited.emit(words.format(number=at + 1))

    # -- what is known of them

    def set_hits(self, hits: Sequence[int]) -> None:
        """Show how often each applied. Rows that stay the same are not painted."""
        for at, row in enumerate(self._rows):
            count = hits[at] if at < len(hits) else 0
            if count != row.hits:
                row.hits = count
                self._changed(at)

    def set_mistakes(self, mistakes: Mapping[int, str]) -> None:
        """Mark the rows that are wrong."""
        for at, row in enumerate(self._rows):
            if row.mistake != mistakes.get(at, ""):
                row.mistake = mistakes.get(at, "")
                self._changed(at)

    def set_trial(self, rule: int | None, why: Sequence[str]) -> None:
        """Mark the row that takes what is tried, and the reasons of those that do not."""
        for at, row in enumerate(self._rows):
            shown = (at == rule, why[at] if at < len(why) and at != rule else "")
            if shown != (row.takes, row.why):
                row.takes, row.why = shown
                self._changed(at)

    def _changed(self, at: int) -> None:
        index = self.index(at)
        self.dataChanged.emit(index, index)
