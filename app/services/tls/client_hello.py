"""Reads what a TLS client offers from the first bytes that it sends (RFC 8446, section 4.1.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app import events
from app.services.interfaces import Secured

HANDSHAKE, CLIENT_HELLO = 22, 1

_SERVER_NAME, _ALPN, _SUPPORTED_VERSIONS = 0, 16, 43

VERSIONS = {
    0x0002: "SSL 2.0",
    0x0300: "SSL 3.0",
    0x0301: "TLS 1.0",
    0x0302: "TLS 1.1",
    0x0303: "TLS 1.2",
    0x0304: "TLS 1.3",
}


@dataclass(frozen=True, slots=True)
class ClientHello:
    """A ClientHello, as far as it has come.

    Attributes:
        versions: names such as ``"TLS 1.2"``, the oldest first. A client without the extension
            ``supported_versions`` names only its newest one.
        server_name: the name by which the client asks for us (SNI); empty if it sends none.
        alpn: application protocols, the preferred one first.
        ciphers: the number of cipher suites.
        whole: whether the whole message has come.
    """

    versions: tuple[str, ...] = ()
    server_name: str = ""
    alpn: tuple[str, ...] = ()
    ciphers: int = 0
    whole: bool = True

    def detail(self) -> dict[str, Any]:
        """Its part of an event's detail."""
        return {"offered": list(self.versions), "sni": self.server_name or None, "alpn": list(self.alpn)}


def is_tls(first: bytes) -> bool:
    """Whether these can be the first bytes of a TLS client."""
    return first[:1] in (b"", b"\x16") and first[1:2] in (b"", b"\x03")


def record_on_plain_port(tap: Secured, protocol: str, scheme: str, first: bytes) -> str:
    """Record that a client speaks TLS on a port without TLS. Returns what is wrong, in words."""
    words, hello = f"TLS on a plain {protocol} port", parse(first)
    detail = {"reason": words, **(hello.detail() if hello else {})}
    tap.record(events.TLS_FAILED, f"{words}: use {scheme}://, or give the service TLS", detail, payload=first)
    return words


def parse(first: bytes) -> ClientHello | None:
    """Parse the first bytes of a connection; None if they are not the start of a ClientHello.

    Never raises: parts that are cut short or wrong are left out.
    """
    message = _message(first)
    if not is_tls(first) or message[:1] != bytes([CLIENT_HELLO]):
        return None
    body = _Reader(message[4:])
    newest = body.number(2)
    body.take(32)
    body.take(body.number(1))
    ciphers = body.take(body.number(2))
    body.take(body.number(1))
    found = dict(_extensions(_Reader(body.take(body.number(2)))))
    offered = _numbers(found.get(_SUPPORTED_VERSIONS, b"")) or [newest]
    versions = tuple(VERSIONS[number] for number in sorted(set(offered)) if number in VERSIONS)
    return ClientHello(
        versions,
        _server_name(found.get(_SERVER_NAME, b"")),
        _names(found.get(_ALPN, b"")),
        len(ciphers) // 2,
        len(message) >= 4 + int.from_bytes(message[1:4]) > 4,
    )


class _Reader:
    """Reads numbers and bytes in turn. After the end: 0, and no bytes."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        self._at += count
        return taken

    def number(self, width: int) -> int:
        return int.from_bytes(self.take(width))

    @property
    def more(self) -> bool:
        return self._at < len(self._data)


def _message(first: bytes) -> bytes:
    """The handshake message, without the headers of its TLS records."""
    records, message = _Reader(first), b""
    while records.more and records.number(1) == HANDSHAKE:
        records.take(2)
        message += records.take(records.number(2))
    return message


def _extensions(reader: _Reader) -> list[tuple[int, bytes]]:
    found = []
    while reader.more:
        kind = reader.number(2)
        found.append((kind, reader.take(reader.number(2))))
    return found


def _numbers(content: bytes) -> list[int]:
    reader = _Reader(content)
    listed = _Reader(reader.take(reader.number(1)))
    numbers = []
    while listed.more:
        numbers.append(listed.number(2))
    return numbers


def _server_name(content: bytes) -> str:
    reader = _Reader(content)
    reader.take(2)
    return _text(reader.take(reader.number(2))) if reader.number(1) == 0 else ""


def _names(content: bytes) -> tuple[str, ...]:
    reader = _Reader(content)
    listed = _Reader(reader.take(reader.number(2)))
    names = []
    while listed.more:
        names.append(_text(listed.take(listed.number(1))))
    return tuple(names)


def _text(name: bytes) -> str:
    return name.decode("ascii", "backslashreplace")
