"""The bar above the forms while changes wait for a restart."""

from __future__ import annotations

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton

from ui.looks.english import form_of


class RestartBar(QFrame):
    """Says what applying would close, and offers it.

    Signals:
        applied(): apply, and restart the service.
        discarded(): forget the changes.
    """

    applied = pyqtSignal()
    discarded = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("notice", "warning")
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.PlainText)
        self.apply_button = QPushButton(self.tr("&Apply and restart"))
        self.apply_button.setToolTip(self.tr("Apply all changes and restart the service (Ctrl+Return)"))
        self.apply_button.setProperty("primary", True)
        self.apply_button.clicked.connect(self.applied)
        self.discard = QPushButton(self.tr("Discard"))
        self.discard.setToolTip(self.tr("Discard the changes that are not applied"))
        self.discard.clicked.connect(self.discarded)
        row = QHBoxLayout(self)
        row.setContentsMargins(13, 6, 12, 6)
        row.setSpacing(8)
        row.addWidget(self.words, 1)
        for button in (self.discard, self.apply_button):
            button.setAutoDefault(False)
            row.addWidget(button)
        self.hide()

    def say(self, connections: int) -> None:
        """Show the bar for a service with so many connections; -1: nothing waits."""
        if connections > 0:
            words = self.tr(
                "Some changes need a restart, which closes {count:,} connection(s).", "", form_of(connections)
            )
        else:
            words = self.tr("Some changes need a restart.")
        self.words.setText(words.format(count=connections))
        self.setVisible(connections >= 0)
