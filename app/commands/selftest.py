"""``listening-post selftest``: every server answers a real client, through real sockets, in a folder of its own.

It is for programs that were packaged: what such a program lacks shows when it is used.
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

from app import errors, events
from app.capture.filters import language as filters
from app.capture.reading.store import Store
from app.exports import formats as exporters
from app.exports.selection import Selection
from app.files import folders
from app.plugin_loader.table import TABLE
from app.post import Post
from app.sending import open_conversation
from app.sending.conversation import Open, Request
from app.sending.url import parse
from app.status import Listening
from app.workspace import reading as workspace

PATIENCE = 5.0
"""Seconds that one answer may take."""

_SERVICE = '[[service]]\nname = "{}"\nprotocol = "{}"\nlisten = "127.0.0.1:0"\nresponder = "{}"\n'

_SERVICES = (
    ("tcp-echo", "tcp", "echo", ""),
    ("udp-echo", "udp", "echo", ""),
    ("inspector", "http", "inspector", "[service.options]\ncompression = true"),
    ("ws-echo", "websocket", "echo", ""),
    ("tls-echo", "tcp", "echo", "[service.tls]"),
    ("https-inspector", "http", "inspector", "[service.tls]"),
    ("wss-echo", "websocket", "echo", "[service.tls]"),
    ("script", "tcp", "script", """[service.options]
        framing = "delimiter"
        [[service.options.rules]]
        when = "regex"
        match = '^add (?P<a>\\d+)'
        then = ['send {{a}}!\\n']"""),
    ("rest", "http", "rest", ""),
    ("mock", "http", "mock", """[[service.options.rules]]
        path = "/users/{id}"
        body = "mocked" """),
    ("static", "http", "static", "[service.options]\nroot = '.'"),
    ("ssh", "ssh", "manhole", "[service.options]\npassword = 'auto'"),
    ("plugin", "tcp", "selftest_shout", ""),
)  # fmt: skip

_WORKSPACE = "version = 1\n" + "\n".join(_SERVICE.format(*service) + more for *service, more in _SERVICES)

_RELAY = "version = 1\n" + _SERVICE.format("relay", "tcp", "relay") + "[service.options]\nupstream = '{}'"

_PLUGIN = '''
import csv, decimal, statistics, zoneinfo
import app.plugin
from autobahn.twisted.websocket import WebSocketServerProtocol
from twisted.conch.telnet import TelnetTransport
from twisted.internet import endpoints, protocol
from twisted.protocols import amp, basic
from twisted.web import resource, server
from twisted.words.protocols import irc

class Shout(basic.LineReceiver):
    """Says it again, louder."""

    def lineReceived(self, line):
        self.sendLine(line.upper())

class Factory(protocol.Factory):
    protocol = Shout

selftest_shout = Factory()
'''


_COMPRESSED = b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: br\r\nX-Long: %s\r\n\r\n" % (b"x" * 4000)

_QUESTIONS = (
    # What is checked, whom we ask, what we say, and what the answer has in it.
    ("TCP echo", "tcp://{tcp-echo}", b"over TCP", b"over TCP"),
    ("UDP echo", "udp://{udp-echo}", b"over UDP", b"over UDP"),
    ("HTTP inspector", "http://{inspector}/hello", b"over HTTP", b"over HTTP"),
    ("compression", "tcp://{inspector}", _COMPRESSED, b"Content-Encoding: br"),
    ("WebSocket echo", "ws://{ws-echo}", b"over WebSocket", b"over WebSocket"),
    ("TCP echo over TLS", "tls://{tls-echo}", b"over TLS", b"over TLS"),
    ("HTTP inspector over TLS", "https://{https-inspector}/hello", b"over HTTPS", b"over HTTPS"),
    ("WebSocket echo over TLS", "wss://{wss-echo}", b"over WSS", b"over WSS"),
    ("script", "tcp://{script}", b"add 42\r\n", b"42!"),
    ("rest", "http://{rest}/things", b'{"name": "a lamp"}', b"a lamp"),
    ("mock", "http://{mock}/users/7", b"", b"mocked"),
    ("static file", "http://{static}/hello.txt", b"", b"from a file"),
    ("SSH banner", "tcp://{ssh}", None, b"SSH-2.0-"),
    ("relay", "tcp://{relay}", b"through the relay", b"through the relay"),
    ("plugin", "tcp://{plugin}", b"quietly\r\n", b"QUIETLY\r\n"),
)


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, and ``problem``: "" where it is well."""

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


class _WrongError(Exception):
    """An answer is not what it should be."""


class _Run:
    def __init__(self, reactor: Any, folder: Path, say: Callable[[Check], None]) -> None:
        self._reactor, self._folder, self._say = reactor, folder, say
        self.capture = folder / "selftest.lpost"
        self._post: Any = None
        self.failed = False

    async def run(self) -> None:
        """Every check that needs the servers."""
        await self._check("start every server", self._start)
        if self._post is None:
            return
        for name, url, data, answer in _QUESTIONS:
            await self._check(name, partial(self._ask, url, data, answer))
        await self._check("stop every server", self._stop)

    def look_back(self) -> None:
        """Every check of the capture, once it is complete."""
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
        self._say(Check(name, "" if error is None else _words(error), monotonic() - began))

    # -- the servers

    async def _start(self) -> None:
        (self._folder / "plugins").mkdir()
        plugin = self._folder / "plugins" / "selftest_shout.py"
        plugin.write_text(_PLUGIN, "utf-8")
        (self._folder / "hello.txt").write_text("from a file", "utf-8")
        TABLE.trust.set(plugin.resolve(), "load")
        path = self._folder / "selftest.toml"
        path.write_text(_WORKSPACE, "utf-8")
        post = self._post = Post(self._reactor, workspace.load(path))
        await post.open(self.capture)
        await post.start_all()
        found, problems = workspace.parse(_RELAY.format(self._address("tcp-echo")))
        if problems:
            raise _WrongError(str(problems[0]))
        await post.add(found.services[0]).start()
        for service in post.services.values():
            if not isinstance(service.status, Listening):
                raise _WrongError(f"{service.config.name}: {service.status}")

    def _address(self, name: str) -> str:
        status = self._post.services[name].status
        if not isinstance(status, Listening):
            raise _WrongError(f"{name} does not listen")
        return str(status.host)

    async def _stop(self) -> None:
        await self._post.shut_down()
        if self._post.recorder.lost:
            raise _WrongError(f"{self._post.recorder.lost} events were lost")

    # -- the clients

    async def _ask(self, url: str, data: bytes | None, answer: bytes) -> None:
        """Send ``data`` to a URL with a service's name in the place of its address, and wait for ``answer``."""
        before, _, rest = url.partition("{")
        name, _, after = rest.partition("}")
        request = Request(parse(f"{before}{self._address(name)}{after}"))
        conversation = open_conversation(request, self._post.sender)
        got = bytearray()
        answered: Deferred[None] = Deferred()

        def look(_: object = None) -> None:
            if not answered.called and (answer in got or conversation.closed is not None):
                answered.callback(None)

        def take(part: bytes) -> None:
            got.extend(part)
            look()

        conversation.received.connect(take)
        conversation.status_changed.connect(look)
        answered.addTimeout(PATIENCE, self._reactor)
        if isinstance(await conversation.connect(), Open) and data is not None:
            await conversation.send(data).addTimeout(PATIENCE, self._reactor)
        await answered
        closed = conversation.closed
        conversation.close()
        if answer not in got:
            raise _WrongError(closed.reason if closed is not None and not got else f"answered {bytes(got[:80])!r}")

    # -- the capture

    def _read(self) -> None:
        store = Store(self.capture)
        try:
            found = list(store.events(filters.EVERYTHING, *store.range()))
        finally:
            store.close()
        kinds = [event.kind for event in found]
        if [event.id for event in found] != list(range(1, len(found) + 1)):
            raise _WrongError("the numbers of its events have gaps")
        if kinds.count(events.SERVICE_STARTED) != kinds.count(events.SERVICE_STOPPED):
            raise _WrongError("not every server that started was stopped")
        failures = [event.summary for event in found if event.kind == events.FAILURE]
        if failures:
            raise _WrongError(failures[0])

    def _filter(self) -> None:
        store = Store(self.capture)
        try:
            if not store.count(filters.parse('service == tcp-echo and payload matches "over T.P"')):
                raise _WrongError("it does not find what was sent")
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
            raise _WrongError("it is empty")


def _words(e: Exception) -> str:
    if isinstance(e, TimeoutError):
        return f"no answer within {PATIENCE:.0f} seconds"
    return str(e) if isinstance(e, (_WrongError, errors.PostError)) else f"{type(e).__name__}: {e}"


def run(reactor: Any, *, as_json: bool) -> int:
    """Run every check, print a line for each. Returns the exit code: 1 when one failed."""

    def say(check: Check) -> None:
        print(json.dumps(check.as_json()) if as_json else check, flush=True)

    with tempfile.TemporaryDirectory(prefix="listening-post-", ignore_cleanup_errors=True) as folder:
        # The user's authority, plugins and captures stay as they are.
        os.environ[folders.ELSEWHERE] = str(Path(folder, "data"))
        whole = _Run(reactor, Path(folder), say)

        async def all_of_it() -> None:
            try:
                await whole.run()
            finally:
                reactor.stop()

        reactor.callWhenRunning(lambda: Deferred.fromCoroutine(all_of_it()))
        reactor.run()
        if whole.capture.exists():
            whole.look_back()
    if whole.failed:
        print("listening-post: this program is not complete", file=sys.stderr)
    return int(whole.failed)
