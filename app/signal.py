"""A plain typed observer list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Signal(Generic[T]):
    """Calls its listeners with one value, in the order in which they connected.

    Holds its listeners strongly: whoever connects for a shorter life than the signal's
    calls the returned function to disconnect.
    """

    __slots__ = ("_listeners",)

    def __init__(self) -> None:
        self._listeners: list[Callable[[T], object]] = []

    def connect(self, listener: Callable[[T], object]) -> Callable[[], None]:
        """Call ``listener`` with each value from now on. Returns what disconnects it."""
        self._listeners.append(listener)

        connected = True

        def disconnect() -> None:
            nonlocal connected
            if connected:  # else an equal listener that connected later would go
                connected = False
                self._listeners.remove(listener)

        return disconnect

    def emit(self, value: T) -> None:
        for listener in tuple(self._listeners):
            listener(value)
