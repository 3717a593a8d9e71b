"""Actions on an HTTP exchange: copy it as a curl command, a Python program or text; make a rule of a mock of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from PyQt5.QtCore import QObject, pyqtSignal

from app.capture.reading.reader import Reader
from app.events import Event

if TYPE_CHECKING:
    from app.capture.reading.exchange_at import Exchanged
    from app.capture.reading.store import Store


class ExchangeActions(QObject):
    """Reads the exchange of an event, and makes something of it.

    Signals:
        copied: text for the clipboard, and what it is, in words.
        failed: why it did not work, or what is missing, as a sentence.
    """

    copied = pyqtSignal(str, str)
    failed = pyqtSignal(str)

    def __init__(self, reader: Reader, parent: QObject) -> None:
        super().__init__(parent)
        self._reader = reader

    def copy(self, event: Event, form: str) -> None:
        """Copy the exchange of ``event`` as ``curl``, ``python`` or ``text``."""

        def done(found: Exchanged, secure: bool) -> None:
            from app.exports import copying

            if form == "text":
                self.copied.emit(copying.as_text(found), self.tr("Copied request and answer"))
                return
            request = copying.asked(found, secure=secure)
            if request is None:
                self.failed.emit(self.tr("There is no request to copy: what was sent cannot be read as a request."))
                return
            if form == "curl":
                self.copied.emit(copying.as_curl(request), self.tr("Copied as curl"))
            else:
                self.copied.emit(copying.as_python(request), self.tr("Copied as Python"))
            if request.remarks:
                words = self.tr("Copied with changes. {remarks}")
                self.failed.emit(words.format(remarks=" ".join(request.remarks)))

        self._read(event, done)

    def rule(self, event: Event, take: Callable[[Mapping[str, Any]], object]) -> None:
        """Give ``take`` the rule of a mock that answers as this exchange was answered."""

        def done(found: Exchanged, secure: bool) -> None:
            from app.exports import copying

            rule, left = copying.as_rule(found)
            take(rule)
            if left:
                self.failed.emit(" ".join(left))

        self._read(event, done)

    def _read(self, event: Event, done: Callable[[Exchanged, bool], None]) -> None:
        def read(store: Store) -> tuple[Exchanged | None, bool]:
            from app.capture.reading.exchange_at import exchange_at  # h11 is imported only when an exchange is read
            from app.capture.reading.streams import about

            connection = about(store, event.conn) if event.conn is not None else None
            return exchange_at(store, event.id), connection is not None and connection.tls

        def on_read(answer: tuple[Exchanged | None, bool]) -> None:
            found, secure = answer
            if found is None:
                self.failed.emit(self.tr("This exchange is not in the capture. It may have been dropped."))
            else:
                done(found, secure)

        nothing: tuple[Exchanged | None, bool] = (None, False)
        self._reader.read(read, nothing, on_read)
