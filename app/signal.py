"""Signals without Qt: a typed list of listeners."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Signal(Generic[T]):
    """Calls its listeners with one value, in the order in which they connected.

    It holds strong references to listeners. A listener that lives shorter than the signal must be
    disconnected, by the function that ``connect`` returns.
    """

    __slots__ = ("_listeners",)

    def __init__(self) -> None:
        self._listeners: list[Callable[[T], object]] = []

    def connect(self, listener: Callable[[T], object]) -> Callable[[], None]:
        """Call ``listener`` with each value from now on. Returns a function that disconnects it."""
        self._listeners.append(listener)

        connected = True

        def disconnect() -> None:
            nonlocal connected
            if connected:  # a second call must not remove an equal listener that connected later
                connected = False
                self._listeners.remove(listener)

        return disconnect

    def emit(self, value: T) -> None:
        for listener in tuple(self._listeners):
            listener(value)
