"""A dialog that does not throw away by accident what was typed into it."""

from __future__ import annotations

from PyQt5.QtCore import QCoreApplication, Qt
from PyQt5.QtWidgets import QDialog, QMessageBox

from ui.looks.icons import icon


class CarefulDialog(QDialog):
    """Asks before Escape or the window's close button discards what was typed. A Cancel button does not ask.

    A subclass has the method ``typed`` and calls ``untouched`` once it is filled.
    """

    _begun_with: object = None

    def typed(self) -> object:
        """What is in the dialog, to be compared."""
        raise NotImplementedError

    def lost(self) -> str:
        """The question that is asked, as "Discard the note?"."""
        return QCoreApplication.translate("CarefulDialog", "Discard what you typed?")

    def untouched(self) -> None:
        """What is in the dialog now is not the user's."""
        self._begun_with = self.typed()

    def cancel(self) -> None:
        """Close without a question."""
        super().reject()

    def reject(self) -> None:
        if self.typed() == self._begun_with:
            super().reject()
            return
        box = QMessageBox(self)
        box.setAttribute(Qt.WA_DeleteOnClose)
        box.setWindowTitle(self.windowTitle())
        box.setTextFormat(Qt.PlainText)
        box.setText(self.lost())
        box.setIconPixmap(icon("warning", "warning").pixmap(24, 24))
        box.setStandardButtons(QMessageBox.Discard | QMessageBox.Cancel)
        box.button(QMessageBox.Discard).setText(QCoreApplication.translate("CarefulDialog", "&Discard"))
        box.button(QMessageBox.Cancel).setText(QCoreApplication.translate("CarefulDialog", "&Keep editing"))
        box.setDefaultButton(QMessageBox.Cancel)
        box.button(QMessageBox.Discard).clicked.connect(self.cancel)
        box.open()
