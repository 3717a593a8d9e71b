"""What keeps the selected service from running or answering, in words, and what can be done."""

from __future__ import annotations

import re
from typing import Any

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ui.forms.form import Wrapped, set_property
from ui.parts.labels import let_shrink, plain
from ui.services.list_tips import allowing
from ui.services.rows import ServiceRow

SHOWN = 40
"""Characters of a refused host that fit on the button."""

MOST = 280
"""Characters of the words; the tooltip has all of them."""

_DOTTED = re.compile(r"\b(?=[\w.]{24})[a-z_]\w*(?:\.[A-Za-z_]\w*){2,}")


class TroubleStrip(QFrame):
    """Stands below the list, so that its words take all the lines they need and no row moves.

    Signals:
        edit_wanted, allow_wanted: the service's name.
        try_wanted, stop_wanted: likewise; it is to be tried now, or not any more.
        kill_wanted: the name of a program that answers nobody, and is to be ended at once.
    """

    edit_wanted = pyqtSignal(str)
    allow_wanted = pyqtSignal(str)
    try_wanted = pyqtSignal(str)
    stop_wanted = pyqtSignal(str)
    kill_wanted = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._row: ServiceRow | None = None
        self._shown: tuple[object, ...] = ()
        self.words = Wrapped()
        self.words.setTextInteractionFlags(Qt.TextSelectableByMouse)
        let_shrink(self.words)
        self.allow = QPushButton()
        self.allow.clicked.connect(lambda: self._say(self.allow_wanted))
        self.edit = QPushButton(self.tr("Edit…"))
        self.edit.setToolTip(self.tr("Choose another address or other options"))
        self.edit.clicked.connect(lambda: self._say(self.edit_wanted))
        self.try_now = QPushButton(self.tr("Try now"))
        self.try_now.setToolTip(self.tr("Start now instead of waiting"))
        self.try_now.clicked.connect(lambda: self._say(self.try_wanted))
        self.give_up = QPushButton(self.tr("Stop"))
        self.give_up.setToolTip(self.tr("Stop trying to start"))
        self.give_up.clicked.connect(lambda: self._say(self.stop_wanted))
        self.kill = QPushButton(self.tr("Kill"))
        self.kill.setToolTip(self.tr("Kill the program and the processes that it has started"))
        self.kill.clicked.connect(lambda: self._say(self.kill_wanted))
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.allow)
        buttons.addWidget(self.try_now)
        buttons.addWidget(self.give_up)
        buttons.addWidget(self.kill)
        buttons.addWidget(self.edit)
        buttons.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 8, 8)
        column.setSpacing(8)
        column.addWidget(self.words)
        column.addLayout(buttons)
        self.hide()

    def show_row(self, row: ServiceRow | None) -> None:
        """Show what is wrong with a service; hide if nothing is."""
        self._row = row
        shown = () if row is None else (row.name, row.reason, row.bad, row.refused, row.pid)
        if shown == self._shown:  # not its traffic
            return
        self._shown = shown
        troubled = row is not None and bool(row.reason or row.refused)
        if row is not None and troubled:
            self._fill(row)
        self.setVisible(troubled)

    def _say(self, signal: Any) -> None:
        if self._row is not None:
            signal.emit(self._row.name)

    def _fill(self, row: ServiceRow) -> None:
        set_property(self, "notice", "bad" if row.bad else "warning")
        words = row.reason or allowing(row)
        self.words.setText(_with_breaks(words if len(words) <= MOST else f"{words[: MOST - 1]}…"))
        self.words.setToolTip(plain(words))
        self.words.keep_room()
        self.allow.setVisible(bool(row.refused))
        alive = bool(row.pid)
        self.kill.setVisible(alive)
        of_program = row.label != ""
        self.edit.setVisible((row.bad or row.waits) and not alive and not of_program)
        self.try_now.setVisible(row.waits)
        self.give_up.setVisible(row.waits)
        if row.refused:
            host = row.refused if len(row.refused) <= SHOWN else f"{row.refused[: SHOWN - 1]}…"
            self.allow.setText(self.tr("Allow this host: {host}").format(host=host))
            self.allow.setToolTip(allowing(row))
            name = self.tr("Allow {name} to answer to {host}").format(name=row.name, host=row.refused)
            self.allow.setAccessibleName(name)


def _with_breaks(words: str) -> str:
    """With places to break the line in the long names of exceptions, which a narrow list would cut."""
    return _DOTTED.sub(lambda found: found[0].replace(".", ".\u200b"), words)
