"""A dialog that is one form of options, with two buttons."""

from __future__ import annotations

from typing import Any

from PyQt5.QtCore import QCoreApplication, Qt, pyqtSignal
from PyQt5.QtWidgets import QDialogButtonBox, QVBoxLayout, QWidget

from ui.forms.form import OptionForm
from ui.looks.icons import icon
from ui.parts.careful_dialog import CarefulDialog
from ui.parts.dialog_pages import padded
from ui.parts.fitting import fit


class FormDialog(CarefulDialog):
    """Fills in one form. A subclass says what it is called, and in ``lost`` what would be discarded.

    Attributes:
        form: its options.
        instead: the name of what is edited; empty: something new is made.

    Signals:
        given(object): the table of what was filled in, without problems.
    """

    given = pyqtSignal(object)
    begin_picture = "check"
    """The icon of the button that makes something new."""

    def __init__(self, form: OptionForm, instead: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowFlag(Qt.WindowContextHelpButtonHint, False)
        self.form, self.instead = form, instead
        self.setWindowTitle(self.title())
        self.buttons = QDialogButtonBox(QDialogButtonBox.Ok | QDialogButtonBox.Cancel)
        ok = self.buttons.button(QDialogButtonBox.Ok)
        ok.setText(QCoreApplication.translate("FormDialog", "&Apply") if instead else self.begin_words())
        ok.setProperty("primary", True)
        ok.setIcon(icon("check" if instead else self.begin_picture))
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

    def title(self) -> str:
        """What stands above it."""
        raise NotImplementedError

    def begin_words(self) -> str:
        """What stands on the button that makes something new."""
        return QCoreApplication.translate("FormDialog", "&Add")

    def typed(self) -> object:
        return self.form.options()

    def is_right(self) -> bool:
        """Whether it can be given as it is. What is wrong is shown below each field."""
        return self.form.check()

    def table(self) -> dict[str, Any]:
        """What is given."""
        return self.form.options()

    def _check(self) -> None:
        self.buttons.button(QDialogButtonBox.Ok).setEnabled(self.is_right())

    def _accept(self) -> None:
        if self.is_right():
            self.given.emit(self.table())
            self.accept()
