"""The form of one rule, or of one fault: headed groups of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from app.options import Option
from ui.forms.form import tab_through
from ui.workbench.rule_form.arrangement import Group
from ui.workbench.rule_form.body import BodyRow
from ui.workbench.rule_form.fields import FieldRow
from ui.workbench.rule_form.groups import GroupFrame
from ui.workbench.rule_form.offered_names import Offers

Arrange = Callable[[Mapping[str, Any]], tuple[Mapping[str, Option], tuple[Group, ...]]]
"""The options of a rule by name, and the groups that they stand in."""


class RuleForm(QScrollArea):
    """The form of one rule, or of one fault.

    Attributes:
        groups: its headed groups.

    Signals:
        changed(str): the option of that name was edited.
    """

    changed = pyqtSignal(str)

    def __init__(self, protocol: str, arrange: Arrange, offers: Offers = lambda begun, filter: ()) -> None:
        """``offers(begun, filter)`` are the names that a template of the rule can have."""
        super().__init__()
        self._arranged_for, self._protocol, self._offers = arrange, protocol, offers
        self._options: Mapping[str, Option] = {}
        self._given: dict[str, Any] = {}
        self.groups: list[GroupFrame] = []
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAsNeeded)
        self.setFocusPolicy(Qt.NoFocus)
        self.setProperty("surface", "window")

    def show_rule(self, table: Mapping[str, Any] | None) -> None:
        """Show a rule; None: there is none."""
        self._given = dict(table or {})
        self._options, groups = self._arranged_for(self._given)
        self.groups = []
        content = QWidget()
        content.setProperty("surface", "window")
        content.setAttribute(Qt.WA_StyledBackground)
        column = QVBoxLayout(content)
        column.setContentsMargins(10, 10, 10, 10)
        column.setSpacing(10)
        for group in groups if table is not None else ():
            frame = GroupFrame(group, self._options, self._given, self._protocol, self._offers)
            frame.changed.connect(self.changed)
            frame.grown.connect(self._arrange)
            self.groups.append(frame)
            column.addWidget(frame, int(frame.stretches()))
        if not any(group.stretches() for group in self.groups):
            column.addStretch(1)
        old = self.takeWidget()
        if old is not None:
            old.hide()
            old.deleteLater()  # not at once: it may be a change of its own that is told
        self.setWidget(content)
        self._arrange()

    def table(self) -> dict[str, Any]:
        """The rule: the values that differ from the defaults or were given before."""
        values = {name: value for group in self.groups for name, value in group.values().items()}
        kept = {name: value for name, value in self._given.items() if name not in values}
        return kept | {
            name: value for name, value in values.items() if name in self._given or value != self._options[name].default
        }

    def tell(self, problems: Mapping[str, str], hints: Mapping[str, str]) -> None:
        """Show what is wrong with each option, by name, and what is probably not meant."""
        for group in self.groups:
            group.tell(problems, hints)

    def focus(self, name: str = "") -> None:
        """Give the keyboard to the editor of an option, by default to the first one."""
        for group in self.groups:
            row = group.row_of(name) if name else group.rows[0]
            if row is not None:
                row.focus(name)
                self.ensureWidgetVisible(row)
                return

    def body(self) -> BodyRow | None:
        """The row with the body of the answer, if the rule has one."""
        rows = (row for group in self.groups for row in group.rows)
        return next((row for row in rows if isinstance(row, BodyRow)), None)

    def _arrange(self) -> None:
        """Begin all editors at the same place, and go through them in their order."""
        rows = [row for group in self.groups for row in group.rows if isinstance(row, FieldRow)]
        width = max((row.label.sizeHint().width() for row in rows), default=0)
        for row in rows:
            row.label.setMinimumWidth(width)
        if self.widget() is not None:
            tab_through(self.widget())
