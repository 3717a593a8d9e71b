"""A label for text of any length, such as the name of a service."""

from __future__ import annotations

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtGui import QPainter, QPaintEvent, QPalette, QResizeEvent
from PyQt5.QtWidgets import QLabel

from ui.parts.labels import plain


class Line(QLabel):
    """One line that may be narrower than its text: the text is elided, and the tooltip has all of it."""

    def __init__(self, text: str = "") -> None:
        super().__init__(text)
        self.setTextFormat(Qt.PlainText)

    def setText(self, text: str) -> None:
        super().setText(text)
        self.setToolTip(plain(text) if self._cut() != text else "")

    def _cut(self) -> str:
        return self.fontMetrics().elidedText(self.text(), Qt.ElideRight, self.contentsRect().width())

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.setText(self.text())

    def paintEvent(self, event: QPaintEvent) -> None:
        align, room = int(Qt.AlignLeft | Qt.AlignVCenter), self.contentsRect()
        painter, palette = QPainter(self), self.palette()
        self.style().drawItemText(painter, room, align, palette, self.isEnabled(), self._cut(), QPalette.WindowText)
