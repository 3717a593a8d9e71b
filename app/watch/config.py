"""The declarations of a watch, a table ``[[watch]]`` of a workspace, and what is wrong between its options."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from app import options
from app.errors import PostError
from app.options import Mistake, Option, Options, with_defaults
from app.responders.relay.outposts import reference, unread
from app.sending import url
from app.sending.clients import CLIENTS, Client, scheme_for
from app.services.config import ServiceConfig
from app.text import patterns
from app.text.escapes import unescape

MAX_WATCHES = 100
"""Watches of one workspace."""

MAX_NAME = 60
MAX_TARGET = 2_000
MAX_SEND = 16_000
MAX_EXPECT = 2_000
"""Characters of what a watch is called, looks at, sends and expects."""

_STATUSES = re.compile(r"\s*([1-9]\d\d)\s*(?:\.\.\s*([1-9]\d\d)\s*)?")

Schemes = Mapping[str, str | None]
"""The services that a watch can name, and the scheme that reaches each; None where there is no client for it."""


def _name_problem(name: str) -> str | None:
    if not name.strip() or name != name.strip():
        return 'must be text without spaces around it, as in name = "api answers"'
    if len(name) > MAX_NAME or not name.isprintable():
        return f"must be one line of at most {MAX_NAME} characters, none of them invisible"
    return None


def _target_problem(target: str) -> str | None:
    if len(target) > MAX_TARGET:
        return f"must have at most {MAX_TARGET:,} characters"
    if "://" not in target:
        return None if target.strip() else "must be an address such as tcp://127.0.0.1:9007, or the name of a service"
    try:
        url.parse(target)
    except PostError as e:
        return f"is not an address: {e}"
    return None


def _text_problem(text: str, most: int) -> str | None:
    if len(text) > most:
        return f"must have at most {most:,} characters"
    try:
        unescape(text)
    except PostError as e:
        return f"cannot be read: {e}"
    return None


def _regex_problem(text: str) -> str | None:
    return f"must have at most {MAX_EXPECT:,} characters" if len(text) > MAX_EXPECT else patterns.problem(text)


def _status_problem(text: str) -> str | None:
    return None if _statuses(text) else 'must be statuses, as in "200..299" or "200, 301..308"'


def _statuses(text: str) -> tuple[tuple[int, int], ...]:
    """First and last of each range; nothing if that is not what ``text`` has."""
    found = [_STATUSES.fullmatch(part) for part in text[:MAX_EXPECT].split(",")]
    ranges = tuple((int(part[1]), int(part[2] or part[1])) for part in found if part)
    return ranges if len(ranges) == len(found) and all(first <= last for first, last in ranges) else ()


WATCH = (
    Option("name", str, "", "Name of the watch", required=True, check=_name_problem),
    Option(
        "target", str, "",
        "Target: a URL such as http://127.0.0.1:9080/health, the name of a service of this workspace, or a service "
        "of an outpost, such as rack-2/echo",
        required=True, check=_target_problem,
    ),
    Option("every_seconds", float, 10.0, "Time between two checks", "s", 1, 86_400),
    Option("timeout_seconds", float, 3.0, "Longest time for a check; a check that takes longer fails", "s", 0.1, 60),
    Option(
        "send", str, "", "Text to send after connecting, with escapes such as \\r\\n; empty: nothing",
        protocols=("tcp", "udp", "websocket"), check=lambda text: _text_problem(text, MAX_SEND),
    ),
    Option(
        "expect", str, "", "Text that the answer must contain, with escapes such as \\r\\n; empty: any",
        check=lambda text: _text_problem(text, MAX_EXPECT),
    ),
    Option(
        "expect_regex", str, "", "Regular expression (RE2) that must match in the answer; empty: none",
        check=_regex_problem,
    ),
    Option(
        "expect_status", str, "200..299", "Status codes for which a check succeeds, such as 200..299 or 200, 404",
        protocols=("http",), check=_status_problem,
    ),
    Option(
        "certificate_days", int, 14,
        "TLS: fail when the certificate expires within this many days; 0: only after it has expired",
        "days", 0, 3_650, protocols=("tcp", "http", "websocket"),
    ),
    Option(
        "verify", bool, True,
        "TLS: check the certificate; false for a certificate that is self-signed, or signed by an unknown authority",
        protocols=("tcp", "http", "websocket"),
    ),
    Option("fails_after", int, 3, "Failed checks in a row after which the target is down", "", 1, 100),
    Option("recovers_after", int, 2, "Successful checks in a row after which the target is up again", "", 1, 100),
)  # fmt: skip
"""Each key of ``[[watch]]``. ``protocols`` are those of the clients that it means something for."""

_DEFAULTS = {option.name: option.default for option in WATCH}


@dataclass(frozen=True, slots=True)
class WatchConfig:
    """One ``[[watch]]`` of a workspace, after it was checked; ``WATCH`` says what each key means."""

    name: str
    target: str
    every_seconds: float = 10.0
    timeout_seconds: float = 3.0
    send: str = ""
    expect: str = ""
    expect_regex: str = ""
    expect_status: str = "200..299"
    certificate_days: int = 14
    verify: bool = True
    fails_after: int = 3
    recovers_after: int = 2

    @property
    def url(self) -> url.URL | None:
        """Where it connects to; None if ``target`` is the name of a service, here or of an outpost."""
        return url.parse(self.target) if "://" in self.target else None

    def well(self, status: int) -> bool:
        """Whether an answer with this status is."""
        return any(first <= status <= last for first, last in _statuses(self.expect_status))

    def as_table(self) -> dict[str, Any]:
        """The table for a workspace file: without keys that have their default values."""
        return {key: value for key, value in asdict(self).items() if key in ("name", "target") or _differs(key, value)}


def made_of(table: Options) -> WatchConfig:
    """The watch of a table without mistakes."""
    return WatchConfig(**with_defaults(WATCH, table))


def schemes(services: Iterable[ServiceConfig]) -> dict[str, str | None]:
    """What ``mistakes`` has to know of the services."""
    return {service.name: scheme_for(service.protocol, tls=service.tls is not None) for service in services}


def schemes_in(tables: Iterable[Options]) -> dict[str, str | None]:
    """As ``schemes``, of the tables ``[[service]]``, some of which may be wrong."""
    return {
        name: scheme_for(str(table.get("protocol")), tls="tls" in table)
        for table in tables
        if isinstance(name := table.get("name"), str)
    }


def client_of(target: object, services: Schemes) -> Client | None:
    """The client that reaches ``target``; None where that cannot be said, as for a service of an outpost."""
    if not isinstance(target, str) or _target_problem(target):
        return None
    scheme = url.parse(target).scheme if "://" in target else services.get(target)
    return CLIENTS[scheme] if scheme else None


def on_outpost(target: object, services: Collection[str]) -> tuple[str, str] | None:
    """Outpost and service of a target like ``rack-2/echo``; None for any other. ``services`` are those here, which
    come first where one of them has that name."""
    return reference(target) if isinstance(target, str) and target not in services else None


def without_outpost(table: Options, services: Collection[str], outposts: Collection[str]) -> Iterator[Mistake]:
    """The target, where it is a service of an outpost that is not among ``outposts``, those of the workspace."""
    if wrong := unread(on_outpost(table.get("target"), services), outposts):
        yield Mistake("target", wrong)


def mistakes(table: Options, services: Schemes) -> Iterator[Mistake]:
    """All that is wrong with one table ``[[watch]]``, each with its key. ``services`` are those of the workspace.

    What does not fit the protocol of an outpost's service is known once the outpost tells: see ``unfit``.
    """
    wrong = list(options.mistakes(WATCH, table))
    yield from wrong
    bad = {mistake.option for mistake in wrong}
    if "target" in bad:
        return
    target = str(table["target"])
    if on_outpost(target, services):
        return
    if "://" not in target and target not in services:
        known = f"; the services are {', '.join(list(services)[:20])}" if services else ""
        yield Mistake(
            "target",
            f"is neither the name of a service of this workspace nor an address such as tcp://127.0.0.1:9007{known}",
        )
        return
    client = client_of(target, services)
    if client is None:
        yield Mistake(
            "target", f'cannot be "{target}": there is no client for its protocol. Use tcp:// and its address'
        )
        return
    yield from (mistake for mistake in unfit(table, client) if mistake.option not in bad)


def unfit(table: Options, client: Client) -> Iterator[Mistake]:
    """The options that mean nothing for this client, and those that it lacks."""
    for option in WATCH:
        if not _differs(option.name, table.get(option.name, option.default)):
            continue
        if option.protocols and client.protocol not in option.protocols:
            yield Mistake(option.name, f"is not for {client.scheme}")
        elif option.name in ("certificate_days", "verify") and not client.tls:
            yield Mistake(option.name, f"is not for {client.scheme}, which has no TLS")
    if client.protocol == "udp" and not table.get("send"):
        yield Mistake("send", "is missing: a target is only found by what it answers to a datagram")


def _differs(key: str, value: object) -> bool:
    return bool(value != _DEFAULTS.get(key))
