"""The dialog about one watch: a form made of its declarations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PyQt5.QtWidgets import QWidget

from app.options import Option
from app.watch.config import WATCH, client_of, on_outpost
from ui.forms.form import OptionForm
from ui.parts.form_dialog import FormDialog
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
        return fits and (option.name not in ("certificate_days", "verify") or client.tls)


class WatchDialog(FormDialog):
    """Adds a watch, or edits the one called ``instead``."""

    def __init__(
        self, changes: WatchChanges, table: Mapping[str, Any], instead: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(WatchForm(changes, table, instead), instead, parent)

    def title(self) -> str:
        named = self.tr("Watch “{name}”").format(name=self.instead)
        return named if self.instead else self.tr("New watch")

    def lost(self) -> str:
        return self.tr("Discard what you typed for this watch?")
