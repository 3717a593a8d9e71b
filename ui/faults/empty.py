"""What the dock shows while there is no fault: what they are, and networks to begin with."""

from __future__ import annotations

from PyQt5.QtCore import QSize, Qt, pyqtSignal
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QGridLayout, QPushButton, QVBoxLayout, QWidget

from app.faults import presets
from app.faults.presets import Preset
from ui.forms.form import Wrapped
from ui.looks.declared import in_words
from ui.parts.labels import plain, unmarked

COLUMN = 34
"""Digits of the width of one network."""

MARGIN = 16
"""Pixels at the left and at the right."""


class NoFaults(QWidget):
    """Words, the page of the selected service, and networks for it.

    Attributes:
        offers: whether there is any network for the service.
        buttons: one for each network.

    Signals:
        chosen(object): a ``Preset`` for the service.
        page_wanted(): the user wants to choose a fault on the page of the service.
    """

    chosen = pyqtSignal(object)
    page_wanted = pyqtSignal()

    def __init__(self, surface: str = "panel") -> None:
        super().__init__()
        self.setProperty("surface", surface)
        self.setAttribute(Qt.WA_StyledBackground)
        self.offers = False
        self.buttons: list[QPushButton] = []
        self._shown = ("", "")
        self._columns = 0
        self.words, self.above = Wrapped(), Wrapped()
        self.above.setProperty("role", "strong")
        self.page = QPushButton()
        self.page.setAutoDefault(False)
        self.page.clicked.connect(self.page_wanted)
        self._grid = QGridLayout()
        self._grid.setSpacing(8)
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN, 8, MARGIN, 12)
        column.setSpacing(8)
        column.addWidget(self.words)
        column.addWidget(self.page, 0, Qt.AlignLeft)
        column.addWidget(self.above)
        column.addLayout(self._grid)
        column.addStretch(1)

    def show_service(self, name: str, protocol: str) -> None:
        """Offer what there is for a service; "": none is selected."""
        if (name, protocol) == self._shown:
            return
        another, self._shown = protocol != self._shown[1], (name, protocol)
        found = presets.fitting(protocol) if name else []
        self.offers = bool(found)
        self.words.setText(
            self.tr(
                "No service has faults. A fault delays, cuts, loses or corrupts what passes: always, sometimes or once."
            )
            if name
            else self.tr("Select a service on the left to add faults, which delay, cut, lose or corrupt what passes.")
        )
        self.page.setVisible(bool(name))
        self.page.setText(unmarked(self.tr("Choose a fault for {name}").format(name=name)))
        self.above.setVisible(bool(found))
        self.above.setText(self.tr("Or simulate a network for {name}:").format(name=name))
        if another:
            self._make(found)

    def show_own(self, protocol: str, *, of_message: bool = False) -> None:
        """Offer what there is for the service on whose page it stands, or for a message."""
        self._make(presets.fitting(protocol))
        self.page.hide()
        self.words.setText(
            self.tr("This message has no faults. A fault delays, cuts, loses or corrupts what passes.")
            if of_message
            else self.tr(
                "This service has no faults. A fault delays, cuts, loses or corrupts what passes: "
                "always, sometimes or once."
            )
        )
        self.above.setText(self.tr("Add a fault on the left, or simulate a network:"))
        self.above.setVisible(bool(self.buttons))

    def _make(self, found: list[Preset]) -> None:
        for old in self.buttons:
            self._grid.removeWidget(old)
            old.hide()
            old.deleteLater()
        self.buttons = []
        for preset in found:
            button = QPushButton(unmarked(f"{in_words(preset.title)}\n{preset.figures}"))
            button.setAutoDefault(False)
            button.setProperty("two", True)
            button.setToolTip(plain(in_words(preset.help)))
            button.setAccessibleName(f"{in_words(preset.title)}: {preset.figures}")
            button.clicked.connect(lambda _=False, preset=preset: self.chosen.emit(preset))
            self.buttons.append(button)
        self._columns = 0
        self._arrange()

    def _arrange(self) -> None:
        room = self.fontMetrics().horizontalAdvance("0") * COLUMN
        columns = max(1, min(4, (self.width() - 2 * MARGIN) // max(1, room)))
        if columns == self._columns:
            return
        self._columns = columns
        for at, button in enumerate(self.buttons):
            self._grid.removeWidget(button)
            self._grid.addWidget(button, at // columns, at % columns)
        for column in range(4):
            self._grid.setColumnStretch(column, int(column < columns))

    def minimumSizeHint(self) -> QSize:
        """Room for one column: in less than there is now, they are arranged anew."""
        widest = max((button.sizeHint().width() for button in (*self.buttons, self.page)), default=0)
        return QSize(widest + 2 * MARGIN, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()
