"""What the list of services shows: plain values, compared to find out which rows have changed. No Qt widgets."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from math import ceil

from PyQt5.QtCore import QCoreApplication

from app.faults import CLOSED
from app.plugin_loader.errors import PluginWaitingError
from app.responders import find
from app.services.protocols import PROTOCOLS
from app.services.service import Service
from app.status import Failed, Held, Listening, Running, Starting, Status, Stopped, Stopping, Waiting
from app.text.escapes import amount, one_line
from ui.bridge import Traffic
from ui.looks import shapes
from ui.looks.english import form_of

translate = QCoreApplication.translate

STATES: dict[type, shapes.State] = {
    Stopped: "stopped",
    Starting: "starting",
    Listening: "listening",
    Stopping: "stopping",
    Failed: "failed",
    Waiting: "starting",
    Held: "stopped",
    Running: "listening",
}

SECURE = {"http": "HTTPS", "websocket": "WSS"}
"""Badges of protocols that have a name of their own with TLS."""

SHOWN_FAULTS = 5
"""Names of faults in a tooltip."""


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """What is shown of one service.

    Attributes:
        port: the one that is bound, or the one in the workspace, as ``":9480"``.
        address: host and port, bound or in the workspace.
        state: its mark; ``word`` is the same in a word.
        reason: why it does not run, in words; empty if nothing is wrong.
        bad: whether ``reason`` is an error, and not a question that waits for an answer.
        badge: its protocol, in capitals.
        locked: whether it has TLS and ``badge`` does not say so.
        exposed: whether others on the network can reach it.
        connections: how many are open; None while it does not listen. ``peers``: whether they are UDP peers.
        rate: bytes a second. ``spark``: the last rates, oldest first.
        faults: names of its faults that act, or wait for the next candidate.
        refused: the name by which somebody asked for it and was refused; empty: nobody was.
        waits: whether it has failed and is tried again by itself.
        up: whether the button stops it. ``ready``: whether the button does anything now.
        label: what is shown in the place of the name; empty: the name.
        program: the hosted program that it is, or that has opened it; empty: it is a service of the workspace.
        pid: the process of the program.
    """

    name: str
    group: str
    port: str
    address: str
    state: shapes.State
    word: str
    reason: str
    bad: bool
    badge: str
    protocol: str
    locked: bool
    exposed: bool
    connections: int | None
    peers: bool
    rate: str
    spark: tuple[float, ...]
    faults: tuple[str, ...]
    refused: str
    waits: bool
    up: bool
    ready: bool
    label: str = ""
    program: str = ""
    pid: int = 0

    @property
    def title(self) -> str:
        """What it is called in the list."""
        return self.label or self.name

    @property
    def count(self) -> str:
        """The connections as a short figure, with what they are; empty while it does not listen."""
        if self.connections is None:
            return ""
        n = form_of(self.connections)
        words = translate("Services", "{count} peer(s)", "", n) if self.peers else translate("Services", "{count} conn")
        return words.format(count=compact(self.connections))

    @property
    def traffic(self) -> str:
        """Connections and rate in words, with exact figures; the state while it does not listen."""
        if self.connections is None:
            return self.word
        if self.peers:
            words = translate("Services", "{count:,} peer(s)", "", form_of(self.connections))
        else:
            words = translate("Services", "{count:,} connection(s)", "", form_of(self.connections))
        return f"{words.format(count=self.connections)} · {self.rate}"

    @property
    def spoken(self) -> str:
        """The whole row, for screen readers."""
        failing = f", {self.failing}" if self.faults else ""
        return f"{self.name}, {self.address}, {self.badge}, {self.reason or self.traffic}{failing}"

    @property
    def failing(self) -> str:
        """Which faults act, in words."""
        names = ", ".join(self.faults[:SHOWN_FAULTS]) + (", …" if len(self.faults) > SHOWN_FAULTS else "")
        words = translate("Services", "Fails on purpose by %n fault(s): {names}", "", len(self.faults))
        return words.format(names=names)


@dataclass(frozen=True, slots=True)
class Heading:
    """The heading of a group.

    Attributes:
        program: whether it is that of a hosted program and its ports.
        up, of: how many of its services listen, of how many.
        failed: how many failed.
    """

    group: str
    folded: bool
    up: int
    of: int
    failed: int
    program: bool = False

    @property
    def spoken(self) -> str:
        """The heading, for screen readers."""
        text = translate("Services", "group {name}, {up} of {count} listening")
        if self.folded:
            text = translate("Services", "group {name}, {up} of {count} listening, folded")
        return text.format(name=self.group, up=self.up, count=self.of)


Row = ServiceRow | Heading


def row_of(service: Service, traffic: Traffic) -> ServiceRow:
    """What is shown of a service now."""
    config, status = service.config, shown_status(service)
    address = status.host if isinstance(status, Listening) else config.listen
    label = PROTOCOLS[config.protocol].label
    secure = config.tls is not None
    badge = SECURE.get(config.protocol, label) if secure else label
    if config.responder == "relay":
        badge = translate("Services", "RELAY")
    return ServiceRow(
        name=config.name,
        group=config.group,
        port=f":{address.rpartition(':')[2]}",
        address=address,
        state=STATES[type(status)],
        word=_word(service),
        reason=_reason(service),
        bad=isinstance(status, Failed),
        badge=badge,
        protocol=PROTOCOLS[config.protocol].title,
        locked=secure and badge not in SECURE.values(),
        exposed=config.exposed,
        connections=service.accepted if isinstance(status, Listening) else None,
        peers=config.protocol == "udp",
        rate=f"{amount(traffic.rate)}/s",
        spark=tuple(traffic.spark) if any(traffic.spark) else (),
        faults=tuple(fault.name for fault in service.faults.all if fault.enabled or fault.once),
        refused=service.refused_host,
        waits=isinstance(status, Waiting),
        up=isinstance(status, Starting | Listening | Waiting),
        ready=not isinstance(status, Stopping),
    )


def arranged(rows: Iterable[ServiceRow], folded: Collection[str], typed: str) -> list[Row]:
    """All rows in the order of the list: services without a group, then each group under its heading.

    ``typed``: every word of it must occur in a row; headings of groups without such a row are left out, and
    folded groups are shown.
    """
    groups: dict[str, list[ServiceRow]] = {"": []}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    words = typed.lower().split()
    result: list[Row] = []
    for group, members in groups.items():
        found = [row for row in members if fits(row, words)]
        if not found:
            continue
        hidden = group in folded and not words
        if group:
            up = sum(row.connections is not None for row in members)
            failed = sum(row.bad for row in members)
            result.append(Heading(group, hidden, up, len(members), failed, bool(members[0].program)))
        if not (group and hidden):
            result += found
    return result


def fits(row: ServiceRow, words: Iterable[str]) -> bool:
    """Whether each of ``words`` occurs in the name, the address, the protocol, the group or the state."""
    text = " ".join((row.name, row.address, row.badge, row.protocol, row.group, row.word)).lower()
    return all(word in text for word in words)


def compact(count: int) -> str:
    """A count in at most five characters: ``"9,999"``, ``"20 k"``, ``"1.2 M"``."""
    if count < 10_000:
        return f"{count:,}"
    for unit in ("k", "M", "G"):
        value = count / 1000
        if value < 999.5 or unit == "G":
            return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"
        count = round(value)
    raise AssertionError


def shown_status(service: Service) -> Status:
    """Its status; it has not failed, but waits, while its responder comes from a plugin that is not trusted yet."""
    responder = find(service.config.responder)
    missing = responder.missing if responder is not None else None
    if isinstance(service.status, Failed) and isinstance(missing, PluginWaitingError):
        return Held(str(missing), one_line(str(missing.fields["path"])))
    return service.status


def word_of(status: Status, seconds_left: float) -> str:
    """The status of a service or a program in a word; ``seconds_left``: until it is tried again."""
    if isinstance(status, Waiting):
        return translate("Services", "again in {seconds} s").format(seconds=f"{ceil(seconds_left):,}")
    words: dict[type[Status], str] = {
        Stopped: translate("Services", "stopped"),
        Starting: translate("Services", "starting…"),
        Listening: translate("Services", "listening"),
        Stopping: translate("Services", "stopping…"),
        Failed: translate("Services", "failed"),
        Held: translate("Services", "not trusted"),
    }
    return words[type(status)]


def reason_of(status: Status, seconds_left: float) -> str:
    """Why a service or a program does not run; empty: there is nothing to say."""
    if isinstance(status, Waiting):
        words = translate("Services", "Starts again in {seconds} s: {reason}")
        return words.format(seconds=f"{ceil(seconds_left):,}", reason=status.reason)
    if isinstance(status, Failed):
        return status.reason
    if isinstance(status, Held):
        return translate("Services", "Waiting until you trust it: {asks}").format(asks=status.asks)
    return ""


def _word(service: Service) -> str:
    status = shown_status(service)
    if isinstance(status, Listening) and status.shut:
        closed = translate("Services", "port closed")
        return closed if status.shut == CLOSED else translate("Services", "not accepting")
    return word_of(status, service.seconds_left)


def _reason(service: Service) -> str:
    status = shown_status(service)
    if isinstance(status, Listening) and status.shut:
        return translate("Services", "A fault refuses connections at {address} on purpose.").format(address=status.host)
    return reason_of(status, service.seconds_left)
