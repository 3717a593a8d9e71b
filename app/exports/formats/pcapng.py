"""pcapng: what the server sent and received, as packets that Wireshark follows and decodes.

The IP, TCP and UDP around the payloads are ours: addresses and ports are those of the
connections, sequence and acknowledgement numbers add up, and connections begin and end as they
did (FIN or RST). Services with TLS appear as their plain text. Failures, limits and notes are
comments on the packets that they belong to.

Format: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Iterable
from typing import BinaryIO

from app import __version__, events
from app.events import Event
from app.exports.formats import Exporter
from app.exports.packets import Conversation, TCPConversation, UDPConversation, addresses

LINKTYPE_RAW = 101
"""The packet begins with its IPv4 or IPv6 header."""

MAX_CONVERSATIONS = 20_000
"""Connections whose sequence numbers are kept; the one silent for the longest is dropped first."""

_COMMENTED = {
    events.FAILURE, events.LIMIT_REACHED, events.FAULT_APPLIED, events.LOG, events.TLS_OPENED, events.TLS_FAILED,
}  # fmt: skip


class _File:
    """Blocks of a pcapng file; each service is an interface."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._interfaces: dict[str, int] = {}
        # Options: shb_userappl (4).
        program = _option(4, f"Listening Post {__version__}".encode())
        self._block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + program + _END)

    def packet(self, service: str, time: int, data: bytes, comments: list[str]) -> None:
        """An enhanced packet block; ``time`` in ns since 1970."""
        number = self._interface(service)
        body = struct.pack("<IIIII", number, time >> 32 & 0xFFFFFFFF, time & 0xFFFFFFFF, len(data), len(data))
        options = b"".join(_option(1, comment.encode("utf-8", "replace")[:60_000]) for comment in comments)
        self._block(6, body + _padded(data) + (options + _END if options else b""))

    def _interface(self, service: str) -> int:
        if service not in self._interfaces:
            self._interfaces[service] = len(self._interfaces)
            # Options: if_name (2), if_tsresol (9) of 10^-9.
            options = _option(2, service.encode("utf-8", "replace")) + _option(9, b"\x09") + _END
            self._block(1, struct.pack("<HHI", LINKTYPE_RAW, 0, 0) + options)
        return self._interfaces[service]

    def _block(self, kind: int, body: bytes) -> None:
        length = 12 + len(body)
        self._out.write(struct.pack("<II", kind, length) + body + struct.pack("<I", length))


_END = struct.pack("<HH", 0, 0)


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + _padded(value)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


class _Writer:
    """Turns events into packets. The last packet waits for comments that belong to it."""

    def __init__(self, out: BinaryIO) -> None:
        self._file = _File(out)
        self._conversations: OrderedDict[int, Conversation] = OrderedDict()
        self._waiting: tuple[int, str, int, bytes] | None = None
        self._comments: list[str] = []

    def take(self, event: Event) -> None:
        if event.conn is None or not event.peer:
            return
        conversation = self._conversation(event)
        if event.kind in _COMMENTED:
            self._comment(event, conversation, f"{events.NAMES.get(event.kind, event.kind)}: {event.summary}")
        note = f"note: {event.note.text}" if event.note is not None and event.note.text else ""
        for packet in self._packets(event, conversation):
            self._put(event, packet)
            if note:  # on its first packet: the last one only acknowledges
                self._comments.append(note)
                note = ""
        if note:
            self._comment(event, conversation, note)

    def _packets(self, event: Event, conversation: Conversation) -> Iterable[bytes]:
        if event.kind == events.CONNECTION_OPENED:
            return conversation.opened(outgoing=bool(event.detail.get("outgoing")))
        if event.kind in events.RAW:
            return conversation.data(event.payload or b"", received=event.kind in events.INBOUND)
        if event.kind == events.CONNECTION_CLOSED:
            return conversation.closed(str(event.detail.get("reason", "")))
        return ()

    def _conversation(self, event: Event) -> Conversation:
        assert event.conn is not None
        found = self._conversations.get(event.conn)
        if found is None:
            kind = UDPConversation if event.kind in _DATAGRAMS or _is_datagrams(event) else TCPConversation
            found = self._conversations[event.conn] = kind(*addresses(event.peer, event.host))
            if len(self._conversations) > MAX_CONVERSATIONS:
                self._conversations.popitem(last=False)
        self._conversations.move_to_end(event.conn)
        return found

    def _put(self, event: Event, packet: bytes) -> None:
        self.flush()
        assert event.conn is not None
        self._waiting = (event.conn, event.service, event.time, packet)

    def _comment(self, event: Event, conversation: Conversation, words: str) -> None:
        if self._waiting is None or self._waiting[0] != event.conn:
            for packet in conversation.remark():
                self._put(event, packet)
        if self._waiting is not None and self._waiting[0] == event.conn:
            self._comments.append(words)

    def flush(self) -> None:
        """Write the packet that waits."""
        if self._waiting is not None:
            _, service, time, packet = self._waiting
            self._file.packet(service, time, packet, self._comments)
        self._waiting = None
        self._comments = []


_DATAGRAMS = {events.DATAGRAM_RECEIVED, events.DATAGRAM_SENT}


def _is_datagrams(event: Event) -> bool:
    # The flow of a UDP peer is opened by its first datagram, and the event says so.
    return event.kind == events.CONNECTION_OPENED and "datagram" in event.summary


def write(events: Iterable[Event], out: BinaryIO) -> None:
    writer = _Writer(out)
    for event in events:
        writer.take(event)
    writer.flush()


EXPORTER = Exporter("pcapng", "pcapng", ".pcapng", "Packets for Wireshark, as the services saw them", write)
