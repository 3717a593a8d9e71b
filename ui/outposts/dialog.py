"""The dialog about one outpost: a form made of its declarations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PyQt5.QtWidgets import QApplication, QWidget

from app.options import Option
from app.workspace.outposts import OUTPOST, is_router, is_socket
from ui.forms.form import OptionForm
from ui.outposts.changes import OutpostChanges
from ui.parts.form_dialog import FormDialog

ROUTED = ("realm", "login", "key", "ca", "public_key")
"""Options of outposts at a router."""


class OutpostForm(OptionForm):
    """The options of an outpost: those of SSH, or of a router, as its target is one.

    That something is missing is said once its field was left.
    """

    def __init__(self, changes: OutpostChanges, table: Mapping[str, Any], instead: str) -> None:
        self._changes, self._instead = changes, instead
        self._left: set[str] = set()
        super().__init__(OUTPOST, table)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._on_focus)  # no lambda: Qt would call it when the form is gone

    def _on_focus(self, old: QWidget | None, new: QWidget | None) -> None:
        left = {name for name, (editor, _) in self._rows.items() if old is editor or editor.isAncestorOf(old)}
        if left - self._left and new is not None and new.window() is self.window():
            self._left |= left
            self.check()

    def _problems(self, given: Mapping[str, Any]) -> dict[str, str]:
        return self._changes.problems(given, self._instead)

    def _matters(self, option: Option, values: Mapping[str, Any]) -> bool:
        target = values["target"]
        if option.name == "command":
            return not (is_socket(target) or is_router(target))
        return is_router(target) if option.name in ROUTED else True

    def _is_early(self, option: Option, values: Mapping[str, Any]) -> bool:
        return option.required and not values[option.name] and option.name not in self._left


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
