"""The dialog about one watch: a form made of its declarations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QDialogButtonBox, QVBoxLayout, QWidget

from app.options import Option
from app.watch.config import WATCH, client_of, on_outpost
from ui.forms.form import OptionForm
from ui.looks.icons import icon
from ui.parts.careful_dialog import CarefulDialog
from ui.parts.dialog_pages import padded
from ui.parts.fitting import fit
from ui.parts.offers import Offers
from ui.watch.changes import WatchChanges, known_targets


class WatchForm(OptionForm):
    """The options of a watch; those that mean nothing for its target are hidden, unless they are set."""

    def __init__(self, changes: WatchChanges, table: Mapping[str, Any], instead: str) -> None:
        self._changes, self._instead = changes, instead
        super().__init__(WATCH, table)
        target = self._rows["target"][0]
        target.setCompleter(Offers(known_targets(changes.schemes()), target))

    def _problems(self, given: Mapping[str, Any]) -> dict[str, str]:
        return self._changes.problems(given, self._instead)

    def _matters(self, option: Option, values: Mapping[str, Any]) -> bool:
        services = self._changes.schemes()
        if on_outpost(values["target"], services):
            return True  # of which protocol it is, the outpost tells once it is read
        client = client_of(values["target"], services)
        if client is None:
            return not option.protocols
        fits = not option.protocols or client.protocol in option.protocols
        return fits and (option.name != "certificate_days" or client.tls)


class WatchDialog(CarefulDialog):
    """Adds a watch, or edits the one called ``instead``.

    Signals:
        given(object): the table of the watch, without problems.
    """

    given = pyqtSignal(object)

    def __init__(
        self, changes: WatchChanges, table: Mapping[str, Any], instead: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowFlag(Qt.WindowContextHelpButtonHint, False)
        self.setWindowTitle(self.tr("Watch “{name}”").format(name=instead) if instead else self.tr("A new watch"))
        self.form = WatchForm(changes, table, instead)
        self.buttons = QDialogButtonBox(QDialogButtonBox.Ok | QDialogButtonBox.Cancel)
        ok = self.buttons.button(QDialogButtonBox.Ok)
        ok.setText(self.tr("&Apply") if instead else self.tr("&Add"))
        ok.setProperty("primary", True)
        ok.setIcon(icon("check"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 16)
        column.setSpacing(8)
        column.addWidget(padded(self.form), 1)
        self.buttons.setContentsMargins(24, 0, 24, 0)
        column.addWidget(self.buttons)
        self.form.changed.connect(self._check)
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.cancel)
        self.resize(self.sizeHint())
        fit(self, parent.screen() if parent is not None else None)
        self._check()
        self.untouched()

    def typed(self) -> object:
        return self.form.options()

    def lost(self) -> str:
        return self.tr("Discard this watch as you have typed it?")

    def _check(self) -> None:
        self.buttons.button(QDialogButtonBox.Ok).setEnabled(self.form.check())

    def _accept(self) -> None:
        if self.form.check():
            self.given.emit(self.form.options())
            self.accept()
