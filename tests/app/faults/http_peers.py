"""Clients of HTTP that tell what came, when, and how it ended: raw sockets, with and without TLS, and h2 by itself."""

from __future__ import annotations

import socket
import ssl
from contextlib import closing
from dataclasses import dataclass, field
from threading import Event
from time import monotonic
from typing import Any

import h2.config
import h2.connection
import h2.events

from tests.helpers import still_from_thread

HTTP1, HTTPS1, HTTP2 = "HTTP/1", "HTTP/1 on TLS", "HTTP/2"
WIRES = (HTTP1, HTTPS1, HTTP2)


@dataclass
class Got:
    """What came of one answer.

    Attributes:
        status: 0: none came.
        fields: of the head.
        raw: what came behind the head, on HTTP/1 with its transfer coding; all of it, if there was no head.
        interims: how many interim answers came before it.
        end: "open" when nothing ended it while the client waited; "FIN", "RST" of the connection; on HTTP/2 also
            "END" of the stream, "RST_STREAM n", "GOAWAY n last m".
        began, ended: milliseconds until the first byte, and until the last thing that came.
    """

    status: int = 0
    fields: list[tuple[str, str]] = field(default_factory=list)
    raw: bytes = b""
    interims: int = 0
    end: str = "open"
    began: float = 0.0
    ended: float = 0.0

    @property
    def body(self) -> bytes:
        """Without its transfer coding, as far as that goes."""
        if ("transfer-encoding", "chunked") not in self.fields:
            return self.raw
        found, rest = b"", self.raw
        while True:
            size, end, rest = rest.partition(b"\r\n")
            if not end or not (length := int(size, 16)):
                return found
            found, rest = found + rest[:length], rest[length + 2 :]

    def field(self, name: str) -> list[str]:
        return [value for given, value in self.fields if given == name]


class Secured:
    """A socket with TLS through memory, so that RST and FIN of the connection below can be told apart."""

    def __init__(self, plain: socket.socket, alpn: str) -> None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols([alpn])
        self._plain, self._in, self._out = plain, ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname="localhost")
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                plain.sendall(self._out.read())
                self._in.write(plain.recv(65_536))
        self.sendall(b"")

    def sendall(self, data: bytes) -> None:
        if data:
            self._tls.write(data)
        self._plain.sendall(self._out.read())

    def recv(self, size: int) -> bytes:
        while True:
            try:
                return self._tls.read(size)
            except ssl.SSLWantReadError:
                came = self._plain.recv(size)
                if not came:
                    return b""
                self._in.write(came)
            except ssl.SSLZeroReturnError:
                return self._plain.recv(size)  # close_notify; then FIN or RST

    def settimeout(self, seconds: float) -> None:
        self._plain.settimeout(seconds)

    def close(self) -> None:
        self._plain.close()


PATIENCE = 20.0
"""Seconds for what must come: of a machine that has much else to do."""


def connected(where: tuple[str, int], wire: str) -> Any:
    plain = socket.create_connection(where, PATIENCE)
    return plain if wire == HTTP1 else Secured(plain, "h2" if wire == HTTP2 else "http/1.1")


GLANCE = 0.01
"""Seconds after which one looks whether anything more will come."""


def _read(sock: Any, patient: bool) -> bytes | str:
    """What comes next: bytes, "FIN", "RST", or "open" if nothing will (see ``still``).

    One who is ``patient`` knows that something comes.
    """
    sock.settimeout(PATIENCE if patient else GLANCE)
    all_done = patient
    while True:
        try:
            return sock.recv(65_536) or "FIN"
        except (ConnectionResetError, BrokenPipeError):
            return "RST"
        except TimeoutError:
            if all_done:  # and nothing has come since
                return "open"
            all_done = still_from_thread()


def ask1(
    where: tuple[str, int],
    wire: str,
    *requests: bytes,
    hangs: bool = False,
    ends: bool = False,
    last: bytes = b"",
    began: Event | None = None,
) -> Got:
    """Send ``requests`` at once on a new connection, and read until nothing more will come.

    What must come is waited for: the first byte unless the answer ``hangs``; the end if the connection ``ends``; what
    is ``last``. ``began`` is set with the first byte.
    """
    data, got = b"", Got()
    with closing(connected(where, wire)) as sock:
        start = monotonic()
        sock.sendall(b"".join(requests))
        while not isinstance(came := _read(sock, ends or not (data or hangs) or last not in data), str):
            now = (monotonic() - start) * 1000
            got.began, got.ended = got.began or now, now
            data += came
            if began is not None:
                began.set()
        got.end = came
        if came != "open":
            got.ended = (monotonic() - start) * 1000
    while data.startswith(b"HTTP/1.1 1"):
        got.interims, data = got.interims + 1, data.partition(b"\r\n\r\n")[2]
    head, ended, rest = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    if not ended or not lines[0].startswith("HTTP/"):
        got.raw = data
        return got
    got.status, got.raw = int(lines[0].split()[1]), rest
    for line in lines[1:]:
        name, _, value = line.partition(":")
        got.fields.append((name.lower(), value.strip()))
    return got


def get(path: str = "/", method: str = "GET", *fields: str, body: bytes = b"", version: str = "1.1") -> bytes:
    """A request of HTTP/1."""
    more = [f"Content-Length: {len(body)}"] if body else []
    lines = [f"{method} {path} HTTP/{version}", "Host: localhost", *fields, *more, "", ""]
    return "\r\n".join(lines).encode() + body


class Client2:
    """One connection of HTTP/2 that reads in the thread which it is made in."""

    def __init__(self, where: tuple[str, int], began: Event | None = None) -> None:
        self.began = began  # set with the first byte of an answer
        self.sock = connected(where, HTTP2)
        config = h2.config.H2Configuration(client_side=True, validate_inbound_headers=False)
        self.h2 = h2.connection.H2Connection(config)
        self.h2.initiate_connection()
        # A GOAWAY would have it take nothing more of streams that go on.
        self.h2.state_machine.process_input = lambda _: []  # type: ignore[method-assign]
        self.streams: dict[int, Got] = {}
        self.acknowledged = False
        self.end = "open"
        self.start = monotonic()
        self.flush()

    def flush(self) -> None:
        if data := self.h2.data_to_send():
            self.sock.sendall(data)

    def ask(self, path: str = "/", method: str = "GET", body: bytes = b"", *fields: tuple[str, str]) -> int:
        stream: int = self.h2.get_next_available_stream_id()
        head = [(":method", method), (":scheme", "https"), (":authority", "localhost"), (":path", path), *fields]
        self.h2.send_headers(stream, head, end_stream=not body)
        # Lengths that are wrong are what we look for.
        for name in ("_track_content_length", "_initialize_content_length"):
            setattr(self.h2.streams[stream], name, lambda *_: None)
        for start in range(0, len(body), 16_000):
            self.h2.send_data(stream, body[start : start + 16_000], end_stream=start + 16_000 >= len(body))
        self.streams[stream] = Got()
        self.flush()
        return stream

    def read(self, *last: int) -> dict[int, Got]:
        """Read until the streams ``last`` have ended, and until nothing more will come."""
        while not isinstance(came := _read(self.sock, self._open(last)), str):
            for event in self.h2.receive_data(came):
                self._take(event)
            self.flush()
        self.end = came
        return self.streams

    def _open(self, streams: tuple[int, ...]) -> bool:
        return any(self.streams[stream].end == "open" for stream in streams)

    def _take(self, event: Any) -> None:
        now = (monotonic() - self.start) * 1000
        if isinstance(event, h2.events.SettingsAcknowledged):
            self.acknowledged = True
        elif isinstance(event, h2.events.ConnectionTerminated):
            for number, got in self.streams.items():
                if got.end == "open" and number > event.last_stream_id:
                    got.end, got.ended = f"GOAWAY {int(event.error_code)} last {event.last_stream_id}", now
        got = self.streams.get(getattr(event, "stream_id", 0) or 0)
        if got is None or isinstance(event, h2.events.WindowUpdated):
            return
        got.began, got.ended = got.began or now, now
        if self.began is not None:
            self.began.set()
        if isinstance(event, h2.events.InformationalResponseReceived):
            got.interims += 1
        elif isinstance(event, h2.events.ResponseReceived):
            fields = [(bytes(name).decode(), bytes(value).decode()) for name, value in event.headers]
            got.status, got.fields = int(fields[0][1]), fields[1:]
        elif isinstance(event, h2.events.DataReceived):
            got.raw += event.data
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            got.end = "END"
        elif isinstance(event, h2.events.StreamReset):
            got.end = f"RST_STREAM {int(event.error_code)}"

    def close(self) -> None:
        self.sock.close()


def ask2(
    where: tuple[str, int],
    path: str = "/",
    method: str = "GET",
    body: bytes = b"",
    hangs: bool = False,
    began: Event | None = None,
) -> Got:
    client = Client2(where, began)
    try:
        stream = client.ask(path, method, body)
        return client.read(*([] if hangs else [stream]))[stream]
    finally:
        client.close()


def ask(
    where: tuple[str, int],
    wire: str,
    path: str = "/",
    method: str = "GET",
    body: bytes = b"",
    *,
    hangs: bool = False,
    ends: bool = False,
    last: bytes = b"",
    began: Event | None = None,
) -> Got:
    """One request on a connection of its own."""
    if wire == HTTP2:
        return ask2(where, path, method, body, hangs, began)
    return ask1(where, wire, get(path, method, body=body), hangs=hangs, ends=ends, last=last, began=began)
