"""This program: what it takes from the system, and what grows in it since a mark."""

from __future__ import annotations

from collections import Counter
from time import time_ns

from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtGui import QHideEvent, QShowEvent
from PyQt5.QtWidgets import QCheckBox, QDialog, QFrame, QHBoxLayout, QTabWidget, QVBoxLayout, QWidget

from app.post import Post
from app.program import objects
from app.program.figures import FIGURES, written
from app.program.objects import Allocated, Tracing
from ui.forms.form import Words, column
from ui.looks.declared import in_words
from ui.looks.english import form_of
from ui.looks.times import clock
from ui.parts.copying import copy
from ui.parts.line import Line
from ui.parts.told_button import told_button
from ui.program.listing import Listing

EVERY = 1000
"""Milliseconds between two readings of the figures while they can be seen."""

TRACING = Tracing()
"""Python traces for the whole process, and goes on when the dialog is closed."""


class ProgramDialog(QDialog):
    """Figures, with what they were at a mark; objects by type, Deferreds that wait, and memory by line.

    It reads the figures only while it can be seen, and counts objects when asked to: that takes a moment, in which
    services do not answer.
    """

    def __init__(self, post: Post, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._post = post
        self._marked: dict[str, int] = {}
        self._types: Counter[str] = Counter()
        self._asked = 0
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowFlag(Qt.WindowContextHelpButtonHint, False)
        self.setWindowTitle(self.tr("This program"))
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY)
        self._timer.timeout.connect(self.refresh)
        titles = [self.tr("Figure"), self.tr("Now"), self.tr("At the mark"), self.tr("Change")]
        self.figures = Listing(self.tr("Figures of the program"), titles, len(FIGURES) + 1, len(FIGURES) + 1)
        self.words = Line()
        self.words.setProperty("role", "dim")
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setAccessibleName(self.tr("Pages of figures"))
        self.tabs.addTab(self._objects(), self.tr("&Objects"))
        self.tabs.addTab(self._deferreds(), self.tr("&Deferreds"))
        self.tabs.addTab(self._memory(), self.tr("&Memory"))
        self._lay_out()
        self.set_mark()

    # -- making

    def _lay_out(self) -> None:
        mark = told_button(self.tr("Set m&ark"), self.tr("Compare later figures with those of now"), self.set_mark)
        count = told_button(
            self.tr("&Count"), self.tr("Count objects and Deferreds, and read the traced memory"), self.count
        )
        line = QHBoxLayout()
        line.addWidget(self.words, 1)
        line.addWidget(mark)
        line.addWidget(count)
        upper = QFrame()
        upper.setProperty("surface", "panel")
        inside = QVBoxLayout(upper)
        inside.setContentsMargins(24, 16, 24, 8)
        inside.addWidget(self.figures)
        inside.addLayout(line)
        foot = QFrame()
        foot.setProperty("surface", "window")
        buttons = QHBoxLayout(foot)
        buttons.setContentsMargins(24, 12, 24, 12)
        close = told_button(self.tr("Close"), self.tr("Close this window"), self.close)
        buttons.addWidget(told_button(self.tr("Co&py as text"), self.tr("Copy all figures as text"), self.copy))
        buttons.addStretch()
        buttons.addWidget(close)
        self.setLayout(column(upper, self.tabs, foot))
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.setStretch(1, 1)
        # Words that wrap need more lines where it is narrow, which Qt leaves out for windows.
        self.setMinimumHeight(self.minimumSizeHint().height() + 3 * self.fontMetrics().height())
        self.resize(self.fontMetrics().horizontalAdvance("0") * 92, self.sizeHint().height())

    def _objects(self) -> QWidget:
        titles = [self.tr("Type"), self.tr("Now"), self.tr("Change")]
        self.objects = Listing(self.tr("Objects by type"), titles, 6)
        self.objects.setTextElideMode(Qt.ElideLeft)  # the end of a name tells more than its beginning
        words = Words()
        words.say(
            self.tr(
                "Types with more or fewer objects than at the mark. Objects from the program's start are not counted."
            )
        )
        return _page(words, self.objects)

    def _deferreds(self) -> QWidget:
        self.recording = QCheckBox(self.tr("&Record where Deferreds are created"))
        self.recording.setChecked(objects.records_deferreds())
        self.recording.toggled.connect(objects.record_deferreds)
        words = Words()
        words.say(
            self.tr(
                "Records where each new Deferred is created. Everything that uses Deferreds is slower while this is on."
            )
        )
        self.deferreds = Listing(
            self.tr("Deferreds that have not fired"), [self.tr("Created in"), self.tr("Waiting")], 4
        )
        self.waiting = Words()
        return _page(self.recording, words, self.waiting, self.deferreds)

    def _memory(self) -> QWidget:
        self.tracing = QCheckBox(self.tr("&Trace memory by the line that allocates it"))
        self.tracing.setChecked(TRACING.on)
        self.tracing.toggled.connect(self._on_tracing)
        words = Words()
        words.say(self.tr("Traces new allocations only. Everything is much slower while this is on."))
        titles = [self.tr("Line"), self.tr("Change"), self.tr("Blocks")]
        self.memory = Listing(self.tr("Memory by line"), titles, 4)
        return _page(self.tracing, words, self.memory)

    # -- what is shown

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        self._timer.stop()
        super().hideEvent(event)

    def refresh(self) -> None:
        """Read the figures."""
        now = self._post.figures.read()
        rows = []
        for figure in FIGURES:
            if figure.name in now:
                number, before = now[figure.name], self._marked.get(figure.name, 0)
                change = written(figure.name, number - before, change=True)
                rows.append(
                    (in_words(figure.title), written(figure.name, number), written(figure.name, before), change)
                )
        longest = self._post.loop.turns.longest() * 1000
        rows.append((self.tr("Longest turn of the reactor"), f"{longest:,.0f} ms", "", ""))
        self.figures.show_rows(rows)

    def set_mark(self) -> None:
        """Compare with now from now on."""
        self._marked = self._post.figures.read()
        self.refresh()
        self._types = objects.types()
        self.words.setText(self.tr("Mark: {time}").format(time=clock(time_ns()).partition(".")[0]))
        self._trace(mark=True)
        self._count_objects()

    def count(self) -> None:
        """Count objects and Deferreds, and read what was traced."""
        self._count_objects()
        self._trace()

    def _count_objects(self) -> None:
        found = objects.changes(self._types, objects.types())
        self.objects.show_rows([(name, f"{now:,}", f"{change:+,}") for name, now, change in found])
        waiting = objects.waiting().most_common(objects.MOST)
        unknown = self.tr("(not recorded)")
        self.deferreds.show_rows([(where or unknown, f"{number:,}") for where, number in waiting])
        self.waiting.say(self._waiting_words(sum(number for _, number in waiting)))

    def _waiting_words(self, number: int) -> str:
        if not number:
            return self.tr("No Deferred is waiting.")
        return self.tr("{count:,} Deferred(s) (is|are) waiting.", "", form_of(number)).format(count=number)

    def _on_tracing(self, on: bool) -> None:
        TRACING.turn(on)
        self._trace(mark=on)

    def _trace(self, *, mark: bool = False) -> None:
        """Read what was traced, or set the mark, which takes long."""

        def read() -> list[Allocated]:
            if mark:
                TRACING.mark()
            return TRACING.grown()

        self._asked += 1
        if TRACING.on:
            self._post.sender.in_thread(read).addCallback(self._show_memory, self._asked)
        else:
            self._show_memory([], self._asked)

    def _show_memory(self, found: list[Allocated], asked: int) -> None:
        if asked == self._asked:
            rows = [(row.where, f"{row.size / 1000:+,.1f} kB", f"{row.count:+,}") for row in found]
            self.memory.show_rows(rows)

    def done(self, result: int) -> None:
        self._asked = -1  # what is still read has nobody who looks at it
        super().done(result)

    def text(self) -> str:
        """All that is shown."""
        listings = (self.figures, self.objects, self.deferreds, self.memory)
        parts = [self.words.text(), *(listing.text() for listing in listings if listing.rowCount())]
        return "\n\n".join(parts) + "\n"

    def copy(self) -> None:
        copy(self.text(), self.tr("Copied the figures of the program"))


def _page(*widgets: QWidget) -> QFrame:
    page = QFrame()
    page.setProperty("surface", "panel")
    inside = QVBoxLayout(page)
    inside.setContentsMargins(24, 12, 24, 12)
    for widget in widgets:
        inside.addWidget(widget)
    inside.setStretch(len(widgets) - 1, 1)
    return page
