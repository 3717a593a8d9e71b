"""A bar that offers to open the capture of a run that ended without closing it."""

from __future__ import annotations

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from app.capture.keeping.about import About
from app.text.escapes import amount
from ui.looks import theme
from ui.looks.icons import icon
from ui.parts.labels import let_shrink


class RecoveryBar(QFrame):
    """Hidden until it has a capture to offer.

    Signals:
        wanted: the capture is to be opened; carries its path.
    """

    wanted = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("notice", "warning")
        self._found: About | None = None
        self._mark = QLabel()
        self._paint_mark()
        self.label = QLabel()
        self.label.setWordWrap(True)
        self.label.setTextFormat(Qt.PlainText)
        let_shrink(self.label)
        self.open_button = QPushButton("Open &it")
        self.open_button.setToolTip("Read it in a window of its own")
        self.later = QPushButton("N&ot now")
        self.later.setToolTip("It stays in the data folder: File, Open capture finds it there")
        self.open_button.clicked.connect(self._open)
        self.later.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 6, 6)
        row.setSpacing(8)
        row.addWidget(self._mark, 0, Qt.AlignTop)
        row.addWidget(self.label, 1)
        for button in (self.open_button, self.later):
            button.setAutoDefault(False)
            row.addWidget(button, 0, Qt.AlignTop)
        theme.notifier.changed.connect(self._paint_mark)
        self.hide()

    def _paint_mark(self, *_: object) -> None:
        self._mark.setPixmap(icon("warning", "warning").pixmap(16, 16))

    def offer(self, found: About) -> None:
        """Show the bar for this capture."""
        self._found = found
        self.label.setText(
            f"Last time the program ended before it could close its capture. Nothing that was stored is lost: "
            f"{found.last - found.first + 1:,} events, {amount(found.bytes)}.\n{found.path}"
        )
        self.show()

    def _open(self) -> None:
        self.hide()
        if self._found is not None:
            self.wanted.emit(self._found.path)
