"""The page Hex: the bytes of a payload or body."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QSplitter, QWidget

from ui.detail.hex_inspector import HexInspector
from ui.detail.hex_layout import NARROW, ROW
from ui.detail.hex_view import HexView
from ui.detail.page import CutNotice, Page, Subject

MAX_HEX = 16 * 1024 * 1024
"""Bytes that are shown at most."""


class HexPage(Page):
    key, title = "hex", "Hex"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = HexView()
        self.inspector = HexInspector()
        self.notice = CutNotice()
        self.notice.save.connect(self.save)
        self.view.selectionChanged.connect(self._inspect)
        self._sides = QSplitter(Qt.Horizontal)
        self._sides.addWidget(self.view)
        self._sides.addWidget(self.inspector)
        self._sides.setHandleWidth(1)
        self._sides.setCollapsible(0, False)
        self._moved = False
        self._sides.splitterMoved.connect(self._on_moved)
        self._sides.setFocusProxy(self.view)
        self._stack(self.notice, self._sides)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share()

    def show_subject(self, subject: Subject) -> None:
        data = subject.content.data
        self.notice.show_content(subject, min(len(data), MAX_HEX))
        self.view.setPlaceholderText(subject.problem)
        self.view.set_data(data if len(data) <= MAX_HEX else data[:MAX_HEX])
        self._share()
        self._inspect()

    def copied(self) -> str:
        return (self.view.selected_bytes() or self.view.data()).hex(" ")

    def _inspect(self) -> None:
        chosen = self.view.selection()
        self.inspector.show_bytes(self.view.data(), chosen.start, len(chosen))

    def _share(self) -> None:
        """Give the hex view the width that it needs, unless the user has moved the splitter."""
        if not self._moved:
            least = self.inspector.minimumSizeHint().width()
            room = self.width() - least
            widths = [self.view.width_of(row) for row in (ROW, NARROW)]
            needed = next((wide for wide in widths if wide <= room), min(widths[-1], self.width()))
            rest = self.width() - needed
            self._sides.setSizes([needed, rest if rest >= least else 0])

    def _on_moved(self) -> None:
        self._moved = True
