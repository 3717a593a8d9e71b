"""The dialog that runs a Twisted program, or changes one of the workspace."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from PyQt5.QtWidgets import QWidget

from app.options import problems
from app.programs.config import mistakes
from app.programs.fields import FIELDS, suggested_name, table_of
from ui.forms.form import OptionForm
from ui.parts.form_dialog import FormDialog


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

    def is_begun(self, given: Mapping[str, Any]) -> bool:
        """Whether something was typed. What is missing is told from then on."""
        return bool(given.get("name") or given.get("program"))

    def _problems(self, given: Mapping[str, Any]) -> dict[str, str]:
        if not self.is_begun(given):
            return {}
        found = dict(problems(FIELDS, given))
        if not found:
            wrong = mistakes(table_of(given, self._folder), self._taken())
            found = {"program" if one.option == "run" else one.option: str(one) for one in wrong}
        return found


class ProgramDialog(FormDialog):
    """Runs a program, or changes the one called ``instead``."""

    form: ProgramForm
    begin_picture = "play"

    def __init__(
        self,
        fields: Mapping[str, Any],
        folder: Path,
        taken: Callable[[], Collection[str]],
        instead: str = "",
        parent: QWidget | None = None,
    ) -> None:
        """``folder`` is the workspace's; ``taken`` are the names of services and of other programs."""
        self._folder = folder
        super().__init__(ProgramForm(fields, folder, taken), instead, parent)

    def title(self) -> str:
        named = self.tr("Program “{name}”").format(name=self.instead)
        return named if self.instead else self.tr("Run a Twisted program")

    def begin_words(self) -> str:
        return self.tr("&Run")

    def lost(self) -> str:
        return self.tr("Discard what you typed for this program?")

    def is_right(self) -> bool:
        return super().is_right() and self.form.is_begun(self.form.options())

    def table(self) -> dict[str, Any]:
        return table_of(self.form.options(), self._folder)
