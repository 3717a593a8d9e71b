"""One page of the service dialog: the settings of TLS, limits, sockets or a protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PyQt5.QtCore import QT_TRANSLATE_NOOP, pyqtSignal
from PyQt5.QtWidgets import QCheckBox, QLabel, QVBoxLayout, QWidget

from app.options import Option
from ui.forms.form import OptionForm

WORDS = {
    "tls": QT_TRANSLATE_NOOP(
        "SectionPage",
        "Connections are encrypted; the capture holds what they carry as plain text. "
        "A certificate “auto” is signed by the local authority: see Help, “Trust our certificates”.",
    ),
    "limits": QT_TRANSLATE_NOOP(
        "SectionPage", "What peers may use. A peer that exceeds a limit is refused, and an event says which limit."
    ),
    "socket": QT_TRANSLATE_NOOP("SectionPage", "Options of the operating system for the service's sockets."),
    "restart": QT_TRANSLATE_NOOP(
        "SectionPage",
        "A service that could not start tries again by itself, for example until its address is "
        "free, its network interface is there, or its responder works.",
    ),
    "options": QT_TRANSLATE_NOOP("SectionPage", "These options apply to every responder of this protocol."),
}


SWITCHES = {
    "tls": QT_TRANSLATE_NOOP("SectionPage", "Speak &TLS"),
    "restart": QT_TRANSLATE_NOOP("SectionPage", "Start a&gain automatically"),
}
"""What the check box says of a section that can be off."""


class SectionPage(QWidget):
    """A form of options. With ``can_be_off``, a check box switches the whole section on or off.

    Signals:
        changed(): an option was edited, or the section was switched on or off.
    """

    changed = pyqtSignal()

    def __init__(
        self, section: str, declared: tuple[Option, ...], given: Mapping[str, Any] | None, *, can_be_off: bool = False
    ) -> None:
        super().__init__()
        self.form = OptionForm(declared, given or {}, self)
        self.form.changed.connect(self.changed)
        words = QLabel(self.tr(WORDS[section]))
        words.setWordWrap(True)
        words.setProperty("role", "dim")
        words.setContentsMargins(0, 0, 0, 12)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(words)
        self.switch: QCheckBox | None = None
        if can_be_off:
            self.switch = QCheckBox(self.tr(SWITCHES[section]))
            self.switch.setChecked(given is not None)
            self.switch.toggled.connect(self._on_switch)
            self.form.setEnabled(given is not None)
            column.addWidget(self.switch)
            column.addSpacing(8)
        column.addWidget(self.form)
        column.addStretch()

    def values(self) -> dict[str, Any] | None:
        """The options that are set; None while the section is switched off."""
        if self.switch is not None and not self.switch.isChecked():
            return None
        return self.form.options()

    def check(self) -> bool:
        """Show what is wrong beneath each option. Returns whether all options are valid or switched off."""
        return self.form.check() or self.values() is None

    def _on_switch(self, on: bool) -> None:
        self.form.setEnabled(on)
        self.changed.emit()
