"""Facts in two columns."""

from __future__ import annotations

from PyQt5.QtGui import QTextBlockFormat, QTextOption
from PyQt5.QtWidgets import QWidget

from ui.detail.facts import NOTHING, Fact
from ui.detail.sheet import Sheet


class FactSheet(Sheet):
    """Facts in two columns, separated by a tab, so that a copy can be pasted into a spreadsheet.

    Attributes:
        widest: characters of the column of names, at the most.
    """

    widest = 36

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._facts: list[Fact] = []
        self.setAccessibleName(self.tr("Overview"))

    def show_facts(self, facts: list[Fact]) -> None:
        self._facts = facts
        self.rewrite()
        self.verticalScrollBar().setValue(0)

    def write(self) -> None:
        name, value, faint, inner, heading = (
            self.voice("dim", words=True),
            self.voice("text"),
            self.voice("dim"),
            self.voice("accent"),
            self.voice("dim", words=True, bold=True),
        )
        widths = [0, *(len(fact.name) + 2 * fact.depth for fact in self._facts if fact.value is not None)]
        column = self.character() * min(max(max(widths) + 3, 16), self.widest)
        for number, fact in enumerate(self._facts):
            indent = self.character() * 2 * max(fact.depth - 1, 0)
            layout = QTextBlockFormat()
            if fact.value is None:
                layout.setTopMargin(12 if number else 0)
                layout.setBottomMargin(4)
                layout.setLeftMargin(indent)
                self.line((fact.name, heading), layout=layout)
                continue
            # A hanging indent: further lines of a value are aligned with the value, not with the name.
            layout.setLeftMargin(column)
            layout.setTextIndent(indent - column)
            layout.setTabPositions([QTextOption.Tab(column, QTextOption.LeftTab)])
            layout.setBottomMargin(3)
            self.line(
                (fact.name, inner if fact.depth else name),
                ("\t", value),
                (fact.value, faint if fact.value == NOTHING else value),
                layout=layout,
            )

    def text(self) -> str:
        """All facts, one per line."""
        return "".join(f"{'  ' * f.depth}{f.name}\t{f.value or ''}".rstrip() + "\n" for f in self._facts)

    def copied(self) -> str:
        """The selection, or all facts."""
        return self.textCursor().selection().toPlainText() or self.text()
