"""Docks at the bottom of a window, which lie side by side as far as there is room for them."""

from __future__ import annotations

from itertools import count

from PyQt5 import sip
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QCloseEvent, QKeyEvent
from PyQt5.QtWidgets import QApplication, QDockWidget, QHBoxLayout, QLabel, QMainWindow, QPushButton, QWidget

from ui.parts.small_button import small_button

CHARACTERS = 80
"""A dock beside another has room for so many digits at least."""

_turns = count(1)


class BottomDock(QDockWidget):
    """A dock that Escape closes. When it is shown, those that were shown before it are closed, the oldest first,
    until there is room: else Qt makes the window wider than the screen.

    Attributes:
        characters: digits of the width that it has at least beside another.
    """

    characters = CHARACTERS

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._turn = 0
        self._before: QWidget | None = None
        self.topLevelChanged.connect(self._make_room)

    def set_title(self, heading: str, figures: QLabel, *buttons: QPushButton) -> None:
        """Have a title bar with a heading, figures, these buttons and one that closes the dock."""
        bar = QWidget()
        bar.setProperty("surface", "panel")
        bar.setAttribute(Qt.WA_StyledBackground)
        row = QHBoxLayout(bar)
        row.setContentsMargins(12, 6, 8, 6)
        row.setSpacing(8)
        close = small_button("close", self.tr("Close ({keys})").format(keys="Esc"))
        close.clicked.connect(self.close)
        title = QLabel(heading)
        title.setProperty("role", "heading")
        figures.setProperty("role", "dim")
        row.addWidget(title)
        row.addWidget(figures, 1)
        for button in buttons:
            button.setAutoDefault(False)
            row.addWidget(button)
        row.addWidget(close)
        self.setTitleBarWidget(bar)

    def open(self) -> None:
        """Show it, and give the keyboard back when it is closed."""
        self.remember()
        self.show()

    def remember(self) -> None:
        """Whoever has the keyboard now gets it back when the dock is closed."""
        now = QApplication.focusWidget()
        if now is not None and not self.isAncestorOf(now):
            self._before = now

    def setVisible(self, visible: bool) -> None:
        """Make room before: while it is shown, Qt lays out the window, and makes it wider."""
        shown = visible and self.isHidden()
        if shown:
            self._turn = next(_turns)
            self._make_room()
        super().setVisible(visible)
        if shown:
            self._share()

    def _at_bottom(self) -> bool:
        """Whether it takes room at the bottom while it is shown."""
        window = self.parentWidget()
        return (
            isinstance(window, QMainWindow)
            and not self.isFloating()
            and window.dockWidgetArea(self) == Qt.BottomDockWidgetArea
        )

    def _make_room(self) -> None:
        window = self.parentWidget()
        if window is None or not self._at_bottom():
            return
        others = [dock for dock in self._beside() if dock is not self]
        while others and sum(dock._needed() for dock in (self, *others)) > window.width():
            others.pop(0).close()

    def _beside(self) -> list[BottomDock]:
        """What takes room at the bottom now, what was shown first before all others."""
        window = self.parentWidget()
        found = window.findChildren(BottomDock, options=Qt.FindDirectChildrenOnly) if window is not None else []
        return sorted((dock for dock in found if not dock.isHidden() and dock._at_bottom()), key=lambda it: it._turn)

    def _share(self) -> None:
        """Share the width, as each needs it: Qt would give a new one only the least."""
        window, docks = self.parentWidget(), self._beside()
        if isinstance(window, QMainWindow) and self in docks and len(docks) > 1:
            window.setAnimated(False)  # the sizes hold at once
            window.resizeDocks(docks, [dock._needed() for dock in docks], Qt.Horizontal)

    def _needed(self) -> int:
        """Pixels of width, with the line beside it."""
        for part in (self, *self.findChildren(QWidget)):
            part.ensurePolished()  # those that were never shown do not know the stylesheet's sizes yet
        return max(self.minimumSizeHint().width(), self.characters * self.fontMetrics().horizontalAdvance("0")) + 2

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        before, self._before = self._before, None
        if before is not None and not sip.isdeleted(before) and before.isVisible():
            before.setFocus(Qt.OtherFocusReason)
