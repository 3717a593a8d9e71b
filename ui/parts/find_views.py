"""Searching in all views of a page, as if they were one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from PyQt5.QtWidgets import QScrollArea, QWidget

from app.text.finding import MOST

FAR = 1 << 48
"""More than any view has places: the number of a place is that of its view, times this, plus that in its view."""


class Target(Protocol):
    """A view in which can be searched."""

    @property
    def widget(self) -> QWidget: ...

    def places(self, typed: str, *, case: bool) -> Iterator[int | None]:
        """Where ``typed`` is, in order; None after each piece that was looked through."""

    def selected(self) -> str:
        """What to type for what is selected; empty where that is too long, or nothing."""

    def cursor(self) -> int:
        """Where the view's cursor, or what is selected, begins."""

    def show(self, start: int, typed: str) -> None:
        """Select this place of ``typed`` and bring it into view."""

    def deselect(self) -> None:
        """Select nothing."""

    def mark(self, starts: list[int], typed: str) -> None:
        """Mark these places of ``typed``; none with an empty list."""

    def watch(self, changed: Callable[[], object]) -> Callable[[], None]:
        """Call ``changed`` when there is another content. Returns what ends that."""

    def kind(self, typed: str) -> str:
        """What is searched for, if that is not a text; for the user."""


class Views:
    """Several targets, in the order in which they are read. Those that are not visible are passed over.

    Attributes:
        current: the target that the user looks at: with the focus, or with the place that was shown last.
    """

    def __init__(self, targets: list[Target]) -> None:
        """``targets`` is not empty."""
        self._targets = targets
        self.current = next((one for one in targets if one.widget.isVisible()), targets[0])

    @property
    def widget(self) -> QWidget:
        return self.current.widget

    def look_at(self, widget: QWidget | None) -> bool:
        """Make the target that ``widget`` is the current one. False if it is none, or was it already."""
        found = next((one for one in self._targets if one.widget is widget and one is not self.current), None)
        self.current = found or self.current
        return found is not None

    def places(self, typed: str, *, case: bool) -> Iterator[int | None]:
        count = 0
        for number, target in enumerate(self._targets):
            if not target.widget.isVisible():
                continue
            for place in target.places(typed, case=case):
                yield None if place is None else number * FAR + place
                count += place is not None
                if count == MOST:
                    return

    def selected(self) -> str:
        return self.current.selected()

    def deselect(self) -> None:
        self.current.deselect()

    def cursor(self) -> int:
        return self._targets.index(self.current) * FAR + self.current.cursor()

    def show(self, start: int, typed: str) -> None:
        number, place = divmod(start, FAR)
        if self.current is not self._targets[number]:
            self.current.deselect()
            self.current = self._targets[number]
        self.current.show(place, typed)
        _bring_into_view(self.widget)

    def mark(self, starts: list[int], typed: str) -> None:
        for number, target in enumerate(self._targets):
            target.mark([start % FAR for start in starts if start // FAR == number], typed)

    def watch(self, changed: Callable[[], object]) -> Callable[[], None]:
        ends = [target.watch(changed) for target in self._targets]

        def end() -> None:
            for one in ends:
                one()

        return end

    def kind(self, typed: str) -> str:
        return self.current.kind(typed)


def _bring_into_view(widget: QWidget) -> None:
    """Scroll to a view that stands in an area which is too small for all of them."""
    around = widget.parentWidget()
    while around is not None and not isinstance(around, QScrollArea):
        around = around.parentWidget()
    if around is not None:
        around.ensureWidgetVisible(widget)
