"""pcapng: what the server sent and received, as packets that Wireshark follows and decodes.

The IP, TCP and UDP around the payloads are ours: addresses and ports are those of the
connections, sequence and acknowledgement numbers add up, and connections begin and end as they
did (FIN or RST). Services with TLS appear as their plain text. Failures, limits, notes and what
faults did are comments on the packets that they belong to: that a fault has hit what we sent stands
on the packet that left then. A connection between two services of the program is written once, as
the one has it that was connected to: its packets have one pair of addresses. What was lost is a
comment on the packet that follows, and counted as dropped by an interface of its own.

Format: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import BinaryIO

from app import __version__, events
from app.events import Event
from app.exports.formats import ALL, Chosen, Exporter
from app.exports.packets import Conversation, TCPConversation, UDPConversation, addresses

LINKTYPE_RAW = 101
"""The packet begins with its IPv4 or IPv6 header."""

MAX_CONVERSATIONS = 20_000
"""Connections whose sequence numbers are kept; the one silent for the longest is dropped first."""

_COMMENTED = {
    events.FAILURE, events.LIMIT_REACHED, events.FAULT_APPLIED, events.LOG, events.TLS_OPENED, events.TLS_FAILED,
}  # fmt: skip


LOST = "events that were lost"
"""The interface that has dropped them: of which service they would have been is not known."""

_PACKET = struct.Struct("<IIIIIII")
_COMMENT, _NAME, _RESOLUTION, _PROGRAM, _DROPPED = 1, 2, 9, 4, 5
"""Options: opt_comment, if_name, if_tsresol, shb_userappl, isb_ifdrop."""


class _File:
    """Blocks of a pcapng file; each service is an interface."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._interfaces: dict[str, int] = {}
        program = _option(_PROGRAM, f"Listening Post {__version__}".encode())
        self._block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + program + _END)

    def packet(self, service: str, time: int, data: bytes, comments: list[str]) -> None:
        """An enhanced packet block; ``time`` in ns since 1970."""
        number = self._interfaces.get(service)
        if number is None:
            number = self._interface(service)
        length = len(data)
        more = bytes(-length % 4)
        if comments:
            more += b"".join(_option(_COMMENT, comment.encode("utf-8", "replace")[:60_000]) for comment in comments)
            more += _END
        whole = 32 + length + len(more)
        head = _PACKET.pack(6, whole, number, time >> 32 & 0xFFFFFFFF, time & 0xFFFFFFFF, length, length)
        self._out.write(head + data + more + whole.to_bytes(4, "little"))

    def dropped(self, name: str, time: int, count: int, comment: str) -> None:
        """An interface statistics block: this many are missing, as was known at ``time``."""
        number = self._interface(name)
        options = _option(_COMMENT, comment.encode("utf-8", "replace")[:60_000])
        options += _option(_DROPPED, struct.pack("<Q", min(count, 2**64 - 1))) + _END
        self._block(5, struct.pack("<III", number, time >> 32 & 0xFFFFFFFF, time & 0xFFFFFFFF) + options)

    def _interface(self, service: str) -> int:
        if service not in self._interfaces:
            self._interfaces[service] = len(self._interfaces)
            options = _option(_NAME, service.encode("utf-8", "replace")) + _option(_RESOLUTION, b"\x09") + _END
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
    """Turns events into packets. Those of the last event wait for comments, which stand on the first of them.

    Attributes:
        packets: how many were written.
    """

    def __init__(self, out: BinaryIO, twins: Mapping[int, int]) -> None:
        self._file, self._twins = _File(out), twins
        self.packets = 0
        self._conversations: OrderedDict[int, Conversation] = OrderedDict()
        self._waiting: list[bytes] = []
        self._of = 0, "", 0
        self._comments: list[str] = []
        self._announced: dict[int, list[Event]] = {}
        self._missing: list[str] = []
        self._lost, self._lost_at, self._losses = 0, 0, 0

    def take(self, event: Event) -> None:
        if event.kind == events.LOST:
            self._on_lost(event)
            return
        if event.conn is None or not event.peer:
            return
        if event.conn in self._twins:
            self._take_twin(event)
            return
        conversation = self._conversation(event)
        if event.kind == events.FAULT_APPLIED and self._announce(event):
            return
        if event.kind in _COMMENTED:
            self._comment(event, conversation, _words(event))
        self._put(event, list(self._packets(event, conversation)))
        if event.note is not None and event.note.text:
            self._comment(event, conversation, f"note: {event.note.text}")

    def _announce(self, event: Event) -> bool:
        """Whether this fault has hit what is sent next: its comment stands on that packet."""
        assert event.conn is not None
        if event.detail.get("on") != "sent" or "total" in event.detail:
            return False
        waiting = self._announced.setdefault(event.conn, [])
        if len(waiting) >= MAX_TOLD:
            return False
        waiting.append(replace(event, payload=None))
        return True

    def _take_twin(self, event: Event) -> None:
        """The other end writes the packets; what only this one says becomes a comment on them."""
        other = replace(event, conn=self._twins[event.conn or 0])
        conversation = self._conversations.get(other.conn or 0)
        if conversation is None:
            return  # nothing passed there yet, or nothing that is exported
        if event.kind in _COMMENTED:
            self._comment(other, conversation, f"{event.service}: {_words(event)}")
        if event.note is not None and event.note.text:
            self._comment(other, conversation, f"{event.service}: note: {event.note.text}")

    def _on_lost(self, event: Event) -> None:
        count = event.detail.get("count")
        self._lost += count if isinstance(count, int) and count > 0 else 1
        self._lost_at, self._losses = event.time, self._losses + 1
        if len(self._missing) < MAX_TOLD:
            self._missing.append(_words(event))

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
                silent, _ = self._conversations.popitem(last=False)
                self._announced.pop(silent, None)
        self._conversations.move_to_end(event.conn)
        return found

    def _put(self, event: Event, packets: list[bytes]) -> None:
        if not packets:
            return
        assert event.conn is not None
        self.flush()
        self._waiting, self._of = packets, (event.conn, event.service, event.time)
        self._comments, self._missing = self._missing, []
        if event.kind in events.OUTBOUND or event.kind == events.CONNECTION_CLOSED:
            self._comments += map(_words, self._announced.pop(event.conn, ()))

    def _comment(self, event: Event, conversation: Conversation, words: str) -> None:
        if not self._waiting or self._of[0] != event.conn:
            self._put(event, list(conversation.remark()))
        if self._waiting and self._of[0] == event.conn:
            self._comments.append(words)

    def flush(self) -> None:
        """Write the packets that wait."""
        _, service, time = self._of
        for packet in self._waiting:
            self._file.packet(service, time, packet, self._comments)
            self.packets += 1
            self._comments = []
        self._waiting = []

    def end(self) -> None:
        """Write what waits, and what was lost altogether."""
        for event in [event for waiting in self._announced.values() for event in waiting]:
            if conversation := self._conversations.get(event.conn or 0):  # nothing was sent any more
                self._comment(event, conversation, _words(event))
        self.flush()
        if self._lost:
            words = f"{self._lost:,} events were lost, in {self._losses:,} parts. "
            where = "; ".join(self._missing) or "See the comments of packets."
            self._file.dropped(LOST, self._lost_at, self._lost, words + where)


MAX_TOLD = 20
"""Losses in a row that are told one by one, and faults that hit one packet."""


def _words(event: Event) -> str:
    return f"{events.NAMES.get(event.kind, event.kind)}: {event.summary}"


_DATAGRAMS = {events.DATAGRAM_RECEIVED, events.DATAGRAM_SENT}


def _is_datagrams(event: Event) -> bool:
    # The flow of a UDP peer is opened by its first datagram, and the event says so.
    return event.kind == events.CONNECTION_OPENED and "datagram" in event.summary


def write(events: Iterable[Event], out: BinaryIO, chosen: Chosen = ALL) -> int:
    writer = _Writer(out, chosen.twins)
    for event in events:
        writer.take(event)
    writer.end()
    return writer.packets


EXPORTER = Exporter(
    "pcapng",
    "pcapng",
    ".pcapng",
    "Packets for Wireshark, as the services saw them",
    write,
    "packet",
    "packets",
    one_side=True,
)
