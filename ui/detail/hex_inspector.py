"""Shows the selected bytes as numbers and times, in both byte orders."""

from __future__ import annotations

from PyQt5.QtCore import QSize
from PyQt5.QtGui import QResizeEvent, QTextBlockFormat, QTextOption
from PyQt5.QtWidgets import QSizePolicy, QWidget

from app.text.byte_values import VALUES, read
from ui.detail.facts import NOTHING
from ui.detail.sheet import MARGIN, Sheet
from ui.looks.english import form_of

NAME, VALUE, GAP = 7.5, 21.5, 1.5
"""Widths of the column of names, of one of values at least, and between two, in characters."""

SMALLER = -1
"""Points added to the font size, so that the table fits beside the bytes in a window of 1366 pixels."""


class HexInspector(Sheet):
    """A table of values: name, little-endian, big-endian. Where it is narrow, big-endian stands below little-endian.

    If one byte is selected, the values begin at that byte. If several are, only those are read.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bytes = b""
        self._title = ""
        self._beside = True
        self.document().setDocumentMargin(4)
        self.setLineWrapMode(Sheet.NoWrap)
        self.setSizePolicy(QSizePolicy.Preferred, QSizePolicy.Expanding)
        self.setAccessibleName(self.tr("Selected bytes as numbers"))
        self.show_bytes(b"", 0, 0)

    def sizeHint(self) -> QSize:
        return QSize(int(self._small() * (NAME + 2 * VALUE)) + 2 * MARGIN, 100)

    def minimumSizeHint(self) -> QSize:
        return QSize(int(self._small() * (NAME + VALUE)), 40)

    def _small(self) -> float:
        return self.character() * (self.font().pointSizeF() + SMALLER) / self.font().pointSizeF()

    def show_bytes(self, data: bytes, start: int, count: int) -> None:
        """Show ``count`` bytes of ``data`` from ``start`` as values; if ``count`` is 0 or 1, up to 8 bytes."""
        self._bytes = data[start : start + (8 if count <= 1 else min(count, 8))]
        if not data:
            self._title = ""
        elif not count:
            self._title = self.tr("from the first byte on: select others to read them")
        elif count == 1:
            self._title = self.tr("from byte {start:,} ({start:#x}) on").format(start=start)
        else:
            words = self.tr("{count:,} byte(s) selected from {start:,} ({start:#x})", "", form_of(count))
            self._title = words.format(count=count, start=start)
        self.rewrite()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._fits() is not self._beside:
            self.rewrite()

    def rewrite(self) -> None:
        self._beside = self._fits()  # first: lines that come and go resize it, too
        super().rewrite()

    def _values(self, *, little: bool) -> list[str]:
        return [read(self._bytes, name, little=little) or NOTHING for name in VALUES]

    def _second(self) -> float:
        """Where the column of big-endian values begins beside the other, in characters."""
        return NAME + max(VALUE, GAP + max(map(len, self._values(little=True))))

    def _fits(self) -> bool:
        """Whether both columns have room beside each other: no figure is cut."""
        widest = self._second() + max(map(len, self._values(little=False)))
        # With room for the scroll bar, whether it is there or not: it comes and goes with the lines.
        room = self.width() - self.verticalScrollBar().sizeHint().width() - 2 * self.frameWidth()
        return self._small() * widest + 2 * self.document().documentMargin() <= room

    def write(self) -> None:
        if not self._bytes:
            return
        dim = self.voice("dim", words=True, larger=SMALLER)
        faint, text = (self.voice(color, larger=SMALLER) for color in ("dim", "text"))
        layout = QTextBlockFormat()
        stops = (NAME, self._second())
        layout.setTabPositions([QTextOption.Tab(self._small() * stop, QTextOption.LeftTab) for stop in stops])
        orders = ("little-endian", "big-endian")
        columns = [[order, *self._values(little=order == orders[0])] for order in orders]
        for shown in [columns] if self._beside else [[column] for column in columns]:
            for name, *row in zip(("", *VALUES), *shown, strict=True):
                parts = [(name, dim)]
                for value in row:
                    parts += [("\t", text), (value, dim if not name else faint if value == NOTHING else text)]
                self.line(*parts, layout=layout)
        self.line((self._title, dim), layout=layout)
