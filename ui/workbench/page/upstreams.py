"""The upstreams of a relay that runs: which are there, and what each has to do."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QGridLayout, QLabel, QWidget

from app.responders.relay.balance import Member
from ui.forms.form import Words
from ui.parts.labels import plain
from ui.workbench.page.marks import Lamp

LONGEST = 40
"""Characters of an address that are shown; the tooltip has all of it."""


class UpstreamsView(QWidget):
    """A row for each upstream: a lamp, its address, and what it has served."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: list[tuple[Lamp, QLabel, Words]] = []
        self._shown: tuple[object, ...] | None = None
        self.idle = Words(self)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setColumnStretch(2, 1)
        self._grid.addWidget(self.idle, 0, 0, 1, 3)
        self.show_members(())

    def show_members(self, members: Sequence[Member]) -> None:
        """Show these as they are now; none: the relay does not run."""
        shown = tuple((one.address, one.open, one.served, one.reason) for one in members)
        if shown == self._shown:
            return
        self._shown = shown
        self.idle.say("" if members else self.tr("The service is not running."))
        self.idle.setVisible(not members)
        self._make(len(members))
        for (lamp, address, words), member in zip(self._rows, members, strict=True):
            lamp.set_state("failed" if member.reason else "listening")
            shown_address = member.address if len(member.address) <= LONGEST else f"{member.address[: LONGEST - 1]}…"
            address.setText(shown_address)
            address.setToolTip(plain(member.address))
            figures = self.tr("{served} served, {open} open").format(
                open=f"{member.open:,}", served=f"{member.served:,}"
            )
            words.say(f"{figures}. {member.reason}" if member.reason else figures, "error" if member.reason else "dim")
            state = self.tr("is skipped") if member.reason else self.tr("is reachable")
            lamp.setToolTip(state)
            address.setAccessibleDescription(state)

    def texts(self) -> list[tuple[str, str]]:
        """Address and words of each row."""
        return [(address.text(), words.text()) for _, address, words in self._rows]

    def _make(self, count: int) -> None:
        """Have so many rows."""
        while len(self._rows) > count:
            for widget in self._rows.pop():
                widget.hide()
                widget.deleteLater()
        while len(self._rows) < count:
            row, lamp, address, words = len(self._rows) + 1, Lamp(), QLabel(), Words()
            address.setProperty("role", "mono")
            address.setTextFormat(Qt.PlainText)
            address.setTextInteractionFlags(Qt.TextSelectableByMouse)
            words.setAlignment(Qt.AlignTop)
            self._grid.addWidget(lamp, row, 0, Qt.AlignTop)
            self._grid.addWidget(address, row, 1, Qt.AlignTop)
            self._grid.addWidget(words, row, 2, Qt.AlignTop)
            self._rows.append((lamp, address, words))
