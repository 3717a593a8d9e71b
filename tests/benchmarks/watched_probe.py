"""Runs the program, and notes each half second what it has recorded and what that took.

python -m tests.benchmarks.watched_probe OUTPUT alternate|steady [what the program takes]

With ``alternate``, slices follow each other of three kinds: nothing, the reactor watched, and metrics scraped once
besides. A client in this process scrapes them, as one from outside would; its work counts as well.
"""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path
from time import thread_time
from typing import Any

from app.commands import main as cli
from ui import boot

SLICE = 0.5
"""Seconds."""

NOTHING, WATCHED, SCRAPED = KINDS = ("nothing", "watched", "watched and scraped")
"""What a slice has; they take turns in this order."""


class Probe:
    """Samples of the running program: one at each end of a slice."""

    def __init__(self, window: Any, alternate: bool) -> None:
        from twisted.internet import reactor, task

        self._post, self._server = window._post, window.metrics
        self._reactor: Any = reactor
        self._alternate = alternate
        self._turns = self._post.loop.turns
        self.samples: list[dict[str, Any]] = []
        self._slices = 0
        self._call = task.LoopingCall(self._note)
        self._reactor.callWhenRunning(self._begin)

    def _begin(self) -> None:
        from twisted.internet.defer import Deferred

        Deferred.fromCoroutine(self._server.use("127.0.0.1:0"))
        self._call.start(SLICE)

    def _note(self) -> None:
        figures = self._post.figures.read()
        sample = {
            "seen": self._post.recorder.seen,
            "cpu": thread_time(),
            "kind": KINDS[self._slices % len(KINDS)],
            "objects": len(gc.get_objects()),
        }
        self._slices += 1
        kind = KINDS[self._slices % len(KINDS)]
        if self._alternate:
            self._turns.began = 0.0
            self._reactor.turns = None if kind == NOTHING else self._turns
        if (kind == SCRAPED or not self._alternate) and self._server.address:
            self._scrape()
        self.samples.append({**figures, **sample, "cpu_after": thread_time()})

    def _scrape(self) -> None:
        from twisted.internet.protocol import ClientFactory, Protocol

        class Scrape(Protocol):
            def connectionMade(self) -> None:
                assert self.transport is not None
                self.transport.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

        host, _, port = self._server.address.rpartition(":")
        self._reactor.connectTCP(host, int(port), ClientFactory.forProtocol(Scrape))


def main() -> None:
    output, how, *arguments = sys.argv[1:]
    probes: list[Probe] = []
    made = boot._window

    def with_probe(*values: Any) -> Any:
        window, reader = made(*values)
        probes.append(Probe(window, how == "alternate"))
        return window, reader

    boot._window = with_probe
    code = cli.main(arguments, boot.run)
    Path(output).write_text(json.dumps(probes[0].samples))
    sys.exit(code)


if __name__ == "__main__":
    main()
