"""What was sent from the dock last: kept in a file of the user, picked again from a menu or by Ctrl+Up."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtWidgets import QMenu
from twisted.internet.defer import Deferred, DeferredLock

from app.text.escapes import one_line
from app.workspace import history
from app.workspace.history import Past
from app.workspace.message import Message
from ui.looks import times
from ui.looks.icons import icon
from ui.parts.labels import unmarked

IN_MENU = 25
"""Messages that the menu offers; Ctrl+Up goes through all of them."""

MOST = 70
"""Characters of a message in the menu."""

InThread = Callable[..., "Deferred[Any]"]


class SentHistory(QObject):
    """The messages that were sent, the newest first.

    Attributes:
        past: the messages.

    Signals:
        chosen(object): the user wants this ``Message`` again.
        failed(str): the file cannot be written; a sentence.
    """

    chosen = pyqtSignal(object)
    failed = pyqtSignal(str)

    def __init__(self, in_thread: InThread, file: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._in_thread, self._file = in_thread, file
        self._writing = DeferredLock()
        self._loaded = False
        self.past: tuple[Past, ...] = ()
        self._at = -1
        self._draft: Message | None = None

    def load(self) -> Deferred[Any]:
        """Read the file, once, in a thread."""
        if self._loaded:
            return Deferred.fromCoroutine(_nothing())
        self._loaded = True

        def loaded(found: tuple[Past, ...]) -> None:
            for past in (*reversed(found), *reversed(self.past)):
                self.past = history.added(self.past, past)

        return self._in_thread(history.load, self._file).addCallback(loaded)

    def add(self, message: Message) -> None:
        """A message is sent."""
        self._at, self._draft = -1, None
        self.past = history.added(self.past, Past(time.time(), message))
        self._save()

    def tell(self, message: Message, outcome: str) -> None:
        """What came of this message, if it is the last one that was sent."""
        if self.past and self.past[0].message == message and self.past[0].outcome != outcome:
            self.past = (Past(self.past[0].time, message, outcome), *self.past[1:])
            self._save()

    def clear(self) -> None:
        """Forget all of them, in the file, too."""
        self._at, self._draft, self.past = -1, None, ()
        self._save()

    def step(self, by: int, now: Message) -> Message | None:
        """The message before (1) or after (-1) the one that was picked last; ``now`` is what the form has.

        After the newest comes what was in the form at first. None where there is no more.
        """
        at = self._at + by
        if not -1 <= at < len(self.past):
            return None
        if self._at == -1:
            self._draft = now
        self._at = at
        return self.past[at].message if at >= 0 else self._draft

    def fill(self, menu: QMenu) -> None:
        """Put the messages into a menu, with an entry that clears them."""
        menu.clear()
        for past in self.past[:IN_MENU]:
            action = menu.addAction(unmarked(_line(past)))
            action.triggered.connect(lambda _=False, message=past.message: self.chosen.emit(message))
        if not self.past:
            menu.addAction(self.tr("Nothing was sent yet")).setEnabled(False)
        menu.addSeparator()
        clear = menu.addAction(icon("trash"), self.tr("&Clear history"))
        clear.setEnabled(bool(self.past))
        clear.triggered.connect(self.clear)

    def _save(self) -> None:
        # Each write is of what there is when its turn comes.
        self._writing.run(lambda: self._in_thread(_write, self._file, self.past).addCallback(self._on_saved))

    def _on_saved(self, problem: str) -> None:
        if problem:
            self.failed.emit(self.tr("The history of what was sent is not kept: {reason}.").format(reason=problem))


def _write(file: Path, past: tuple[Past, ...]) -> str:
    try:
        history.save(file, past)
    except OSError as e:
        return f"{file}: {e.strerror or e}"
    return ""


def _line(past: Past) -> str:
    message = past.message
    when = datetime.fromtimestamp(past.time, UTC).astimezone(times.zone())
    request = message.method or message.form in ("plain", "json", "form", "multipart") or message.url.startswith("http")
    what = f"{message.method or ('POST' if message.data else 'GET')} " if request else ""
    data = "" if what or not message.data else f"  {message.data}"
    text = one_line(f"{what}{message.url}{data}".replace("\n", " "))
    text = text if len(text) <= MOST else text[: MOST - 1] + "…"
    return f"{when:%H:%M:%S}  {text}" + (f"  →  {past.outcome}" if past.outcome else "")


async def _nothing() -> None:
    return None
