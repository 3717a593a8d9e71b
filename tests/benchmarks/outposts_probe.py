"""A console that reads one outpost, timed, with a pane that shows it.

Arguments: the outpost as JSON (what a workspace says of it, or ``{"pipe": COMMAND}``), a capture, the ids to read, and
the bytes that are sent afterwards. Prints JSON: events a second, and seconds from the wire to the console's capture
and to the row in its pane.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from pathlib import Path
from time import perf_counter, time_ns
from typing import Any

from PyQt5.QtCore import qInstallMessageHandler
from PyQt5.QtWidgets import QApplication
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

qInstallMessageHandler(lambda *_: None)  # the offscreen platform warns of features that it lacks
application = QApplication(sys.argv[:1])

from ui.boot import choose_reactor  # noqa: E402
from ui.looks import english  # noqa: E402

english.install(application)

reactor: Any = choose_reactor()

from app.capture.reading.reader import Reader  # noqa: E402
from app.events import DATA_RECEIVED  # noqa: E402
from app.outposts.console import Console  # noqa: E402
from app.outposts.following import Following  # noqa: E402
from app.outposts.ways.configured import Ways  # noqa: E402
from app.outposts.ways.process import ProcessEndpoint  # noqa: E402
from app.outposts.ways.stream import StreamCarrier  # noqa: E402
from app.post import Post  # noqa: E402
from app.workspace.outposts import OutpostConfig  # noqa: E402
from ui.bridge import Bridge  # noqa: E402
from ui.panes.event_pane import EventPane  # noqa: E402

PATIENCE = 120.0
"""Seconds for all of it."""


class Stored:
    """How long events took to the capture: ``delays``, in seconds; ``bytes`` that they have."""

    def __init__(self, post: Post, capture: Path) -> None:
        self.delays: list[float] = []
        self.bytes = 0
        self._db = sqlite3.connect(capture)
        self._last = post.recorder.range.last
        post.recorder.stored_changed.connect(self._on_stored)

    def _on_stored(self, _: Any) -> None:
        now = time_ns()
        sql = "SELECT id, kind, time, size FROM stored WHERE id > ?"
        for id, kind, when, size in self._db.execute(sql, (self._last,)):
            self._last = id
            if kind == DATA_RECEIVED:
                self.bytes += size
                self.delays.append((now - when) / 1e9)


class Shown:
    """How long events took until their row could be drawn: ``delays``, in seconds; ``bytes`` that they have."""

    def __init__(self, post: Post, capture: Path) -> None:
        self.delays: list[float] = []
        self.bytes = 0
        self._bridge = Bridge(post)
        self._reader = Reader(capture, reactor.callFromThread)
        self._pane = EventPane(self._reader)
        self._pane.resize(1000, 600)
        self._pane.show()
        self._pane.on_stored(post.recorder.range)
        self._pane.events.activate(True)
        self._bridge.ticked.connect(self._pane.on_stored)
        self._pane.events.loaded.connect(self._look)
        self._pane.events.appended.connect(self._look)
        self._next = 0

    def begin(self) -> None:
        """What is shown now was not waited for."""
        self._next = len(self._pane.events)

    @property
    def idle(self) -> bool:
        return not self._pane.events.scanning and len(self._pane.events) > 0

    def _look(self, *_: Any) -> None:
        now, events = time_ns(), self._pane.events
        while 0 < self._next < len(events) and (row := events.row(self._next)) is not None:
            self._next += 1
            if row.kind == DATA_RECEIVED:
                self.bytes += row.size or 0
                self.delays.append((now - row.time) / 1e9)

    def close(self) -> None:
        self._bridge.close()
        self._pane.let_go()
        self._pane.close()
        self._reader.close()


def _added(console: Console, said: dict[str, Any]) -> Following:
    if "pipe" in said:
        words = [shutil.which("sh") or "sh", "-c", said["pipe"]]
        way = StreamCarrier(reactor, "pipe", ProcessEndpoint(reactor, words, lambda code, said: said))
        return console.add("far", way)
    config = OutpostConfig(**said)
    return console.add(config.name, Ways(reactor).to(config, Path("/")))


async def _measure(said: dict[str, Any], capture: Path, last: int, sent: int) -> dict[str, Any]:
    post = Post(reactor)
    await post.open(capture)
    console = Console(reactor, post, "bench")
    console.open()
    outpost = _added(console, said)
    while outpost.outpost is None:  # what it takes to start is not what is measured
        await deferLater(reactor, 0.001)
    began = perf_counter()
    while not any(read.last >= last for read in outpost.progress()) or not post.recorder.idle:
        await deferLater(reactor, 0.002)
    seconds = perf_counter() - began

    stored, shown = Stored(post, capture), Shown(post, capture)
    while not shown.idle:
        await deferLater(reactor, 0.01)
    shown.begin()
    print("ready", flush=True)
    while min(stored.bytes, shown.bytes) < sent:  # two messages may come as one
        await deferLater(reactor, 0.01)
    shown.close()
    await console.close()
    await post.shut_down()
    return {"rate": last / seconds, "stored": stored.delays, "shown": shown.delays}


def main(said: str, capture: str, last: str, sent: str) -> None:
    done: list[Any] = []
    asked = Deferred.fromCoroutine(_measure(json.loads(said), Path(capture), int(last), int(sent)))
    asked.addTimeout(PATIENCE, reactor)
    asked.addBoth(done.append)
    asked.addBoth(lambda _: reactor.callLater(0, reactor.stop))
    reactor.run()
    if not isinstance(done[0], dict):
        done[0].printTraceback()
        sys.exit(1)
    print(json.dumps(done[0]))


if __name__ == "__main__":
    main(*sys.argv[1:])
