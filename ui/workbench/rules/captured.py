"""A menu of what a service received last, to be tried again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PyQt5 import sip
from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QMenu, QPushButton

from app.capture.reading.exchange_at import Exchanged
from app.capture.reading.latest import latest
from app.capture.reading.reader import Reader
from app.events import Event
from app.exports.copying.request import headers_of
from app.text.escapes import escape
from ui.parts.labels import unmarked

SHOWN = 15
"""Entries of the menu."""

CHARS = 64
"""Characters of an entry."""


class CapturedMenu(QPushButton):
    """A button with the menu; the capture is read when it is opened.

    Attributes:
        service: the name of the service.
        messages: the messages in bytes that came, as the service's framing has them.

    Signals:
        picked(str): a request as it is typed: its first line, headers and body; or a message with escapes.
    """

    picked = pyqtSignal(str)

    def __init__(self, reader: Reader, protocol: str) -> None:
        super().__init__()
        self._reader, self._protocol = reader, protocol
        self.service = ""
        self.messages: Callable[[bytes], list[bytes]] = lambda data: [data]
        self.setText(self.tr("Captured"))
        self.setToolTip(self.tr("Pick one of the last requests or messages of this service"))
        self.setAutoDefault(False)
        self.entries = QMenu(self)
        self.entries.aboutToShow.connect(self._read)
        self.setMenu(self.entries)

    def _read(self) -> None:
        self.entries.clear()
        self.entries.addAction(self.tr("Searching…")).setEnabled(False)
        service, protocol = self.service, self._protocol
        nothing: list[Event] = []
        self._reader.read(lambda store: latest(store, service, protocol, SHOWN), nothing, self._fill)

    def _fill(self, events: list[Event]) -> None:
        if sip.isdeleted(self):  # the page was closed meanwhile
            return
        self.entries.clear()
        for event in events:
            text = event.summary if len(event.summary) <= CHARS else f"{event.summary[: CHARS - 1]}…"
            self.entries.addAction(unmarked(text)).triggered.connect(partial(self._pick, event))
        if not events:
            self.entries.addAction(self.tr("Nothing received yet")).setEnabled(False)
        if self.entries.isVisible():
            self.entries.popup(self.entries.pos())  # measures it again

    def _pick(self, event: Event, _checked: bool = False) -> None:
        self.pick(event)

    def pick(self, event: Event) -> None:
        """Emit ``picked`` for an event of the capture, once it was read."""
        if self._protocol == "http":
            self._reader.exchange(event.id, self._on_exchange)
        else:
            payload = event.payload or b""
            self.picked.emit(escape(next(iter(self.messages(payload)), payload)))

    def _on_exchange(self, found: Exchanged | None) -> None:
        if found is not None and found.request is not None and not sip.isdeleted(self):
            self.picked.emit(as_typed(found))


def as_typed(found: Exchanged) -> str:
    """The request of an exchange as one types it: the first line, the headers, an empty line, the body."""
    assert found.request is not None
    detail = found.request.detail
    lines = [f"{detail.get('method', 'GET')} {detail.get('target', '/')}"]
    lines += [f"{name}: {value}" for name, value in headers_of(found.request) if not name.startswith(":")]
    body = found.asked.data.decode("utf-8", "replace") if found.asked is not None else ""
    return "\n".join(lines) + (f"\n\n{body}" if body else "")
