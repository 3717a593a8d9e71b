"""The stream windows that belong to another window."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PyQt5.QtWidgets import QWidget

from app.capture.reading.reader import Reader
from ui.bridge import Bridge
from ui.parts.progress_line import InThread

if TYPE_CHECKING:
    from ui.streams.view import StreamView


class StreamWindows:
    """Opens stream windows, one for each connection, and closes them with their parent.

    Attributes:
        open: those that are open.
    """

    def __init__(
        self, reader: Reader, in_thread: InThread, parent: QWidget, open_in_send: Callable[[int], object]
    ) -> None:
        """``open_in_send`` fills the Send dock with what the event with this id was sent with."""
        self._reader, self._in_thread, self._parent = reader, in_thread, parent
        self._open_in_send = open_in_send
        self.open: list[StreamView] = []

    def follow(self, bridge: Bridge) -> None:
        """Show what is stored from now on."""
        bridge.ticked.connect(self._on_stored)

    def show(self, connection: tuple[int, bool]) -> None:
        """Show the stream of a connection, given by its number, and whether that is the number of a live one."""
        from ui.streams.view import StreamView

        stream = next((stream for stream in self.open if stream.asked == connection), None)
        if stream is None:
            stream = StreamView(connection, self._reader, self._in_thread, self._parent)
            stream.closed.connect(partial(self.open.remove, stream))
            stream.send_wanted.connect(self._open_in_send)
            self.open.append(stream)
        stream.show()
        stream.raise_()
        stream.activateWindow()

    def close(self) -> None:
        for stream in list(self.open):
            stream.close()

    def _on_stored(self) -> None:
        for stream in self.open:
            stream.on_stored()
