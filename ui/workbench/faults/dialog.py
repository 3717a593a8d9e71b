"""The dialog with the faults of a message that is sent: the form of those of a service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtWidgets import QDialogButtonBox, QVBoxLayout, QWidget

from app.sending.faults import problems
from ui.forms.form import Wrapped
from ui.parts.careful_dialog import CarefulDialog
from ui.workbench.faults.section import FaultsSection

WIDTH, HEIGHT = 96, 26
"""Digits, and lines of text."""


class FaultsDialog(CarefulDialog):
    """What is wrong is told at once, and cannot be accepted.

    Attributes:
        section: the faults.
    """

    def __init__(
        self,
        protocol: str,
        tables: Sequence[dict[str, Any]],
        parent: QWidget,
        given: Callable[[tuple[dict[str, Any], ...]], object],
    ) -> None:
        """``protocol`` is that of the message. ``given`` is called with the faults, when the user is done."""
        super().__init__(parent)
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowFlag(Qt.WindowContextHelpButtonHint, False)
        self.setWindowTitle(self.tr("Faults of a message"))
        self._protocol, self._given = protocol, given
        intro = Wrapped(
            self.tr(
                "Faults act on the bytes that this message sends and receives, so that a server meets a "
                "bad client. The capture shows on the connection what each fault did."
            )
        )
        intro.setProperty("role", "dim")
        intro.setContentsMargins(16, 12, 16, 8)
        self.section = FaultsSection.of_message(protocol)
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
        found = problems(self.section.tables(), self._protocol)
        wrong = [(one.table or 0, one.key, one.text) for one in found]
        self.buttons.button(QDialogButtonBox.Ok).setEnabled(not self.section.show_mistakes(wrong))

    def _accept(self) -> None:
        self._given(self.section.tables())
        self.accept()


def edit_faults(
    protocol: str,
    tables: Sequence[dict[str, Any]],
    parent: QWidget,
    given: Callable[[tuple[dict[str, Any], ...]], object],
) -> FaultsDialog:
    """Open the dialog; see ``FaultsDialog``."""
    dialog = FaultsDialog(protocol, tables, parent, given)
    dialog.open()
    return dialog
