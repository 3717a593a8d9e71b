"""Random conversations as events, and what other tools make of their exports."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from app import events
from app.events import Event

BASE = 1_795_000_000_123_456_789

ENDS = st.sampled_from(
    [("127.0.0.1:{}", "127.0.0.1:9007"), ("[::1]:{}", "[::1]:9007"), ("192.168.1.20:{}", "10.0.0.1:80")]
)
PAYLOADS = st.binary(min_size=1, max_size=60) | st.integers(1, 9000).map(lambda n: bytes(i * 7 % 251 for i in range(n)))
REASONS = st.sampled_from(
    ["closed by the peer", "closed by us", "reset by the peer", "aborted by us", "timed out", "closed after a failure"]
)


@dataclass
class Conversation:
    """One connection: what passed, in order, and how it ended (None: it is still open)."""

    peer: str
    host: str
    pieces: list[tuple[bool, bytes]]
    reason: str | None
    number: int = 0

    def bytes(self, *, received: bool) -> bytes:
        return b"".join(data for side, data in self.pieces if side is received)


@st.composite
def conversations(draw: st.DrawFn) -> list[Conversation]:
    found = []
    for number in range(1, draw(st.integers(1, 5)) + 1):
        peer, host = draw(ENDS)
        pieces = draw(st.lists(st.tuples(st.booleans(), PAYLOADS), max_size=6))
        reason = draw(st.none() | REASONS)
        found.append(Conversation(peer.format(40_000 + number), host, pieces, reason, number))
    return found


@dataclass
class Clock:
    """Numbers and times events as they are made."""

    made: list[Event] = field(default_factory=list)

    def add(self, kind: int, conn: Conversation | None, payload: bytes | None = None, **more: Any) -> None:
        id = len(self.made) + 1
        self.made.append(
            Event(
                id, BASE + id * 1_000_003, kind, "tcp-echo", conn.number if conn else None, conn.peer if conn else None,
                None if payload is None else len(payload), more.pop("summary", ""),
                host=conn.host if conn else None, payload=payload, detail=more,
            )
        )  # fmt: skip


def as_events(found: list[Conversation]) -> list[Event]:
    """Interleaved, piece by piece."""
    clock = Clock()
    for conversation in found:
        clock.add(events.CONNECTION_OPENED, conversation)
    for turn in range(max((len(c.pieces) for c in found), default=0)):
        for conversation in found:
            if turn < len(conversation.pieces):
                received, data = conversation.pieces[turn]
                clock.add(events.DATA_RECEIVED if received else events.DATA_SENT, conversation, data)
    for conversation in found:
        if conversation.reason is not None:
            clock.add(events.CONNECTION_CLOSED, conversation, reason=conversation.reason)
    return clock.made


def tool(*command: str | Path) -> str:
    """What a program prints."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout


WRONG = " or ".join(
    [
        "_ws.malformed",
        "(tcp.analysis.flags and not tcp.analysis.window_update)",
        *(f"{protocol}.checksum.status == 0" for protocol in ("ip", "tcp", "udp")),
    ]
)
"""Malformed packets, sequence numbers that do not add up, bad checksums."""


def looked_at(
    path: Path, *names: str, streams: Sequence[int] = ()
) -> tuple[list[list[str]], list[tuple[bytes, bytes]]]:
    """What tshark has of a file that is sound, in one run: it starts much longer than it reads.

    Args:
        names: of fields.
        streams: numbers of TCP streams.

    Returns:
        The fields of each packet, and what each stream was put together to: the bytes of the side that opened it, and
        of the other.
    """
    checks = ["-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]
    # Random payloads are malformed to whoever takes them for something: only our layers are looked at.
    plain = ["-d", "tcp.port==1-65535,data", "-d", "udp.port==1-65535,data"]
    asked = [word for stream in streams for word in ("-z", f"follow,tcp,raw,{stream}")]
    fields = ["-T", "fields", *(part for name in names for part in ("-e", name))] if names else ["-q"]
    said = tool("tshark", "-r", path, *plain, *checks, *fields, *asked, "-z", f"io,stat,0,{WRONG}")
    packets, _, rest = said.partition("\n=====")
    if re.findall(r"^\|[^|]*<>[^|]*\|\s*(\d+)\s*\|", rest, re.MULTILINE) != ["0"]:
        # Some are wrong, or all are of one moment: no row is printed then.
        assert tool("tshark", "-r", path, *plain, *checks, "-Y", WRONG) == ""
    found = _followed(rest)
    return [line.split("\t") for line in packets.splitlines() if line], [found[stream] for stream in streams]


def _followed(said: str) -> dict[int, tuple[bytes, bytes]]:
    found = {}
    for part in said.split("Filter: tcp.stream eq ")[1:]:
        number, *lines = part.splitlines()
        start = next(i for i, line in enumerate(lines) if line.startswith("Node 1:")) + 1
        sides = [b"", b""]
        for line in lines[start:]:
            if line.startswith("==="):
                break
            sides[line.startswith("\t")] += bytes.fromhex(line.strip())
        found[int(number)] = sides[0], sides[1]
    return found
