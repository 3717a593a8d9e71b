"""HTTP/2: frames, and the heads in them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from random import Random
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from hpack import Encoder
from twisted.internet.address import IPv4Address

from app.services.http.port import DEFAULTS, RecordedSite
from app.services.tap.factory import TapFactory
from tests.fuzz.engine import Target
from tests.fuzz.memory import Desk, NegotiatedWire

_HEAD = [(":method", "POST"), (":scheme", "https"), (":authority", "localhost"), (":path", "/things")]


def _client(*steps: Any) -> bytes:
    config = H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=False)
    h2 = H2Connection(config)
    h2.initiate_connection()
    for step in steps:
        step(h2)
    return h2.data_to_send()


def _ask(stream: int, *fields: tuple[str, str], end: bool = True) -> Any:
    return lambda h2: h2.send_headers(stream, [*_HEAD, *fields], end_stream=end)


OPENING = _client()
"""The preface and the settings: without them nothing else is read."""

SEEDS = [
    _client(*steps)[len(OPENING) :]
    for steps in (
        [_ask(1)],
        [_ask(1, ("content-type", "application/json"), end=False), lambda h2: h2.send_data(1, b'{"a": 1}', True),
        _ask(3)],
        [_ask(1, ("x", "y" * 20_000), ("cookie", "a=b"))],
        [_ask(1, end=False), lambda h2: h2.reset_stream(1), lambda h2: h2.ping(b"12345678"), _ask(3)],
        [lambda h2: h2.update_settings({3: 10, 4: 1000, 5: 20_000}), _ask(1, end=False),
        lambda h2: h2.send_headers(1, [("t", "u")], True)],
        [_ask(1, end=False), lambda h2: h2.increment_flow_control_window(5), lambda h2: h2.prioritize(1, 5),
        lambda h2: h2.close_connection()],
    )
]  # fmt: skip


def _frame(kind: int, flags: int, stream: int, payload: bytes = b"", length: int | None = None) -> bytes:
    size = len(payload) if length is None else length
    return size.to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


WORDS = [
    *(_frame(kind, flags, stream, bytes(8)) for kind in range(11) for flags in (0, 1, 4, 5) for stream in (0, 1, 3)),
    _frame(1, 4, 1, b"", 0xFFFFFF), _frame(9, 4, 1, b"\x82"), _frame(1, 0, 5, b"\x82\x86\x84"), _frame(8, 0, 0,
    b"\x7f\xff\xff\xff"),
    _frame(4, 0, 0, b"\x00\x04\xff\xff\xff\xff"), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
]  # fmt: skip


@cache
def _desk() -> tuple[Desk, list[Any]]:
    desk = Desk("http", "rest")
    site = RecordedSite(desk.service.build(), desk.reactor, DEFAULTS, http2=True)
    site.noisy = False
    desk.factory = TapFactory(site, desk.service)
    return desk, []


def check(data: bytes, random: Random) -> None:
    desk, _ = _desk()
    desk.talk(data, random, OPENING, NegotiatedWire(peerAddress=IPv4Address("TCP", "127.0.0.1", 5)))


_NAMES = [
    b":method",
    b":path",
    b":scheme",
    b":authority",
    b":protocol",
    b"host",
    b"te",
    b"connection",
    b"content-length",
    b"x",
    b"X",
    b"",
    b"cookie",
]
_VALUES = [
    b"GET",
    b"POST",
    b"CONNECT",
    b"/",
    b"*",
    b"",
    b"//x",
    b"https",
    b"localhost",
    b"trailers",
    b"chunked",
    b"5",
    b"-1",
    b"\r\n",
    b"\0",
    b"\xff",
    b" a ",
]


def check_head(data: bytes, random: Random) -> None:
    """Heads with names and values that no client would send, behind each other; ``data`` gives further ones."""

    def fields() -> Iterable[tuple[bytes, bytes]]:
        yield from [(n.encode(), v.encode()) for n, v in _HEAD if random.random() < 0.9]
        for _ in range(random.randrange(6)):
            yield random.choice([*_NAMES, data[:20]]), random.choice([*_VALUES, data])

    encoder, sent, stream = Encoder(), b"", 1
    for _ in range(random.randint(1, 4)):
        block, end = encoder.encode(list(fields())), random.randrange(2)
        sent += _frame(1, 4 | end, stream, block)
        if not end:
            sent += _frame(0, random.randrange(2), stream, data[:500])
        stream += random.choice((0, 2, 2, 2))
    check(sent, random)


TARGETS = [
    Target("http/2 frames", SEEDS, check, WORDS),
    Target("http/2 heads", [b"x", b"/things?limit=1", b"text/plain; charset=utf-8", b"\xc3\xbc"], check_head, _VALUES),
]
