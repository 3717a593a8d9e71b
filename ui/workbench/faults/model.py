"""The faults of a service as rows. Whether one acts, and how often it has hit, is of the running service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from PyQt5.QtCore import QPoint, pyqtSignal

from ui.workbench.rules.model import RuleRow, RulesModel, Table
from ui.workbench.rules.view import RulesView


@dataclass(eq=False)
class FaultRow(RuleRow):
    """One fault.

    Attributes:
        acts: whether it does at present.
    """

    acts: bool = True

    @property
    def on(self) -> bool:
        return self.acts

    @property
    def below(self) -> str:
        return self.does


class FaultsModel(RulesModel):
    """The rows.

    Signals:
        switched(int): the fault of this row is to act, or not any more.
    """

    switched = pyqtSignal(int)

    def _made(self, table: Table) -> RuleRow:
        row = FaultRow(table, acts=bool(table.get("enabled", True)))
        row.asks, row.does = self.kind.title(table)
        return row

    def insert(self, at: int, tables: Sequence[Mapping[str, Any]], words: str) -> None:
        """Add faults before the row ``at``; a name that another has already gets a number."""
        taken = {table.get("name") for table in self.tables()}
        fresh = []
        for table in tables:
            name = table.get("name")
            if name in taken and name:
                table = {**table, "name": next(new for n in count(2) if (new := f"{name} {n}") not in taken)}
            taken.add(table.get("name"))
            fresh.append(table)
        super().insert(at, fresh, words)

    def switch(self, at: int) -> None:
        self.switched.emit(at)

    def set_acting(self, acting: Sequence[bool]) -> None:
        """Show which of them act."""
        for at, (row, acts) in enumerate(zip(self._rows, acting, strict=False)):
            if isinstance(row, FaultRow) and row.acts != acts:
                row.acts = acts
                self._changed(at)


class FaultsView(RulesView):
    """The list of faults.

    Signals:
        kinds_wanted(QPoint): a fault is to be added: the place for a menu of kinds.
    """

    kinds_wanted = pyqtSignal(QPoint)

    def add(self) -> None:
        """Ask for its kind."""
        self.kinds_wanted.emit(self.mapToGlobal(QPoint(24, 24)))
