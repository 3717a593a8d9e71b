"""When a fault hits: the conditions that every kind has, all optional; all that are set must hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from app.options import Mistake, Option, Options, with_defaults
from app.text import errors
from app.text.escapes import unescape
from app.text.patterns import Pattern

SERVICE, CONNECTION = "service", "connection"

_DAY = 86_400.0

MAX_NETWORKS = 1_000
"""Addresses and networks of one fault: each message is compared with them."""

_MOST = 2**63 - 1
"""The largest number of TOML."""


def _escapes(text: str) -> str | None:
    try:
        unescape(text)
    except errors.EscapeError as e:
        return str(e)
    return None


def _pattern(text: str) -> str | None:
    try:
        _compiled(text)
    except ValueError as e:
        return str(e)
    return None


def _networks(texts: list[str]) -> str | None:
    if len(texts) > MAX_NETWORKS:
        return f"has {len(texts):,} of them; {MAX_NETWORKS:,} are the most"
    for text in texts:
        try:
            ip_network(text, strict=False)
        except ValueError:
            return f'"{text}" is not an address or a network such as 10.0.0.7 or 10.0.0.0/8'
    return None


@lru_cache(256)
def _address(peer: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(peer.partition("%")[0].removeprefix("::ffff:"))
    except ValueError:
        return None


@lru_cache(64)
def _compiled(text: str) -> Pattern:
    return Pattern(text.encode("latin-1", "replace") if text.isascii() else text.encode())


CONDITIONS = (
    Option("probability", float, 1.0, "Share of messages or connections to hit, from 0 to 1", "", 0.0, 1.0),
    Option("first", int, 0, "Hit only this many messages or connections, from the first on; 0: no limit", "", 0, _MOST),
    Option("nth", int, 0, "Hit only the message or connection with this number, counted from 1; 0: any", "", 0, _MOST),
    Option("every", int, 0, "Hit only every nth message or connection; 0: every one", "", 0, _MOST),
    Option("count_per", str, SERVICE, "Where `first`, `nth` and `every` count", choices=(SERVICE, CONNECTION)),
    Option("match", str, "", r"Text that the message must contain, with the escapes \r \n \xNN", check=_escapes),
    Option("match_regex", str, "", "Regular expression (RE2) that must match in the message", check=_pattern),
    Option("path", str, "", "Path that the request must have; * stands for any text", protocols=("http",)),
    Option("method", str, "", "Method that the request must have", protocols=("http",)),
    Option("after_bytes", int, 0, "Only after this many bytes in this direction of the connection", "bytes", 0, _MOST),
    Option("after_seconds", float, 0.0, "Only when the connection is older than this", "s", 0.0, 10 * _DAY),
    Option("from_seconds", float, 0.0, "Only after this time since the start of the service", "s", 0.0, 365 * _DAY),
    Option("until_seconds", float, 0.0, "Only until this time since the start of the service; 0: without end", "s", 0.0,
        365 * _DAY),
    Option("period_seconds", float, 0.0, "Repeat these times with this period; 0: once", "s", 0.0,
        365 * _DAY),
    Option("peer", list, [], "Hit only peers with these addresses or networks; empty: all", check=_networks),
    Option("enabled", bool, True, "Switched on at the start; otherwise you switch it on"),
    Option("ttl_seconds", float, 0.0, "Switch it off this long after you switched it on; 0: never", "s", 0.0, _DAY),
    Option("seed", int, 0, "Seed of the random choices of this fault; 0: the seed of the service", "", 0, _MOST),
)  # fmt: skip
"""The conditions, as options of a ``[[service.fault]]``."""


@dataclass(slots=True)  # not frozen: there is one for each message, and that takes three times as long
class Candidate:
    """What might be hit.

    Attributes:
        on: the side.
        data: the bytes of the message, or b"".
        peer: the address of the peer, without its port.
        connection: the ordinal of the connection in its service, from 1.
        ordinal: its own, on its side of the connection, from 1.
        bytes_before: of this direction of the connection.
        age: of the connection, in seconds.
        path, method: of a request, or of that which is answered; empty: of none.
    """

    on: str
    data: bytes = b""
    peer: str = ""
    connection: int = 0
    ordinal: int = 0
    bytes_before: int = 0
    age: float = 0.0
    path: str = ""
    method: str = ""


@dataclass(slots=True)
class When:
    """The conditions of one fault, with what they have counted.

    ``first``, ``nth`` and ``every`` count the candidates for which all other conditions hold, ``probability`` aside.

    Attributes:
        unconditional: whether it hits every candidate.
    """

    values: Mapping[str, Any]
    counted: int = 0
    by_connection: dict[int, int] = field(default_factory=dict)
    unconditional: bool = True
    _match: bytes = b""
    _pattern: Pattern | None = None
    _networks: tuple[IPv4Network | IPv6Network, ...] = ()
    _counts: bool = False

    @classmethod
    def of(cls, given: Options) -> When:
        """From the options of a fault, which are valid."""
        values = with_defaults(CONDITIONS, {key: value for key, value in given.items() if key in _NAMES})
        when = cls(values)
        when._match = unescape(values["match"])
        when._pattern = _compiled(values["match_regex"]) if values["match_regex"] else None
        when._networks = tuple(ip_network(text, strict=False) for text in values["peer"])
        when._counts = bool(values["first"] or values["nth"] or values["every"])
        when.unconditional = all(
            values[option.name] == option.default for option in CONDITIONS if option.name not in _SWITCHES
        )
        return when

    def holds(self, candidate: Candidate, seconds: float) -> bool:
        """Whether everything but ``probability`` holds, ``seconds`` after the service's start; counts if so."""
        values = self.values
        if candidate.bytes_before < values["after_bytes"] or candidate.age < values["after_seconds"]:
            return False
        if not self.in_time(seconds):
            return False
        if self._match and self._match not in candidate.data:
            return False
        if self._pattern is not None and not self._pattern.found_in(candidate.data):
            return False
        if values["method"] and values["method"].upper() != candidate.method.upper():
            return False
        if values["path"] and not _path_fits(values["path"], candidate.path):
            return False
        if self._networks and not self._is_peer(candidate.peer):
            return False
        return not self._counts or self._count(candidate.connection)

    def in_time(self, seconds: float) -> bool:
        """Whether its time is, ``seconds`` after the service's start."""
        start, end, period = self._span()
        if period:
            if seconds < start:
                return False
            seconds = start + (seconds - start) % period
        return seconds >= start and (not end or seconds < end)

    def until_change(self, seconds: float) -> float | None:
        """Seconds until ``in_time`` changes, from ``seconds`` after the service's start on; None: it does no more."""
        start, end, period = self._span()
        if seconds < start:
            return start - seconds
        if not end:
            return None
        if period:
            place = (seconds - start) % period
            return (end - start if place < end - start else period) - place
        return end - seconds if seconds < end else None

    def _span(self) -> tuple[float, float, float]:
        values = self.values
        return values["from_seconds"], values["until_seconds"], values["period_seconds"]

    def _is_peer(self, peer: str) -> bool:
        address = _address(peer)
        return address is not None and any(address in network for network in self._networks)

    def _count(self, connection: int) -> bool:
        if self.values["count_per"] == CONNECTION:
            number = self.by_connection[connection] = self.by_connection.get(connection, 0) + 1
        else:
            number = self.counted = self.counted + 1
        first, nth, every = self.values["first"], self.values["nth"], self.values["every"]
        return (not first or number <= first) and (not nth or number == nth) and (not every or number % every == 0)

    def forget(self, connection: int) -> None:
        """The connection is closed."""
        self.by_connection.pop(connection, None)

    def again(self) -> None:
        """Count from the beginning."""
        self.counted = 0
        self.by_connection.clear()


_NAMES = frozenset(option.name for option in CONDITIONS)

_SWITCHES = ("enabled", "ttl_seconds", "seed", "count_per")
"""Conditions that do not choose between candidates."""


def _path_fits(wanted: str, path: str) -> bool:
    """Whether ``path`` is ``wanted``, in which * stands for any text."""
    first, *rest = wanted.split("*")
    path = path.partition("?")[0] if "?" not in wanted else path
    if not rest:
        return path == first
    if not path.startswith(first):
        return False
    place, last = len(first), rest.pop()
    for part in rest:
        found = path.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return len(path) - place >= len(last) and path.endswith(last)


def contradictions(values: Options, on: str) -> Iterator[Mistake]:
    """What contradicts itself in these conditions, which have their defaults, on the side ``on``."""
    if values["until_seconds"] and values["until_seconds"] <= values["from_seconds"]:
        yield Mistake("until_seconds", f"must be more than the beginning, {values['from_seconds']:g} s")
    span = values["until_seconds"] - values["from_seconds"]
    if values["period_seconds"] and not values["until_seconds"]:
        yield Mistake("period_seconds", "needs until_seconds: an outage that is to come again must have an end")
    elif values["period_seconds"] and values["period_seconds"] < span:
        yield Mistake("period_seconds", f"must not be less than the time that comes again, {span:g} s")
    if values["nth"] and values["first"] and values["nth"] > values["first"]:
        yield Mistake("nth", "is never reached: it is more than first")
    if values["every"] and values["first"] and values["every"] > values["first"]:
        yield Mistake("every", "is never reached: it is more than first")
    if values["every"] and values["nth"] % values["every"]:
        yield Mistake("nth", "never hits together with every, which hits others: leave one of them out")
    if on == "connect":
        for name in ("match", "match_regex", "path", "method", "after_bytes", "after_seconds"):
            if values.get(name):
                yield Mistake(name, "has no effect on connect, before there is a message")
        if values["count_per"] == CONNECTION:
            yield Mistake("count_per", "must be service on connect: a connection is made once")
