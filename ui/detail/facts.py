"""The facts of an event, as names and values, which the overview shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from PyQt5.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from app import events
from app.events import Event
from app.text.escapes import amount
from ui.detail.sheet import visible
from ui.looks import times
from ui.looks.declared import in_words
from ui.looks.english import form_of

MAX_FACTS = 500
MAX_VALUE = 4096

NOTHING = "–"

_BYTES = frozenset({"body", "received", "sent", "unsent"})
_SECONDS = frozenset({"seconds", "idle"})
_TLS_NAMES = {
    "bits": QT_TRANSLATE_NOOP("declared", "key bits"),
    "alpn": QT_TRANSLATE_NOOP("declared", "protocol (ALPN)"),
    "sni": QT_TRANSLATE_NOOP("declared", "server name asked for (SNI)"),
    "openssl": QT_TRANSLATE_NOOP("declared", "OpenSSL says"),
}
"""Names for abbreviations in the detail of a TLS event."""

_HTTP_NAMES = {
    "fields": QT_TRANSLATE_NOOP("declared", "headers"),
    "seconds": QT_TRANSLATE_NOOP("declared", "duration"),
    "stream": QT_TRANSLATE_NOOP("declared", "HTTP/2 stream"),
    "received": QT_TRANSLATE_NOOP("declared", "body received"),
}
_NAMES: dict[int, dict[str, str]] = {
    events.TLS_OPENED: _TLS_NAMES,
    events.TLS_FAILED: _TLS_NAMES,
    events.HTTP_REQUEST: _HTTP_NAMES,
    events.HTTP_RESPONSE: _HTTP_NAMES,
    events.WS_OPENED: _HTTP_NAMES,
    events.CONNECTION_CLOSED: {"seconds": QT_TRANSLATE_NOOP("declared", "duration")},
}
"""Names of keys of a detail, by the kind of event, where the key itself would not say it."""

_OF_FAILURE = ("type", "message", "notes")
"""Keys of a failure's detail that the overview shows. The traceback has a page of its own."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the overview.

    Attributes:
        value: one line without control characters; None if the name is a heading.
        depth: level below a heading.
    """

    name: str
    value: str | None
    depth: int = 0


def facts(event: Event, zone: tzinfo | None = None) -> list[Fact]:
    """All facts of an event except its payload. If there are more than ``MAX_FACTS``, the last one says so.

    ``zone``: time zone of the event's time; None: the zone that the window uses.
    """
    # The detail of this kind of event comes first: the log's row shows the rest, too.
    found = [*_noted(event), *detail_facts(event)]
    depth = 1 if found else 0
    if found:
        found.append(Fact(in_words("event"), None))
    found += [
        Fact(in_words("number"), str(event.id), depth),
        Fact(in_words("time"), written_time(event.time, zone), depth),
        Fact(in_words("kind"), events.NAMES.get(event.kind, str(event.kind)), depth),
        Fact(in_words("service"), visible(event.service) or NOTHING, depth),
        Fact(in_words("connection"), NOTHING if event.conn is None else f"#{event.conn}", depth),
        Fact(in_words("peer"), visible(event.peer or NOTHING), depth),
        Fact(in_words("host"), visible(event.host or NOTHING), depth),
        Fact(in_words("size"), NOTHING if event.size is None else written_size(event.size), depth),
        Fact(in_words("summary"), shortened(visible(event.summary)) or NOTHING, depth),
    ]
    return found


def _noted(event: Event) -> list[Fact]:
    if event.note is None:
        return []
    words = [Fact(in_words("note"), shortened(visible(event.note.text)))] if event.note.text else []
    return [*words, *([Fact(in_words("colour"), event.note.colour)] if event.note.colour else [])]


def detail_facts(event: Event) -> list[Fact]:
    """The facts of an event's detail, at most ``MAX_FACTS``, and one that says how many more there are."""
    found = list(_detail(event))
    if len(found) > MAX_FACTS:
        left = len(found) - MAX_FACTS
        found[MAX_FACTS:] = [Fact("…", QCoreApplication.translate("Facts", "and {count:,} more").format(count=left))]
    return found


def _detail(event: Event) -> Iterator[Fact]:
    failure = event.kind in events.FAILURES
    words = _NAMES.get(event.kind, {})
    for name, value in event.detail.items():
        if not failure or name in _OF_FAILURE:
            yield from _fact(name, value, 0, words.get(name, ""))


def _fact(name: str, value: Any, depth: int, title: str = "") -> Iterator[Fact]:
    words = in_words(title) or visible(name.replace("_", " "))
    pairs = _pairs(value)
    if pairs:
        yield Fact(words, None, depth)
        for key, item in pairs:
            if depth < 8:
                yield from _fact_inside(key, item, depth + 1)
    else:
        yield Fact(words, _written(name, value), depth)


def _fact_inside(key: str, value: Any, depth: int) -> Iterator[Fact]:
    # These names come from the peer (HTTP headers), so they are not translated.
    if _pairs(value):
        yield from _fact(key, value, depth)
    else:
        yield Fact(visible(key), _written("", value), depth)


def _pairs(value: Any) -> list[tuple[str, Any]]:
    """Names and values of an object, or of a list of pairs as HTTP headers are; empty for other values."""
    if isinstance(value, Mapping):
        return [(str(key), item) for key, item in value.items()]
    if isinstance(value, list) and all(isinstance(item, list) and len(item) == 2 for item in value):
        return [(str(key), item) for key, item in value]
    if isinstance(value, list) and any(isinstance(item, list | dict) for item in value):
        return [(str(number), item) for number, item in enumerate(value, 1)]
    return []


def _written(name: str, value: Any) -> str:
    if value is None or value == []:
        return NOTHING
    if isinstance(value, bool):
        return QCoreApplication.translate("Facts", "yes") if value else QCoreApplication.translate("Facts", "no")
    if isinstance(value, list):
        return shortened(", ".join(visible(str(item)) for item in value))
    if name in _BYTES and isinstance(value, int):
        return written_size(value)
    if name in _SECONDS and isinstance(value, int | float):
        return written_duration(value)
    return shortened(visible(str(value)))


def written_time(time: int, zone: tzinfo | None = None) -> str:
    """``2026-11-20 12:03:11.482 007 118  (UTC+01:00)`` for ns since 1970."""
    seconds, ns = divmod(time, 10**9)
    local = datetime.fromtimestamp(seconds, UTC).astimezone(zone or times.zone())
    minutes = (local.utcoffset() or timedelta()) // timedelta(minutes=1)
    offset = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    digits = f"{ns:09}"
    return f"{local:%Y-%m-%d %H:%M:%S}.{digits[:3]} {digits[3:6]} {digits[6:]}  (UTC{offset if minutes else ''})"


def exact_size(size: int) -> str:
    """``1 byte``, ``10,485,760 bytes``."""
    return QCoreApplication.translate("Facts", "{size:,} byte(s)", "", form_of(size)).format(size=size)


def written_size(size: int) -> str:
    """``1 byte``, ``148 bytes``, ``10,485,760 bytes (10.5 MB)``."""
    return f"{exact_size(size)} ({amount(size)})" if size >= 10_000 else exact_size(size)


def written_duration(seconds: float) -> str:
    """``0.8 ms``, ``4.20 s``, ``2 min 05 s``."""
    if seconds < 1:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def shortened(text: str) -> str:
    """``text``; if it is longer than ``MAX_VALUE`` characters, its beginning and its length."""
    return (
        text
        if len(text) <= MAX_VALUE
        else QCoreApplication.translate("Facts", "{beginning}… ({count:,} characters)").format(
            beginning=text[:MAX_VALUE], count=len(text)
        )
    )
