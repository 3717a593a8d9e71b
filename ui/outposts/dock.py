"""The dock with all outposts: how they are, and what can be done with them and their services."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtCore import QPoint, Qt, QTimer, pyqtSignal
from PyQt5.QtWidgets import QDockWidget, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from app.outposts.console import Console
from app.outposts.ways.carrier import Lost
from ui.forms.form import Wrapped
from ui.outposts import words
from ui.outposts.changes import OutpostChanges
from ui.outposts.menu import OutpostMenu
from ui.outposts.tree import OutpostTree
from ui.parts.bottom_dock import BottomDock
from ui.parts.line import Line

TICK = 1000
"""Milliseconds between two looks at how long is still waited, while something is."""


class OutpostsDock(BottomDock):
    """A tree of outposts and services, with a menu for each.

    Signals:
        new_wanted(): another outpost.
        asked(str, object): this request of this outpost.
        wanted(str, str, str): one of ``menu.WANTED``, of this outpost, or of its service if the last is not empty.
    """

    new_wanted = pyqtSignal()
    asked = pyqtSignal(str, object)
    wanted = pyqtSignal(str, str, str)

    def __init__(self, changes: OutpostChanges, clock: Callable[[], float], parent: QWidget | None = None) -> None:
        """``clock``: the reactor's, in seconds."""
        super().__init__(parent)
        self.setWindowTitle(self.tr("Outposts"))
        self.setObjectName("outposts dock")
        self.setAllowedAreas(Qt.BottomDockWidgetArea | Qt.TopDockWidgetArea)
        self.setFeatures(QDockWidget.DockWidgetClosable)
        self._changes, self._clock = changes, clock
        self._console: Console | None = None
        self.figures = Line()
        self.new = QPushButton(self.tr("Add an outpost…"))
        self.now = QPushButton(self.tr("Connect now"))
        self.tree = OutpostTree()
        self.first = QPushButton(self.tr("Add an outpost…"))
        self.first.setAutoDefault(False)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.tree)
        self._stack.addWidget(self._empty())
        self.setWidget(self._stack)
        self.set_title(self.tr("OUTPOSTS"), self.figures, self.now, self.new)
        self._timer = QTimer(self)
        self._timer.setInterval(TICK)
        self._timer.timeout.connect(self.refresh)
        self.new.clicked.connect(self.new_wanted)
        self.first.clicked.connect(self.new_wanted)
        self.now.clicked.connect(self._connect_all)
        self.tree.customContextMenuRequested.connect(self._open_menu)
        self.tree.itemActivated.connect(lambda _: self._on_activated())
        self.refresh()

    def _empty(self) -> QWidget:
        empty = QWidget()
        empty.setProperty("surface", "panel")
        empty.setAttribute(Qt.WA_StyledBackground)
        column = QVBoxLayout(empty)
        column.setContentsMargins(16, 8, 16, 12)
        column.setSpacing(8)
        self.why = Wrapped("")
        column.addWidget(self.why)
        column.addWidget(self.first, 0, Qt.AlignLeft)
        column.addStretch(1)
        return empty

    def follow(self, console: Console) -> None:
        """Show the outposts of this console."""
        self._console = console
        self.refresh()

    # -- what is shown

    def refresh(self) -> None:
        """Outposts have changed, or there are others."""
        if self.isHidden():
            self._timer.stop()
            return
        self.tree.show_console(self._console, self._clock())
        outposts = list(self._console.outposts.values()) if self._console is not None else []
        held = len(self._console.held) if self._console is not None else 0
        up = sum(words.lamp_of(outpost) == "listening" for outpost in outposts)
        lost = [outpost for outpost in outposts if isinstance(outpost.carrier.way, Lost)]
        said = [self.tr("{count} connected").format(count=up)] if up else []
        said += [self.tr("{count} lost").format(count=len(lost))] if lost else []
        said += [self.tr("{count} not trusted").format(count=held)] if held else []
        if self.figures.text() != ", ".join(said):
            self.figures.setText(", ".join(said))
        none = self._changes.why_none
        self.why.setText(
            none
            or self.tr(
                "There is no outpost yet. An outpost is a Listening Post on another machine, or in "
                "another process on this one. Its events appear here. From here you start and stop its "
                "services, and switch their faults."
            )
        )
        for button in (self.new, self.first):
            button.setEnabled(not none)
            button.setToolTip(none)
        self.now.setVisible(bool(lost))
        self.new.setVisible(bool(outposts) or bool(held))
        self._stack.setCurrentIndex(0 if outposts or held else 1)
        if lost and not self._timer.isActive():
            self._timer.start()
        elif not lost:
            self._timer.stop()

    def _connect_all(self) -> None:
        for outpost in list(self._console.outposts.values()) if self._console is not None else []:
            outpost.carrier.now()

    def begin(self) -> None:
        """Take the keyboard."""
        (self.tree if self._stack.currentIndex() == 0 else self.first).setFocus(Qt.ShortcutFocusReason)

    # -- what can be done

    def _on_activated(self) -> None:
        if self.tree.place is not None:
            self.wanted.emit("events", *self.tree.place)

    def _open_menu(self, at: QPoint) -> None:
        place = self.tree.place
        if place is not None:
            menu = self.menu(*place)
            menu.setAttribute(Qt.WA_DeleteOnClose)
            menu.popup(self.tree.viewport().mapToGlobal(at))

    def menu(self, name: str, service: str) -> OutpostMenu:
        """What can be done with an outpost, or with one of its services."""
        outpost = self._console.outposts.get(name) if self._console is not None else None
        menu = OutpostMenu(name, service, outpost, self)
        menu.asked.connect(self.asked)
        menu.wanted.connect(self.wanted)
        return menu
