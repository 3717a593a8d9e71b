"""The dialog that runs a Twisted program, or changes one of the workspace."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QDialogButtonBox, QVBoxLayout, QWidget

from app.options import problems
from app.programs.config import mistakes
from app.programs.fields import FIELDS, suggested_name, table_of
from ui.forms.form import OptionForm
from ui.looks.icons import icon
from ui.parts.careful_dialog import CarefulDialog
from ui.parts.dialog_pages import padded
from ui.parts.fitting import fit


class ProgramForm(OptionForm):
    """The fields. What is wrong is told below each."""

    def __init__(self, fields: Mapping[str, Any], folder: Path, taken: Callable[[], Collection[str]]) -> None:
        self._folder, self._taken = folder, taken
        self._suggested = ""
        super().__init__(FIELDS, fields)
        self._rows["program"][0].changed.connect(self._suggest)

    def _suggest(self) -> None:
        """Name it by what is typed, as long as the user has not named it."""
        name, program = self._rows["name"][0], self._rows["program"][0].value()
        if name.text() in ("", self._suggested):
            self._suggested = suggested_name(program) if program.strip() else ""
            name.setText(self._suggested)

    def is_right(self) -> bool:
        """Whether nothing is wrong; tells nothing."""
        return not self._mistakes(self.options())

    def _problems(self, given: Mapping[str, Any]) -> dict[str, str]:
        # What is missing is told once something was typed.
        return self._mistakes(given) if given.get("name") or given.get("program") else {}

    def _mistakes(self, given: Mapping[str, Any]) -> dict[str, str]:
        found = dict(problems(FIELDS, given))
        if not found:
            wrong = mistakes(table_of(given, self._folder), self._taken())
            found = {"program" if one.option == "run" else one.option: str(one) for one in wrong}
        return found


class ProgramDialog(CarefulDialog):
    """Runs a program, or changes the one called ``instead``.

    Signals:
        given(object): the table of the program, without mistakes.
    """

    given = pyqtSignal(object)

    def __init__(
        self,
        fields: Mapping[str, Any],
        folder: Path,
        taken: Callable[[], Collection[str]],
        instead: str = "",
        parent: QWidget | None = None,
    ) -> None:
        """``folder`` is the workspace's; ``taken`` are the names of services and of other programs."""
        super().__init__(parent)
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowFlag(Qt.WindowContextHelpButtonHint, False)
        self.setWindowTitle(
            self.tr("Program “{name}”").format(name=instead) if instead else self.tr("Run a Twisted program")
        )
        self._folder, self._named = folder, bool(instead)
        self.form = ProgramForm(fields, folder, taken)
        self.buttons = QDialogButtonBox(QDialogButtonBox.Ok | QDialogButtonBox.Cancel)
        ok = self.buttons.button(QDialogButtonBox.Ok)
        ok.setText(self.tr("&Apply") if instead else self.tr("&Run"))
        ok.setProperty("primary", True)
        ok.setIcon(icon("check" if instead else "play"))
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
        return self.tr("Discard this program as you have typed it?")

    def _check(self) -> None:
        self.buttons.button(QDialogButtonBox.Ok).setEnabled(self.form.check() and self.form.is_right())

    def _accept(self) -> None:
        if self.form.is_right():
            self.given.emit(table_of(self.form.options(), self._folder))
            self.accept()
