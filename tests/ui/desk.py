"""A capture that grows by hand, a reader that answers at once, a Post without sockets."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from PyQt5.QtCore import QEvent, QEventLoop, Qt, QTimer
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QDialogButtonBox, QFileDialog, QLineEdit, QMessageBox
from twisted.internet.defer import maybeDeferred
from twisted.internet.testing import MemoryReactorClock

from app import events
from app.capture.filters.language import Filter
from app.capture.reading.exchange_at import Exchanged, exchange_at
from app.capture.reading.reader import Found, Matches, Scan
from app.capture.reading.store import Store
from app.capture.recorder import Stored
from app.capture.writing.batch import FIELDS
from app.capture.writing.file import CaptureFile
from app.events import Event, Row
from app.post import Post
from app.services.config import ServiceConfig
from app.workspace.reading import Workspace

SERVICES = [("alpha", "tcp"), ("beta", "udp")]
BASE = 1_700_000_000_000_000_000
LIMIT = 2_000_000_000


class Capture:
    """A capture file that a test writes."""

    def __init__(self, path: Path, limit: int = LIMIT) -> None:
        self.path = path
        self._file = CaptureFile(path, "run", limit)
        self._sequence = 0
        self._closed = False

    def add(
        self,
        payloads: Iterable[bytes | None],
        service: int = 1,
        kind: int = events.DATA_RECEIVED,
        summary: str | None = None,
        step: int = 1_000_000,
    ) -> Stored:
        """Store one batch of events, ``step`` ns apart."""
        found = list(payloads)
        count = len(found)
        flat: list[Any] = [None] * (FIELDS * count)
        start = BASE + self._file.last * step
        flat[0::FIELDS] = range(start, start + count * step, step)
        flat[1::FIELDS] = [kind] * count
        flat[2::FIELDS] = [service] * count
        flat[3::FIELDS] = [0] * count
        flat[5::FIELDS] = found
        flat[6::FIELDS] = [summary] * count
        return self.store(flat)

    def store(self, flat: list[Any]) -> Stored:
        self._sequence += 1
        self._file.store((self._sequence, SERVICES if self._sequence == 1 else None, flat))
        return self.stored

    @property
    def stored(self) -> Stored:
        return Stored(self._file.first, self._file.last, self._file.used())

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._file.close()

    def move(self, path: Path) -> None:
        """Finish the file and put it at ``path``."""
        self.close()
        self.path.rename(path)


class InstantReader:
    """As ``app.capture.reading.reader.Reader``, but answers before its methods return.

    Attributes:
        asked: first ids of the pages that were asked for.
        held: answers that are kept back while ``holding``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._store = Store(path)
        self.asked: list[int] = []
        self.holding = False
        self.held: list[Callable[[], object]] = []

    def rows(self, ids: array[int], done: Callable[[list[Row]], object]) -> None:
        self.asked.append(ids[0])
        self._answer(lambda: done(self._store.rows(ids)))

    def event(self, id: int, done: Callable[[Event | None], object]) -> None:
        self._answer(lambda: done(self._store.event(id)))

    def exchange(self, id: int, done: Callable[[Exchanged | None], object]) -> None:
        self._answer(lambda: done(exchange_at(self._store, id)))

    def read(self, read: Callable[[Store], Any], nothing: Any, done: Callable[[Any], object]) -> None:
        self._answer(lambda: done(read(self._store)))

    def scan(self, where: Filter, first: int, last: int, found: Found, matches: Matches = Store.matches) -> Scan:
        scan = Scan(where, first, last, found, matches)

        def work() -> None:
            at = first
            while at <= last and not scan.cancelled:
                ids, upto = matches(self._store, where, at, last)
                scan.deliver(ids, upto, upto >= last)
                at = upto + 1

        self.held.append(work)
        if not self.holding:
            # A real one never answers before the caller has the scan in its hands.
            QTimer.singleShot(0, self.release)
        return scan

    def _answer(self, answer: Callable[[], object]) -> None:
        if self.holding:
            self.held.append(answer)
        else:
            answer()

    def release(self) -> None:
        """Give the answers that were held back."""
        while self.held:
            self.held.pop(0)()

    def close(self) -> None:
        self._store.close()


def config(name: str = "echo", port: int = 9007, host: str = "127.0.0.1", **more: Any) -> ServiceConfig:
    return ServiceConfig(name, more.pop("protocol", "tcp"), host, port, more.pop("responder", "echo"), **more)


def memory_post(*configs: ServiceConfig) -> tuple[Post, MemoryReactorClock]:
    """A Post whose services listen in memory, on a clock that stands still."""
    reactor = MemoryReactorClock()
    post = Post(reactor, Workspace(configs))
    post.sender.in_thread = maybeDeferred  # type: ignore[method-assign] - it has no threads
    return post, reactor


class Peer:
    """Stands for a live connection. ``done`` lists what was asked of it."""

    def __init__(self, number: int, peer: str = "") -> None:
        self.number = number
        self.peer = peer or f"127.0.0.1:{50_000 + number % 10_000}"
        self.host = "127.0.0.1:9007"
        self.opened = BASE
        self.received = self.sent = 0
        self.ours = False
        self.done: list[object] = []

    def send(self, data: bytes) -> None:
        self.done.append(data)

    def finish(self, why: str = "closed by us") -> None:
        self.done.append("finish")

    def abort(self) -> None:
        self.done.append("abort")

    def on_pressure(self, pressed: bool) -> None:
        self.done.append(pressed)


def settle() -> None:
    """Let Qt do all that waits, deletions included."""
    for _ in range(3):
        QApplication.sendPostedEvents(None, QEvent.DeferredDelete)
        QApplication.processEvents(QEventLoop.AllEvents)


class Answer(QTimer):
    """Answers the next modal dialog as ``reply`` does, once it is there.

    Attributes:
        asked: texts of the message boxes that came.
    """

    def __init__(self, reply: Callable[[Any], object]) -> None:
        super().__init__()
        self._reply = reply
        self.asked: list[str] = []
        self.timeout.connect(self._look)
        self.start(5)

    def _look(self) -> None:
        dialog = QApplication.activeModalWidget()
        if dialog is not None and dialog.isVisible():
            self.stop()
            if isinstance(dialog, QMessageBox):
                self.asked.append(dialog.text())
            self._reply(dialog)


def pressing(button: QMessageBox.StandardButton) -> Answer:
    """Presses that button of the next message box."""
    return Answer(lambda box: QTest.mouseClick(box.button(button), Qt.LeftButton))


def type_file(dialog: QFileDialog, path: Path) -> None:
    """Type a path into a file dialog."""
    field = dialog.findChild(QLineEdit, "fileNameEdit")
    assert field is not None
    dialog.selectFile(str(path))  # does nothing once the field has the keyboard
    field.setText(str(path))  # counts for nothing before that


def accept_file(dialog: QFileDialog, path: Path) -> None:
    """Type a path into a file dialog and accept it."""
    buttons = dialog.findChild(QDialogButtonBox)
    assert buttons is not None
    type_file(dialog, path)
    for button in buttons.buttons():
        if buttons.buttonRole(button) == QDialogButtonBox.AcceptRole:
            button.setEnabled(True)  # it waits for a thread that reads the folder
            button.click()


def choosing(path: Path) -> Answer:
    """Types that path into the next file dialog and accepts it."""
    return Answer(lambda dialog: accept_file(dialog, path))


def do(window: Any, name: str) -> None:
    """Trigger an action of the window, as its menu does."""
    assert window.actions_[name].isEnabled(), name
    window.actions_[name].trigger()
    settle()
