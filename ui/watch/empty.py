"""What the dock shows while there is no watch: what they are for, and one for each service to begin with."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QGridLayout, QPushButton, QVBoxLayout, QWidget

from ui.forms.form import Wrapped
from ui.parts.labels import unmarked

MARGIN = 16
"""Pixels at the left and at the right."""

MOST, COLUMNS = 12, 4
"""Services that are offered, and how many of them stand beside each other."""

MOST_CHARS = 20
"""Characters of the name of one."""


class NoWatches(QWidget):
    """Words, a button for any target, and one for each service.

    Signals:
        wanted(str): a watch on the service of this name; "": on something else.
    """

    wanted = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("surface", "panel")
        self.setAttribute(Qt.WA_StyledBackground)
        self.buttons: list[QPushButton] = []
        self._services: list[str] | None = None
        words = Wrapped(
            self.tr(
                "There is no watch yet. A watch connects to its target regularly, as a client does. It "
                "reports when the target stops answering as expected, and when it answers again."
            )
        )
        self.other = self._button(self.tr("Watch an address…"), "")
        self._above = Wrapped(self.tr("Or watch one of the services here:"))
        self._above.setProperty("role", "strong")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(MARGIN, 8, MARGIN, 12)
        self._column.setSpacing(8)
        self._column.addWidget(words)
        self._column.addWidget(self.other, 0, Qt.AlignLeft)
        self._column.addWidget(self._above)
        self._grid = QGridLayout()
        self._grid.setSpacing(8)
        self._grid.setColumnStretch(COLUMNS, 1)
        self._column.addLayout(self._grid)
        self._column.addStretch(1)

    def offer(self, services: Sequence[str]) -> None:
        """Offer a watch on each of these services."""
        offered = list(services)[:MOST]
        if offered == self._services:
            return
        self._services = offered
        for old in self.buttons:
            self._grid.removeWidget(old)
            old.hide()
            old.deleteLater()
        self.buttons = [self._button(self.tr("Watch {name}").format(name=_short(name)), name) for name in offered]
        self._above.setVisible(bool(offered))
        for at, button in enumerate(self.buttons):
            self._grid.addWidget(button, at // COLUMNS, at % COLUMNS)

    def _button(self, text: str, service: str) -> QPushButton:
        button = QPushButton(unmarked(text))
        button.setAutoDefault(False)
        button.clicked.connect(lambda: self.wanted.emit(service))
        return button


def _short(name: str) -> str:
    return name if len(name) <= MOST_CHARS else f"{name[: MOST_CHARS - 1]}…"
