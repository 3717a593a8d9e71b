"""A list of completions below a field, which keeps the keyboard focus."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QPoint, Qt, pyqtSignal
from PyQt5.QtGui import QKeyEvent
from PyQt5.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from app.capture.filters.completion import Suggestion

ROWS = 10


class Completions(QTreeWidget):
    """The list. It is a child of the window, because a window of its own would take the focus.

    Signals:
        chosen: carries the Suggestion that the user chose.
    """

    chosen = pyqtSignal(object)

    def __init__(self, box: QWidget) -> None:
        super().__init__(box.window())
        self._box = box
        self._offered: Sequence[Suggestion] = ()
        self.setObjectName("completions")
        self.setFocusPolicy(Qt.NoFocus)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setHeaderHidden(True)
        self.setColumnCount(2)
        self.header().setSectionResizeMode(0, QHeaderView.ResizeToContents)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.itemClicked.connect(lambda item: self._choose(self.indexOfTopLevelItem(item)))
        self.hide()

    def offer(self, suggestions: Sequence[Suggestion], at: QPoint | None = None) -> None:
        """Show the suggestions below the field, or hide the list if there are none. ``at``: there in the window."""
        self._offered = suggestions
        self.clear()
        for suggestion in suggestions:
            item = QTreeWidgetItem([suggestion.text, suggestion.help])
            item.setForeground(1, self.palette().placeholderText())
            self.addTopLevelItem(item)
        self.setVisible(bool(suggestions))
        if suggestions:
            height = self.sizeHintForRow(0) * min(ROWS, len(suggestions)) + 12
            window = self._box.window()
            corner = at or self._box.mapTo(window, QPoint(0, self._box.height() + 2))
            width = 420 if at is not None else max(420, self._box.width())
            # What would be cut off at the right or below stands further left, or above the line.
            x = max(0, min(corner.x(), window.width() - width))
            y = corner.y() if at is None or corner.y() + height <= window.height() else corner.y() - height - 28
            self.setGeometry(x, y, width, height)
            self.raise_()

    def takes(self, event: QKeyEvent) -> bool:
        """Handle a key press of the field if it is for the list. True if it was."""
        row = self.indexOfTopLevelItem(self.currentItem()) if self.currentItem() else -1
        if event.key() in (Qt.Key_Down, Qt.Key_Up):
            next_row = row + 1 if event.key() == Qt.Key_Down else max(row, 0) - 1
            self.setCurrentItem(self.topLevelItem(next_row % self.topLevelItemCount()))
            return True
        if event.key() == Qt.Key_Tab or (event.key() in (Qt.Key_Return, Qt.Key_Enter) and row >= 0):
            self._choose(max(row, 0))
            return True
        return False

    def _choose(self, row: int) -> None:
        if 0 <= row < len(self._offered):
            self.chosen.emit(self._offered[row])
