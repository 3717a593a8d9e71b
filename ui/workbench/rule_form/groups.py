"""A headed group of rows on the form of a rule."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QFrame, QLabel, QMenu, QPushButton, QVBoxLayout

from app.options import Option
from ui.forms.editors import Choice
from ui.looks.declared import in_words
from ui.parts.labels import unmarked
from ui.workbench.rule_form.arrangement import Group, Row, translated
from ui.workbench.rule_form.body import BodyRow
from ui.workbench.rule_form.fields import FieldRow
from ui.workbench.rule_form.offered_names import Offers
from ui.workbench.rule_form.steps import StepsRow

AnyRow = FieldRow | BodyRow | StepsRow

MANY_STEPS = 80
"""Steps above which they are edited as lines of text: each row has several widgets."""

SPECIAL: Mapping[str, type[BodyRow | StepsRow]] = {"body": BodyRow, "steps": StepsRow}


class GroupFrame(QFrame):
    """A title and rows. A button offers the rows that are not set.

    Signals:
        changed(str): the option of that name was edited, or its row taken away.
        grown(): a row was added or taken away.
    """

    changed = pyqtSignal(str)
    grown = pyqtSignal()

    def __init__(
        self, group: Group, options: Mapping[str, Option], values: Mapping[str, Any], protocol: str, offers: Offers
    ) -> None:
        super().__init__()
        self._group, self._options, self._protocol, self._offers = group, options, protocol, offers
        self.setProperty("group", True)
        self.rows: list[AnyRow] = []
        self._rare: dict[str, tuple[Row, FieldRow]] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(12, 12, 12, 12)
        self._column.setSpacing(8)
        if group.title:
            heading = QLabel(translated(group.title))
            heading.setProperty("role", "strong")
            self._column.addWidget(heading)
        for row in group.rows:
            self._put(self._made(row, values))
        for row in group.rare:
            if any(values.get(name, options[name].default) != options[name].default for name in row.names):
                self._show_rare(row, values)
        self.offer = QPushButton(f"+ {translated(group.offer)}")
        self.offer.setProperty("link", True)
        self.offer.setAutoDefault(False)
        self._menu = QMenu(self.offer)
        self._menu.aboutToShow.connect(self._fill_menu)
        self.offer.setMenu(self._menu)
        self._column.addWidget(self.offer, 0, Qt.AlignLeft)
        self.offer.setVisible(bool(group.rare))
        self._show_what_matters()

    def values(self) -> dict[str, Any]:
        """The values of all options of the group; defaults for those without a row."""
        found = {name: self._options[name].default for row in self._group.rare for name in row.names}
        for shown in self.rows:
            found |= shown.values()
        return found

    def stretches(self) -> bool:
        """Whether it has a row that takes all the height there is."""
        return any(isinstance(row, BodyRow) for row in self.rows)

    def tell(self, problems: Mapping[str, str], hints: Mapping[str, str]) -> None:
        """Show what is wrong or probably not meant, by the name of the option; a row that is wrong appears."""
        for row in self._group.rare:
            if row.names[0] not in self._rare and not problems.keys().isdisjoint(row.names):
                self._show_rare(row, {})
        for shown in self.rows:
            shown.tell(problems, hints)

    def row_of(self, name: str) -> AnyRow | None:
        """The row with the option of that name; a rare one appears."""
        row = next((row for row in self._group.rare if name in row.names), None)
        if row is not None and row.names[0] not in self._rare:
            self._show_rare(row, {})
            self.grown.emit()
        return next((shown for shown in self.rows if name in shown.values()), None)

    # -- rows

    def _made(self, row: Row, values: Mapping[str, Any]) -> AnyRow:
        many = row.editor == "steps" and len(values.get(row.names[0], ())) > MANY_STEPS
        if row.editor in SPECIAL and not many:
            return SPECIAL[row.editor](row, self._options, values, self._protocol, self._offers)
        return FieldRow(row, self._options, values)

    def _put(self, row: AnyRow, at: int = -1) -> None:
        row.changed.connect(self._on_change)
        self.rows.append(row)
        self._column.insertWidget(at if at >= 0 else self._column.count(), row, int(isinstance(row, BodyRow)))

    def _on_change(self, name: str) -> None:
        self._show_what_matters()
        self.changed.emit(name)

    def _show_what_matters(self) -> None:
        values = self.values()
        for row in self.rows:
            if isinstance(row, FieldRow) and row not in (shown for _, shown in self._rare.values()):
                row.show_what_matters(values)

    def _show_rare(self, row: Row, values: Mapping[str, Any]) -> FieldRow:
        shown = FieldRow(row, self._options, values, can_be_cleared=True)
        shown.cleared.connect(partial(self._take_away, row))
        offer = self._column.indexOf(self.offer) if hasattr(self, "offer") else -1
        self._rare[row.names[0]] = (row, shown)
        self._put(shown, offer)
        return shown

    def _take_away(self, row: Row) -> None:
        _, shown = self._rare.pop(row.names[0])
        self.rows.remove(shown)
        self._column.removeWidget(shown)
        shown.hide()
        shown.deleteLater()
        self.offer.setFocus(Qt.OtherFocusReason)
        self.grown.emit()
        self.changed.emit(row.names[0])

    def _fill_menu(self) -> None:
        self._menu.clear()
        self._menu.setToolTipsVisible(True)
        self._offer_kinds()
        for row in self._group.rare:
            if row.names[0] not in self._rare:
                label = translated(row.label) or row.names[0]
                help = in_words(self._options[row.names[0]].help).replace("`", "")
                action = self._menu.addAction(unmarked(f"{label}: {help}"))
                action.triggered.connect(partial(self._offer_row, row))
        if self._menu.isEmpty():
            self._menu.addAction(self.tr("All are shown")).setEnabled(False)

    def _offer_kinds(self) -> None:
        """Offer the values of the option ``kinds``: what is shown of a rule depends on it."""
        name = self._group.kinds
        row = next((row for row in self.rows if isinstance(row, FieldRow) and name in row.editors), None)
        if row is None:
            return
        option, editor = self._options[name], row.editors[name]
        for choice, words in zip(option.choices, option.choice_words, strict=True):
            if choice != editor.value():
                self._menu.addAction(in_words(words)).triggered.connect(partial(self._choose_kind, editor, choice))

    def _choose_kind(self, editor: Choice, choice: str, _checked: bool = False) -> None:
        """Make ``choice`` what the rule waits for, and go to what belongs to it."""
        editor.choose(choice)
        shown = (one for row in self.rows if isinstance(row, FieldRow) for one in row.editors.values())
        after = [one for one in shown if one is not editor and one.isVisibleTo(self)]
        (after[0] if after else editor).setFocus(Qt.OtherFocusReason)

    def _offer_row(self, row: Row, _checked: bool = False) -> None:
        shown = self._show_rare(row, {})
        self.grown.emit()
        shown.focus()
