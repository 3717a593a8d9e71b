"""The dialog about one outpost: a form made of its declarations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PyQt5.QtWidgets import QWidget

from app.options import Option
from app.workspace.outposts import OUTPOST, is_socket
from ui.forms.form import OptionForm
from ui.outposts.changes import OutpostChanges
from ui.parts.form_dialog import FormDialog


class OutpostForm(OptionForm):
    """The options of an outpost; what is run there is asked for SSH alone."""

    def __init__(self, changes: OutpostChanges, table: Mapping[str, Any], instead: str) -> None:
        self._changes, self._instead = changes, instead
        super().__init__(OUTPOST, table)

    def _problems(self, given: Mapping[str, Any]) -> dict[str, str]:
        return self._changes.problems(given, self._instead)

    def _matters(self, option: Option, values: Mapping[str, Any]) -> bool:
        return option.name != "command" or not is_socket(values["target"])


class OutpostDialog(FormDialog):
    """Adds an outpost, or edits the one called ``instead``."""

    def __init__(
        self, changes: OutpostChanges, table: Mapping[str, Any], instead: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(OutpostForm(changes, table, instead), instead, parent)

    def title(self) -> str:
        named = self.tr("Outpost “{name}”").format(name=self.instead)
        return named if self.instead else self.tr("New outpost")

    def lost(self) -> str:
        return self.tr("Discard what you typed for this outpost?")
