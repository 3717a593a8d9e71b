"""Pages of a dialog in tabs. A page scrolls if the screen is too small for it."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QObject, QSize, Qt, pyqtSignal
from PyQt5.QtWidgets import QFrame, QScrollArea, QTabWidget, QWidget

from ui.forms.form import column

AROUND = 144
"""Pixels of the screen's height that are left to the rest of the dialog."""


class Pages(QTabWidget):
    """Tabs as tall as the current page; Qt makes them as tall as the tallest page."""

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        if not self.count():
            return hint
        tallest = max(self.widget(at).sizeHint().height() for at in range(self.count()))
        return QSize(hint.width(), hint.height() - tallest + self.currentWidget().sizeHint().height())


class Page(QScrollArea):
    """A page that is as large as its content, as far as the screen has room for it.

    Signals:
        changed(): the size hint of the visible content may have changed.
    """

    changed = pyqtSignal()

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.NoFocus)

    def sizeHint(self) -> QSize:
        content = self.widget()
        width = max(self.fontMetrics().horizontalAdvance("0") * 72, content.minimumSizeHint().width())
        height = content.heightForWidth(width) if content.hasHeightForWidth() else content.sizeHint().height()
        screen = self.screen()
        most = screen.availableGeometry().height() - AROUND if screen is not None else 560
        return QSize(width, min(height + 2, most))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        done = super().eventFilter(watched, event)
        if event.type() == QEvent.LayoutRequest and watched is self.widget() and self.isVisible():
            self.changed.emit()
        return done


def padded(*page: QWidget) -> Page:
    """``page`` on the background of a form, with margins; without one, room for it."""
    content = QFrame()
    content.setProperty("surface", "panel")
    shown = Page(content)
    content.setLayout(column(*page))  # now that it has its place: Qt applies the stylesheet again where it moves
    content.layout().setContentsMargins(24, 16, 24, 16)
    return shown
