"""A bar that says what went wrong, in place of a dialog."""

from __future__ import annotations

from PyQt5.QtCore import QSize, Qt, pyqtSlot
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QWidget

from ui.looks import theme
from ui.looks.icons import icon
from ui.parts.labels import let_shrink, plain

LONG = 60
"""Characters of a word that may not fit on a line."""


class NoticeBar(QFrame):
    """A line of text with an icon. It is hidden while it has no text."""

    def __init__(self, mark: str, *, closable: bool, parent: QWidget | None = None) -> None:
        """``mark`` is the colour: ``bad`` or ``warning``."""
        super().__init__(parent)
        self.setProperty("notice", mark)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 6, 6, 6)
        layout.setSpacing(8)
        self._color = mark
        self._mark = QLabel()
        self._paint_mark()
        self.label = QLabel()
        self.label.setWordWrap(True)
        self.label.setTextFormat(Qt.PlainText)
        self.label.setTextInteractionFlags(Qt.TextSelectableByMouse)
        let_shrink(self.label)
        layout.addWidget(self._mark)
        layout.addWidget(self.label, 1)
        if closable:
            close = QToolButton()
            close.setIcon(icon("close"))
            close.setIconSize(QSize(12, 12))
            close.setAutoRaise(True)
            close.setToolTip(self.tr("Dismiss"))
            close.setAccessibleName(self.tr("Dismiss"))
            close.clicked.connect(self.hide)
            layout.addWidget(close, 0, Qt.AlignTop)
        theme.notifier.changed.connect(self._paint_mark)
        self.hide()

    @pyqtSlot()
    def _paint_mark(self, *_: object) -> None:
        self._mark.setPixmap(icon("warning", self._color).pixmap(16, 16))

    def say(self, text: str) -> None:
        """Show ``text``, or hide the bar if it is empty."""
        self.label.setText(text)
        self.label.setToolTip(plain(text) if any(len(word) > LONG for word in text.split()) else "")
        self.setVisible(bool(text))
