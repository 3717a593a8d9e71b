"""The dock with all watches."""

from __future__ import annotations

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QDockWidget, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from app.post import Post
from ui.forms.form import tab_through
from ui.parts.bottom_dock import BottomDock
from ui.parts.line import Line
from ui.parts.scrolled import Scrolled
from ui.watch.changes import WatchChanges
from ui.watch.empty import NoWatches
from ui.watch.row import WatchRow

LINES = 6
"""Lines of text for which there is always room."""


class WatchDock(BottomDock):
    """A row for each watch, in the order of the workspace.

    Attributes:
        rows: by the name of the watch.

    Signals:
        new_wanted(str), edit_wanted(str): a watch on this service ("": on something else), or this watch in its form.
        events_wanted(str): the events of this watch.
        alert_wanted(str): somebody is to be told when this watch is down.
    """

    new_wanted = pyqtSignal(str)
    edit_wanted = pyqtSignal(str)
    events_wanted = pyqtSignal(str)
    alert_wanted = pyqtSignal(str)

    def __init__(self, post: Post, changes: WatchChanges, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Watches"))
        self.setObjectName("watch dock")
        self.setAllowedAreas(Qt.BottomDockWidgetArea | Qt.TopDockWidgetArea)
        self.setFeatures(QDockWidget.DockWidgetClosable)
        self._post, self._changes = post, changes
        self.rows: dict[str, WatchRow] = {}
        self.figures = Line()
        self.new = QPushButton(self.tr("New watch…"))
        self.pause_all = QPushButton()
        self.empty = NoWatches()
        self._lay_out()
        self.new.clicked.connect(lambda: self.new_wanted.emit(""))
        self.pause_all.clicked.connect(self._pause_all)
        self.empty.wanted.connect(self.new_wanted)
        self.refresh()

    def _lay_out(self) -> None:
        self._list = QWidget()
        self._list.setProperty("surface", "panel")
        self._list.setAttribute(Qt.WA_StyledBackground)
        self._column = QVBoxLayout(self._list)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addStretch(1)
        self._stack = QStackedWidget()
        for part in (self._list, self.empty):
            self._stack.addWidget(Scrolled(part, LINES))
        self.setWidget(self._stack)
        self.set_title(self.tr("WATCHES"), self.figures, self.new, self.pause_all)

    # -- what is shown

    def refresh(self) -> None:
        """Watches have checked, or there are others."""
        if self.isHidden():
            return
        watches = self._post.watches
        order = list(self.rows) != list(watches)
        for name in [name for name in self.rows if name not in watches]:
            row = self.rows.pop(name)
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        for name, watch in watches.items():
            if name in self.rows:
                self.rows[name].show_watch(watch)
            else:
                self._make(name)
        if order:
            self.rows = {name: self.rows[name] for name in watches}
            for at, row in enumerate(self.rows.values()):
                self._column.removeWidget(row)
                self._column.insertWidget(at, row)
                row.show()
            tab_through(self.new, self.pause_all, *self.rows.values())
        self.empty.offer(self._changes.watchable())
        self._stack.setCurrentIndex(0 if watches else 1)
        self._count()

    def _make(self, name: str) -> None:
        row = self.rows[name] = WatchRow(self._post.watches[name])
        row.arrange(self.width())
        row.now.connect(lambda: self._post.watches.check_now(name))
        row.paused.connect(lambda on: self._post.watches.pause(name, on))
        row.events_wanted.connect(lambda: self.events_wanted.emit(name))
        row.alert_wanted.connect(lambda: self.alert_wanted.emit(name))
        row.edit_wanted.connect(lambda: self.edit_wanted.emit(name))
        row.removed.connect(lambda: self._changes.remove(name))

    def _count(self) -> None:
        watches = list(self._post.watches.values())
        running = [watch for watch in watches if not (watch.paused or watch.held)]
        up, down = (sum(watch.state == state for watch in running) for state in ("up", "down"))
        paused = sum(watch.paused for watch in watches)
        rest = len(watches) - up - down - paused
        words = [self.tr("{count} up").format(count=up)] if up else []
        words += [self.tr("{count} down").format(count=down)] if down else []
        words += [self.tr("{count} unknown").format(count=rest)] if rest else []
        words += [self.tr("{count} paused").format(count=paused)] if paused else []
        said = ", ".join(words)
        if said != self.figures.text():
            self.figures.setText(said)
        going = any(not watch.paused for watch in watches)
        self.pause_all.setText(self.tr("Pause all") if going else self.tr("Resume all"))
        self.new.setVisible(bool(watches))
        self.new.setEnabled(not self._changes.full)
        self.pause_all.setVisible(bool(watches))

    def _pause_all(self) -> None:
        watches = self._post.watches
        going = any(not watch.paused for watch in watches.values())
        for name in list(watches):
            watches.pause(name, going)

    # -- the dock itself

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for row in self.rows.values():
            row.arrange(event.size().width())

    def begin(self) -> None:
        """Take the keyboard."""
        (self.new if self.rows else self.empty.other).setFocus(Qt.ShortcutFocusReason)
