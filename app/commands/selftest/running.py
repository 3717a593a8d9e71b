"""A run of ``listening-post selftest``: every server answers a client over real sockets, in a temporary folder.

It is for packaged programs: a module or file that the package lacks is noticed only when it is used.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from time import monotonic
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError

from app import events
from app.capture.filters import language as filters
from app.capture.reading.store import Store
from app.commands.selftest.cases import EXCHANGES, PLUGIN, RELAY, WORKSPACE
from app.errors import PostError
from app.exports import formats as exporters
from app.exports.selection import Selection
from app.files import folders
from app.plugin_loader.table import TABLE
from app.post import Post
from app.sending import open_conversation
from app.sending.conversation import Open
from app.sending.request import Request
from app.sending.url import parse
from app.status import Listening
from app.workspace import reading as workspace

TIMEOUT = 5.0
"""Seconds in which an answer must come."""


@dataclass(frozen=True, slots=True)
class Check:
    """What was checked, and its ``problem``; "" where there is none."""

    name: str
    problem: str
    seconds: float

    def as_json(self) -> dict[str, Any]:
        return {
            "check": self.name,
            "ok": not self.problem,
            "problem": self.problem or None,
            "seconds": round(self.seconds, 3),
        }

    def __str__(self) -> str:
        mark, words = ("FAILED", f": {self.problem}") if self.problem else ("ok", "")
        return f"{mark:<6}  {self.name}{words} ({1000 * self.seconds:.0f} ms)"


class _CheckFailedError(Exception):
    """What a check found is not what it expects."""


class _Run:
    def __init__(self, reactor: Any, folder: Path, report: Callable[[Check], None]) -> None:
        self._reactor, self._folder, self._report = reactor, folder, report
        self.capture = folder / "selftest.lpost"
        self._post: Any = None
        self.failed = False

    async def run(self) -> None:
        """Run the checks that need the servers."""
        await self._check("start every server", self._start)
        if self._post is None:
            return
        for name, url, data, answer in EXCHANGES:
            await self._check(name, partial(self._exchange, url, data, answer))
        await self._check("stop every server", self._stop)

    def check_capture(self) -> None:
        """Run the checks of the capture, once it is complete."""
        checks = [("capture read back", self._read), ("filter over the capture", self._filter)]
        checks += [(f"export to {name}", partial(self._export, name)) for name in exporters.names()]
        for name, check in checks:
            began = monotonic()
            try:
                check()
                self._done(name, began)
            except Exception as e:
                self._done(name, began, e)

    async def _check(self, name: str, check: Callable[[], Awaitable[object]]) -> None:
        began = monotonic()
        try:
            await check()
            self._done(name, began)
        except Exception as e:
            self._done(name, began, e)

    def _done(self, name: str, began: float, error: Exception | None = None) -> None:
        self.failed |= error is not None
        self._report(Check(name, "" if error is None else _described(error), monotonic() - began))

    # -- the servers

    async def _start(self) -> None:
        (self._folder / "plugins").mkdir()
        plugin = self._folder / "plugins" / "selftest_shout.py"
        plugin.write_text(PLUGIN, "utf-8")
        (self._folder / "hello.txt").write_text("from a file", "utf-8")
        TABLE.trust.trust_folder(self._folder)  # in memory only
        path = self._folder / "selftest.toml"
        path.write_text(WORKSPACE, "utf-8")
        post = self._post = Post(self._reactor, workspace.load(path))
        await post.open(self.capture)
        await post.start_all()
        found, problems = workspace.parse(RELAY.format(self._address("tcp-echo")))
        if problems:
            raise _CheckFailedError(str(problems[0]))
        await post.add(found.services[0]).start()
        for service in post.services.values():
            if not isinstance(service.status, Listening):
                raise _CheckFailedError(f"{service.config.name}: {service.status}")

    def _address(self, name: str) -> str:
        status = self._post.services[name].status
        if not isinstance(status, Listening):
            raise _CheckFailedError(f"{name} does not listen")
        return str(status.host)

    async def _stop(self) -> None:
        await self._post.shut_down()
        if self._post.recorder.lost:
            raise _CheckFailedError(f"{self._post.recorder.lost} events were lost")

    # -- the clients

    async def _exchange(self, url: str, data: bytes | None, answer: bytes) -> None:
        """Send ``data`` to ``url``, in which ``{name}`` stands for a service's address, and wait for ``answer``."""
        before, _, rest = url.partition("{")
        name, _, after = rest.partition("}")
        request = Request(parse(f"{before}{self._address(name)}{after}"))
        conversation = open_conversation(request, self._post.sender)
        received = bytearray()
        answered: Deferred[None] = Deferred()

        def check_answered(_: object = None) -> None:
            if not answered.called and (answer in received or conversation.closed is not None):
                answered.callback(None)

        def on_received(data: bytes) -> None:
            received.extend(data)
            check_answered()

        conversation.received.connect(on_received)
        conversation.status_changed.connect(check_answered)
        answered.addTimeout(TIMEOUT, self._reactor)
        if isinstance(await conversation.connect(), Open) and data is not None:
            await conversation.send(data).addTimeout(TIMEOUT, self._reactor)
        await answered
        closed = conversation.closed
        conversation.close()
        if answer not in received:
            if closed is not None and not received:
                raise _CheckFailedError(closed.reason)
            raise _CheckFailedError(f"answered {bytes(received[:80])!r}")

    # -- the capture

    def _read(self) -> None:
        store = Store(self.capture)
        try:
            found = list(store.events(filters.EVERYTHING, *store.range()))
        finally:
            store.close()
        kinds = [event.kind for event in found]
        if [event.id for event in found] != list(range(1, len(found) + 1)):
            raise _CheckFailedError("the numbers of its events have gaps")
        if kinds.count(events.SERVICE_STARTED) != kinds.count(events.SERVICE_STOPPED):
            raise _CheckFailedError("not every server that started was stopped")
        failures = [event.summary for event in found if event.kind == events.FAILURE]
        if failures:
            raise _CheckFailedError(failures[0])

    def _filter(self) -> None:
        store = Store(self.capture)
        try:
            if not store.count(filters.parse('service == tcp-echo and payload matches "over T.P"')):
                raise _CheckFailedError("it does not find what was sent")
        finally:
            store.close()

    def _export(self, name: str) -> None:
        exporter = exporters.find(name)
        assert exporter is not None
        store, out = Store(self.capture), BytesIO()
        try:
            Selection(store, exporter).write(out)
        finally:
            store.close()
        if not out.tell():
            raise _CheckFailedError("it is empty")


def _described(e: Exception) -> str:
    if isinstance(e, TimeoutError):
        return f"no answer within {TIMEOUT:.0f} seconds"
    return str(e) if isinstance(e, (_CheckFailedError, PostError)) else f"{type(e).__name__}: {e}"


def run(reactor: Any, *, as_json: bool) -> int:
    """Run every check and print a line for each. Returns the exit code: 1 when a check failed."""

    def report(check: Check) -> None:
        print(json.dumps(check.as_json()) if as_json else check, flush=True)

    with tempfile.TemporaryDirectory(prefix="listening-post-", ignore_cleanup_errors=True) as folder:
        # The user's authority, plugins and captures are neither used nor changed.
        os.environ[folders.ELSEWHERE] = str(Path(folder, "data"))
        checks = _Run(reactor, Path(folder), report)

        async def run_checks() -> None:
            try:
                await checks.run()
            finally:
                reactor.stop()

        reactor.callWhenRunning(lambda: Deferred.fromCoroutine(run_checks()))
        reactor.run()
        if checks.capture.exists():
            checks.check_capture()
    if checks.failed:
        print("listening-post: this program is not complete", file=sys.stderr)
    return int(checks.failed)
