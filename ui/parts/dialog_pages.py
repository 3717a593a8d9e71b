"""Pages of a dialog in tabs: each scrolls where the screen is small, and the tabs are as tall as the one in view."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QObject, QSize, Qt, pyqtSignal
from PyQt5.QtWidgets import QFrame, QScrollArea, QTabWidget, QWidget

from ui.forms.form import column

AROUND = 144
"""Pixels of the screen that the rest of the window takes."""


class Pages(QTabWidget):
    """Wants room for the page in view, where Qt would for the tallest of all."""

    def sizeHint(self) -> QSize:
        whole = super().sizeHint()
        if not self.count():
            return whole
        tallest = max(self.widget(at).sizeHint().height() for at in range(self.count()))
        return QSize(whole.width(), whole.height() - tallest + self.currentWidget().sizeHint().height())


class Page(QScrollArea):
    """As large as its content while the screen has room for it.

    Signals:
        changed(): the content in view may ask for other room.
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


def padded(page: QWidget) -> Page:
    """``page`` in the surface of a form."""
    content = QFrame()
    content.setProperty("surface", "panel")
    content.setLayout(column(page))
    content.layout().setContentsMargins(24, 16, 24, 16)
    return Page(content)
