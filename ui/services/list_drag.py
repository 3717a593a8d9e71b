"""Dragging a row of the list of services to another place. It stays inside the list, so it needs no QDrag."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PyQt5.QtCore import QObject, QPoint, QRect, Qt, QTimer
from PyQt5.QtWidgets import QApplication, QListView

EDGE, STEP, EVERY = 16, 8, 30
"""Within so many pixels of its edge the list scrolls, so many pixels, each so many milliseconds."""


@dataclass(frozen=True, slots=True)
class Drop:
    """A place in the list: in ``group``, before or behind the service called ``beside``.

    With an empty ``beside``, it is the end of the group if ``behind``, or its beginning.
    """

    group: str
    beside: str
    behind: bool


def reordered(groups: dict[str, str], name: str, drop: Drop) -> tuple[str, ...]:
    """The order of all services once ``name`` was dropped.

    ``groups``: the group of each service by its name, in the order of the workspace.
    """
    rest = [other for other in groups if other != name]
    members = [other for other in rest if groups[other] == drop.group]
    beside = drop.beside
    if not beside and members:
        beside = members[-1 if drop.behind else 0]
    if beside == name:
        return tuple(groups)
    ends = len(rest) if drop.group else 0
    at = rest.index(beside) + drop.behind if beside in rest else ends
    rest.insert(at, name)
    return tuple(rest)


class Drag(QObject):
    """The drag that is under way, if there is one.

    Attributes:
        line: where the row would go, in the viewport; None while nothing is dragged, or it would go nowhere.
    """

    def __init__(self, view: QListView, find: Callable[[QPoint, str], tuple[Drop, QRect] | None]) -> None:
        """``find(point, name)``: where that service goes if it is dropped there, and the line that shows it."""
        super().__init__(view)
        self._view, self._find = view, find
        self._name, self._from, self._at = "", QPoint(), QPoint()
        self._moving = False
        self._drop: Drop | None = None
        self.line: QRect | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY)
        self._timer.timeout.connect(self._scroll)

    def prepare(self, name: str, point: QPoint) -> None:
        """The left button was pressed on the row of this service."""
        self._name, self._from, self._moving = name, point, False

    def move(self, point: QPoint) -> bool:
        """The mouse moves with its button down. True if that drags."""
        if not self._name:
            return False
        if not self._moving and (point - self._from).manhattanLength() >= QApplication.startDragDistance():
            self._moving = True
            self._view.viewport().setCursor(Qt.ClosedHandCursor)
            self._timer.start()
        if self._moving:
            self._at = point
            self._look()
        return self._moving

    def finish(self) -> tuple[Drop | None, str]:
        """The button was released. Where the row goes, if anywhere, and the name of its service."""
        drop, name = self._drop, self._name
        self.cancel()
        return drop, name

    def cancel(self) -> bool:
        """Give the drag up. True if there was one."""
        moving = self._moving
        self._name, self._moving, self._drop = "", False, None
        self._timer.stop()
        if moving:
            self._show(None)
            self._view.viewport().setCursor(Qt.ArrowCursor)
        return moving

    def _look(self) -> None:
        found = self._find(self._at, self._name)
        self._drop = found[0] if found else None
        self._show(found[1] if found else None)

    def _show(self, line: QRect | None) -> None:
        if line != self.line:
            self.line = line
            self._view.viewport().update()

    def _scroll(self) -> None:
        bar, height = self._view.verticalScrollBar(), self._view.viewport().height()
        step = -STEP if self._at.y() < EDGE else STEP if self._at.y() > height - EDGE else 0
        if step:
            bar.setValue(bar.value() + step)
            self._look()
