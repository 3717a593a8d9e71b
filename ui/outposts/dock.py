"""The dock with all outposts: how they are, and what can be done with them and their services."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtCore import QPoint, Qt, QTimer, pyqtSignal
from PyQt5.QtWidgets import QAction, QDockWidget, QMenu, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from app.outposts import protocol as p
from app.outposts.carrier import Lost
from app.outposts.console import Console
from app.outposts.following import Following
from ui.forms.form import Wrapped
from ui.looks.icons import icon
from ui.outposts import words
from ui.outposts.changes import OutpostChanges
from ui.outposts.tree import OutpostTree
from ui.parts.bottom_dock import BottomDock
from ui.parts.labels import unmarked
from ui.parts.line import Line

TICK = 1000
"""Milliseconds between two looks at how long is still waited, while something is."""


class OutpostsDock(BottomDock):
    """A tree of outposts and services, with a menu for each.

    Signals:
        new_wanted(), edit_wanted(str), removed(str): of an outpost.
        events_wanted(str, str): the events of an outpost, and of one of its services if the second is not empty.
        asked(str, object): this request of this outpost.
        connections_wanted(str, str): those of a service of an outpost.
    """

    new_wanted = pyqtSignal()
    edit_wanted = pyqtSignal(str)
    removed = pyqtSignal(str)
    events_wanted = pyqtSignal(str, str)
    asked = pyqtSignal(str, object)
    connections_wanted = pyqtSignal(str, str)

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
        self.tree.itemActivated.connect(lambda item: self.events_wanted.emit(*(self.tree.place or ("", ""))))
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

    def _open_menu(self, at: QPoint) -> None:
        place = self.tree.place
        if place is not None:
            menu = self.menu(*place)
            menu.setAttribute(Qt.WA_DeleteOnClose)
            menu.popup(self.tree.viewport().mapToGlobal(at))

    def menu(self, name: str, service: str) -> QMenu:
        """What can be done with an outpost, or with one of its services; greyed with the reason where it cannot."""
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        outpost = self._console.outposts.get(name) if self._console is not None else None
        menu.addAction(self.tr("Show e&vents"), lambda: self.events_wanted.emit(name, service))
        if outpost is not None:
            named = (service,) if service else ()
            start, stop = (self.tr("&Start"), self.tr("S&top")) if service else (
                self.tr("&Start all"), self.tr("S&top all"),
            )  # fmt: skip
            self._add(menu, outpost, start, p.Start(named), "play")
            self._add(menu, outpost, stop, p.Stop(named), "stop")
            self._add_faults(menu, outpost, service)
            connections = menu.addAction(self.tr("&Connections…"), lambda: self.connections_wanted.emit(name, service))
            self._grey(connections, words.why_not(outpost, p.Connections))
            if service:
                self._add(menu, outpost, self.tr("&Remove from its workspace"), p.Remove(service), "trash")
        if not service:
            menu.addSeparator()
            if outpost is not None and isinstance(outpost.carrier.way, Lost):
                menu.addAction(self.tr("Connect &now"), outpost.carrier.now)
            menu.addAction(self.tr("&Edit…"), lambda: self.edit_wanted.emit(name))
            menu.addAction(self.tr("Remove the &outpost"), lambda: self.removed.emit(name))
        return menu

    def _add(self, menu: QMenu, outpost: Following, text: str, request: p.Request, picture: str = "") -> None:
        action = menu.addAction(text, lambda: self.asked.emit(outpost.name, request))
        if picture:
            action.setIcon(icon(picture))
        self._grey(action, words.why_not(outpost, type(request)))

    def _grey(self, action: QAction, why: str) -> None:
        action.setEnabled(not why)
        action.setToolTip(why)

    def _add_faults(self, menu: QMenu, outpost: Following, service: str) -> None:
        found = [one for one in outpost.services if service in ("", one.name) and one.faults]
        if not found:
            return
        faults = menu.addMenu(self.tr("&Faults"))
        faults.setToolTipsVisible(True)
        for one in found:
            for fault in one.faults:
                name = f"{one.name}/{fault.name}"
                to = "off" if fault.enabled else "on"
                action = faults.addAction(unmarked(name[:80]))
                action.setCheckable(True)
                action.setChecked(fault.enabled)
                request = p.SwitchFault(name, to)  # type: ignore[arg-type]
                action.triggered.connect(lambda _, ask=request: self.asked.emit(outpost.name, ask))
                self._grey(action, words.why_not(outpost, p.SwitchFault))
