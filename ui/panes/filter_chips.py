"""The row of filters that one click applies: those that are saved, and those that were used."""

from __future__ import annotations

from functools import partial

from PyQt5.QtCore import QPoint, QSize, Qt, QTimer, pyqtSlot
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QApplication, QHBoxLayout, QMenu, QToolButton, QWidget

from ui.forms.form import set_property
from ui.looks import theme
from ui.looks.icons import icon
from ui.panes.filter_box import FilterBox
from ui.parts.labels import plain, unmarked

MAX_CHARS = 32
"""Most characters of a filter that its chip shows."""

SIDE, GAP = 8, 4
"""Pixels beside the row, and between two chips."""


class FilterChips(QWidget):
    """A chip for each filter that the pane in view understands; what has no room is in the menu of the filter box.

    A chip stays where it is while its filter is used again. The row is not there while there is no chip.
    """

    def __init__(self, box: FilterBox, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._box = box
        self._shown: list[tuple[str, bool]] = []
        self._order: list[str] = []
        self.chips: list[QToolButton] = []
        self.setAccessibleName(self.tr("Filters"))
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(SIDE, 4, SIDE, 4)
        self._row.setSpacing(GAP)
        self._row.addStretch(1)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._appear)
        box.offered_changed.connect(self.refresh)
        box.textChanged.connect(self._mark)
        theme.notifier.fonts_changed.connect(self._fold)
        self.refresh()

    def refresh(self) -> None:
        """Show the filters that there are now."""
        offered = dict(self._box.offered())
        known = [text for text in self._order if text in offered]
        self._order = [*(text for text in offered if text not in known), *known]
        shown = [(text, True) for text in self._box.saved if text in offered]
        shown += [(text, False) for text in self._order if not offered[text]]
        if shown != self._shown:
            self._shown = shown
            self._build()
        self._mark()
        self._appear()

    def _appear(self) -> None:
        """Show the row if it has chips; but not while the mouse is pressed, or what is below would move away."""
        if self._shown and self.isHidden() and int(QApplication.mouseButtons()):
            self._later.start(QApplication.doubleClickInterval())
        else:
            self.setVisible(bool(self._shown))

    def _build(self) -> None:
        for chip in self.chips:
            self._row.removeWidget(chip)
            chip.hide()
            chip.deleteLater()
        self.chips = []
        for text, saved in self._shown:
            chip = QToolButton(self)
            words = unmarked(text if len(text) <= MAX_CHARS else text[: MAX_CHARS - 1] + "…")
            chip.setText(f" {words}" if saved else words)  # Qt leaves no room between icon and text
            if saved:
                chip.setIcon(icon("star-filled", "warning"))
                chip.setToolButtonStyle(Qt.ToolButtonTextBesideIcon)
            chip.setProperty("chip", "saved" if saved else "used")
            chip.setFocusPolicy(Qt.NoFocus)  # the keyboard has Up in the filter box, and its menu
            chip.setToolTip(plain(text))
            chip.setAccessibleName(text)
            chip.setContextMenuPolicy(Qt.CustomContextMenu)
            chip.clicked.connect(partial(self._box.toggle, text))
            chip.customContextMenuRequested.connect(partial(self._open_menu, chip, text, saved))
            self._row.insertWidget(len(self.chips), chip)
            self.chips.append(chip)
        self._fold()

    def _open_menu(self, chip: QToolButton, text: str, saved: bool, _at: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WA_DeleteOnClose)
        if saved:
            menu.addAction(self.tr("Remove from the saved filters")).triggered.connect(
                lambda: self._box.keep(text, keep=False)
            )
        else:
            menu.addAction(self.tr("Save")).triggered.connect(lambda: self._box.keep(text))
            menu.addAction(self.tr("Forget")).triggered.connect(lambda: self._box.forget(text))
        menu.popup(chip.mapToGlobal(chip.rect().bottomLeft()))

    def _mark(self, *_: object) -> None:
        """Mark the chip of the filter that is in the box."""
        typed = self._box.text().strip()
        for chip, (text, _saved) in zip(self.chips, self._shown, strict=True):
            set_property(chip, "current", text == typed)

    # -- room

    @pyqtSlot()
    def _fold(self, *_: object) -> None:
        """Hide the chips that have no room as a whole."""
        size = theme.scaled(12)
        room = self.width() - 2 * SIDE
        for chip in self.chips:
            chip.setIconSize(QSize(size, size))
            room -= chip.sizeHint().width() + GAP
            chip.setVisible(room >= 0 or chip is self.chips[0])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fold()

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())
