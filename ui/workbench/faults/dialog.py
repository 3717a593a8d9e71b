"""The dialog with the faults of a message that is sent, or of a port of a program: the form of those of a service."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from PyQt5.QtCore import QCoreApplication, QSize, Qt
from PyQt5.QtWidgets import QDialogButtonBox, QVBoxLayout, QWidget

from app.faults.tables import mistakes
from app.options import Mistake
from app.sending.faults import problems
from ui.forms.form import Wrapped
from ui.parts.careful_dialog import CarefulDialog
from ui.workbench.faults.section import FaultsSection

WIDTH, HEIGHT = 96, 26
"""Digits, and lines of text."""


Tables = Sequence[dict[str, Any]]

Given = Callable[[tuple[dict[str, Any], ...]], object]
"""Called with the faults, when the user is done."""


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose faults a dialog shows.

    Attributes:
        title, intro: of the dialog.
        section: the form.
        mistakes: all that is wrong with some faults.
    """

    title: str
    intro: str
    section: FaultsSection
    mistakes: Callable[[Tables], Iterable[Mistake]]


class FaultsDialog(CarefulDialog):
    """What is wrong is told at once, and cannot be accepted.

    Attributes:
        section: the faults.
    """

    def __init__(
        self,
        whose: Whose,
        tables: Tables,
        parent: QWidget,
        given: Given,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowFlag(Qt.WindowContextHelpButtonHint, False)
        self.setWindowTitle(whose.title)
        self._mistakes, self._given = whose.mistakes, given
        intro = Wrapped(whose.intro)
        intro.setProperty("role", "dim")
        intro.setContentsMargins(16, 12, 16, 8)
        self.section = whose.section
        self.section.set_faults(tables, 0)
        self.buttons = QDialogButtonBox(QDialogButtonBox.Ok | QDialogButtonBox.Cancel)
        self.buttons.setContentsMargins(16, 8, 16, 12)
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.cancel)
        self.buttons.button(QDialogButtonBox.Ok).setProperty("primary", True)
        for kind in (QDialogButtonBox.Ok, QDialogButtonBox.Cancel):
            self.buttons.button(kind).setAutoDefault(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(intro)
        column.addWidget(self.section, 1)
        column.addWidget(self.buttons)
        self.section.edited.connect(lambda *_: self._check())
        self._check()
        self.untouched()
        self.resize(self.sizeHint())  # else no dialog is larger than two thirds of the screen at first
        self.section.setFocus(Qt.OtherFocusReason)

    def typed(self) -> object:
        return self.section.tables()

    def lost(self) -> str:
        return self.tr("Discard your changes to the faults?")

    def sizeHint(self) -> QSize:
        letters, room = self.fontMetrics(), self.parentWidget().window().size()
        wanted = QSize(letters.horizontalAdvance("0") * WIDTH, letters.lineSpacing() * HEIGHT)
        return wanted.boundedTo(room).expandedTo(self.minimumSizeHint())

    def _check(self) -> None:
        found = self._mistakes(self.section.tables())
        wrong = [(one.table or 0, one.key, one.text) for one in found]
        self.buttons.button(QDialogButtonBox.Ok).setEnabled(not self.section.show_mistakes(wrong))

    def _accept(self) -> None:
        self._given(self.section.tables())
        self.accept()


def edit_faults(protocol: str, tables: Tables, parent: QWidget, given: Given) -> FaultsDialog:
    """Open the dialog on the faults of a message that is sent by ``protocol``."""
    intro = _translate(
        "Faults act on the bytes that this message sends and receives, so that a server meets a bad client. The "
        "capture shows on the connection what each fault did."
    )
    section = FaultsSection.of_message(protocol)
    whose = Whose(_translate("Faults of a message"), intro, section, lambda tables: problems(tables, protocol))
    return _opened(FaultsDialog(whose, tables, parent, given))


def edit_port_faults(name: str, protocol: str, tables: Tables, parent: QWidget, given: Given) -> FaultsDialog:
    """Open the dialog on the faults of the port called ``name``, ``program/port``, of a hosted program."""
    intro = _translate("Faults act once you press OK, also while the program runs. They are saved with the program.")
    title = _translate("Faults of {name}").format(name=name)
    section = FaultsSection.of_port(protocol)
    return _opened(
        FaultsDialog(
            Whose(title, intro, section, lambda tables: mistakes(tables, protocol, tls=False)), tables, parent, given
        )
    )


def _opened(dialog: FaultsDialog) -> FaultsDialog:
    dialog.open()
    return dialog


def _translate(text: str) -> str:
    return QCoreApplication.translate("FaultsDialog", text)
