"""The failures pane: the groups above, and below the failures of the selected group."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Any

from PyQt5.QtCore import QT_TRANSLATE_NOOP, QPoint, Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QAction, QFrame, QHBoxLayout, QSplitter, QToolButton, QVBoxLayout, QWidget

from app import events
from app.capture.filters.language import of_kind
from app.capture.reading import groups, losses
from app.capture.reading.groups import Group, Mark
from app.capture.reading.losses import Lost
from app.capture.reading.reader import Reader
from app.capture.reading.store import Store
from app.capture.recorder import Recorder, Stored
from app.events import Event
from app.failures.report import report
from ui.detail.sheet import visible
from ui.forms.form import set_property
from ui.looks.declared import in_words
from ui.looks.english import form_of
from ui.panes.event_pane import EventPane
from ui.panes.group_table import GroupTable, message
from ui.parts.line import Line
from ui.parts.scrolled import Scrolled

NO_FAILURES = QT_TRANSLATE_NOOP(
    "declared",
    "No failure so far.\n\nWhen a responder raises an exception, its traceback, its local "
    "values\nand the bytes that caused it are kept here. The service goes on.",
)

LINES = 6
"""Lines of text in the height that the pane has at least."""

REST, SHARE = 400, 5
"""The least milliseconds between two readings of the groups; the same as a multiple of the last one's duration."""

Found = tuple[tuple[Mark, list[Group]] | None, float, int, list[Lost] | None] | None
"""The groups, the seconds that reading them took, how many events are missing, and which; None: as before."""


class FailurePane(EventPane):
    """Groups of failures, and the failures of the selected group, or all.

    Attributes:
        _open: failures of groups that are not resolved; ``_seen``: all failures when these were counted.

    Signals:
        counted(): ``unresolved`` may have changed.
        group_changed: another group is selected, or the state of the selected one has changed.
        group_menu_wanted: the global position of a context menu for the selected group.
    """

    counted = pyqtSignal()
    group_changed = pyqtSignal()
    group_menu_wanted = pyqtSignal(QPoint)

    def __init__(self, recorder: Recorder, reader: Reader, parent: QWidget | None = None) -> None:
        super().__init__(reader, of_kind(*events.FAILURES), in_words(NO_FAILURES), parent)
        self._recorder = recorder
        self._mark: Mark = ()
        self._lost, self._losses = 0, list[Lost]()
        self._open = self._seen = 0
        self._resolving = False
        self._asking: object = None
        self._wanted = self._to_newest = False
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(self._go_on)
        self.table = GroupTable()
        self._lay_out_groups()
        self.table.chosen.connect(self._on_chosen)
        self.table.menu_wanted.connect(self.group_menu_wanted)
        self.events.loaded.connect(self._on_loaded)
        self._show_groups([])

    def _lay_out_groups(self) -> None:
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        # It is in its place before it holds anything.
        self.splitter = QSplitter(Qt.Vertical, self)
        self._room = Scrolled(self.splitter, LINES)
        layout.addWidget(self._room)
        self.splitter.addWidget(self.table)
        below = QWidget(self.splitter)
        self.title, self.words = Line(), Line()
        self.words.hide()
        self.bar = QFrame(below)
        self.bar.setProperty("surface", "window")
        self._row = QHBoxLayout(self.bar)
        self._row.setContentsMargins(12, 2, 8, 2)
        self._row.setSpacing(4)
        self._row.addWidget(self.title, 3)
        self._row.addWidget(self.words, 2)
        column = QVBoxLayout(below)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self.view, 1)
        column.addWidget(self._below)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(1)
        self.splitter.addWidget(below)
        self.splitter.setStretchFactor(1, 1)

    def set_actions(self, actions: Mapping[str, QAction]) -> None:
        """Show buttons for the actions on a group."""
        for name in ("resolve_group", "reopen_group", "send_again", "save_report"):
            actions[name].setIconText(f" {actions[name].text().replace('&', '')}")  # Qt leaves no room between them
            button = QToolButton()
            button.setDefaultAction(actions[name])
            button.setToolButtonStyle(Qt.ToolButtonTextBesideIcon)
            button.setFocusPolicy(Qt.TabFocus)
            self._row.addWidget(button)
            actions[name].changed.connect(lambda b=button, a=actions[name]: self._show_button(b, a))
            self._show_button(button, actions[name])

    def _show_button(self, button: QToolButton, action: QAction) -> None:
        # Only one of these two is possible at a time; the other one is hidden.
        if action.objectName() in ("resolve_group", "reopen_group"):
            button.setVisible(action.isEnabled())

    # -- what is known of the groups

    def group(self) -> Group | None:
        """The selected group."""
        return self.table.current()

    @property
    def unresolved(self) -> int:
        """How many failures are in groups that are not resolved; new ones count until their groups are read."""
        return self._open + max(0, self._recorder.failures - self._seen)

    def group_of(self, event: Event) -> Group | None:
        """The group of a failure; None until the groups are read."""
        wanted = event.detail.get("group")
        return next((group for group in self.table.groups.groups if group.fingerprint == wanted), None)

    def set_reader(self, reader: Reader) -> None:
        self._mark = ()
        self._lost, self._losses = 0, []
        self._open = self._seen = 0
        self._asking = None
        super().set_reader(reader)
        self._look()

    def on_stored(self, stored: Stored) -> None:
        super().on_stored(stored)
        self._look()

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        self._look()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fold()

    def _fold(self) -> None:
        """Leave out the failures of the group where there is no room for them: the actions on it stay in view."""
        least = self.table.minimumSizeHint().height() + self.bar.sizeHint().height()
        fits = self.height() >= least + self.view.minimumSizeHint().height() + self.splitter.handleWidth()
        self.view.setVisible(fits or self.table.isHidden())

    def let_go(self) -> None:
        self._pause.stop()
        super().let_go()

    def _look(self) -> None:
        # The tab has a count of them, which only changes with a failure or with what is resolved.
        wanted = self.isVisible() or self._resolving or self._recorder.failures > self._seen
        if self._asking is not None or self._pause.isActive() or not wanted:
            self._wanted = True
        else:
            self._ask()

    def _go_on(self) -> None:
        if self._wanted:
            self._look()

    def _ask(self) -> None:
        self._wanted = False
        asking = self._asking = object()
        known = self._mark

        counted, seen = self._lost, self._recorder.failures
        idle = getattr(self._recorder, "idle", True)  # then all of them are in the capture

        def read(store: Store) -> Found:
            began = perf_counter()
            found, lost = groups.groups(store, known), losses.count(store)
            missing = losses.each(store) if lost != counted else None
            return found, perf_counter() - began, lost, missing

        def done(found: Found) -> None:
            if asking is not self._asking or self._closed:
                return
            self._asking = None
            if found is not None and found[3] is not None:
                self._lost, self._losses = found[2], found[3]
            if found is not None and idle:
                self._seen = seen
            if found is not None and found[0] is not None:
                self._resolving = False
                self._pause.start(max(REST, round(found[1] * 1000 * SHARE)))
                self._mark = found[0][0]
                self._show_groups(found[0][1])

        nothing: Found = None
        self._reader.read(read, nothing, done)

    def _show_groups(self, found: list[Group]) -> None:
        before = len(self.table.groups.groups)
        self.table.show_groups(found)
        self._open = sum(group.count for group in found if group.state != "resolved")
        self._seen = max(self._seen, sum(group.count for group in found))
        self.counted.emit()
        self.table.setVisible(bool(found))
        self.bar.setVisible(bool(found))
        if not before and found:
            height = self.table.sizeHint().height()
            self.splitter.setSizes([height, max(height, self.height() - height)])
        self._fold()
        self._name()

    def _name(self) -> None:
        group = self.group()
        if group is None:
            count = sum(group.count for group in self.table.groups.groups)
            self.title.setText(self._all_words(count, self._open))
        else:
            times = self.tr("once") if group.count == 1 else self.tr("{count:,} time(s)", "", form_of(group.count))
            times, said = times.format(count=group.count), message(group)
            self.title.setText(f"{visible(group.type)}{f': {said}' if said else ''} · {times}")
        self.group_changed.emit()

    def _all_words(self, count: int, unresolved: int) -> str:
        if not unresolved:
            text = self.tr("({count} failure, resolved|All {count} failures are resolved)", "", form_of(count))
        elif unresolved == count:
            text = self.tr("(|All ){count} failure(s)", "", form_of(count))
        else:
            text = self.tr("All {count} failure(s), {unresolved} not resolved", "", form_of(count))
        return text.format(count=f"{count:,}", unresolved=f"{unresolved:,}")

    # -- one is selected

    def _on_chosen(self, _: str) -> None:
        group = self.group()
        self.tell("")
        self._to_newest = group is not None
        self.events.set_base(group.filter if group else of_kind(*events.FAILURES))
        self._name()

    def _on_loaded(self) -> None:
        if self._to_newest and not self.events.scanning and len(self.events):
            self._to_newest = False
            self.view.set_current(len(self.events) - 1)

    # -- what can be done

    def tell(self, words: str, *, bad: bool = False) -> None:
        """Show the result of an action."""
        set_property(self.words, "role", "error" if bad else "dim")
        self.words.setText(words)
        self.words.setVisible(bool(words))

    def begin(self) -> None:
        """Give the focus to the groups, where there are some; the first is selected unless another one is."""
        if self.table.isHidden():
            return
        if self.group() is None:
            self.table.selectRow(0)
        self.table.setFocus(Qt.ShortcutFocusReason)

    def resolve(self, *, reopened: bool = False) -> None:
        """Mark the selected group as resolved, or with ``reopened`` as not resolved."""
        group = self.group()
        if group is not None:
            self._resolving = True
            self._recorder.resolve(group.fingerprint, group.summary, reopened=reopened)

    def report(self, event: Event) -> str:
        """A report of the failure for a bug tracker, in Markdown."""
        record, group = groups.record_of(event.detail), self.group_of(event)
        if group is None:
            missing = losses.around(self._losses, event.time, event.time).in_words()
            return report(
                record, event.payload, first=event.time, last=event.time, services=[event.service], missing=missing
            )
        seen = {"count": group.count, "first": group.first, "last": group.last}
        missing = losses.around(self._losses, group.first, group.last).in_words()
        return report(record, event.payload, **seen, services=group.services, missing=missing)
