"""The protocol between a console and an outpost: requests and answers. ``frames.py`` has how they are written.

The console reads the outpost's capture: the answer to one ``read`` is what asks for the next, so that a slow
console never has an outpost keep more than one answer. After a link was cut, the same request is made again.

Programs of different ages get on. ``app.outposts.versions`` says how, and what an addition must keep to.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Final, Literal, get_args

import msgspec
from msgspec import Meta

from app.capture.reading.stored import Stored

VERSION: Final = 1
"""Another one means that neither understands the other."""

MINOR: Final = 1
"""Counts what was added since ``VERSION`` became what it is."""

MAX_REQUEST: Final = 1 << 20
"""Bytes of a frame from the console."""

MAX_READ: Final = 4 << 20
"""Most bytes of events, or of a payload, that one answer brings."""

MAX_ANSWER: Final = MAX_READ + (4 << 20)
"""Bytes of a frame from the outpost. An answer to ``read`` ends with the event that passes ``max_bytes``."""

MAX_WAIT: Final = 10.0
"""Seconds that ``read`` waits for an event."""

MOST_EVENTS: Final = 10_000
"""Events of one answer."""

MOST_SERVICES: Final = 1_000
"""Services that one answer tells of."""

MOST_CONNECTIONS: Final = 1_000
"""Connections that one answer lists."""

MAX_INLINE: Final = 1 << 20
"""Bytes of a payload from which ``read`` leaves it out: ``payload`` brings it in parts."""

Allow = Literal["read", "control", "change"]
LEVELS: Final[tuple[Allow, ...]] = ("read", "control", "change")
"""What an outpost allows. Each includes those before it."""

Name = Annotated[str, Meta(max_length=200)]
Id = Annotated[int, Meta(ge=0, lt=1 << 62)]
Count = Annotated[int, Meta(ge=0, lt=1 << 53)]
Bytes = Annotated[int, Meta(ge=1, le=MAX_READ)]


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="do"):
    """Base class of requests.

    Attributes:
        level: what the outpost must allow.
        answer: the type of the answer.
        since: the minor version in which it was added.
        added: of fields that were added later, that of each.
    """

    level: ClassVar[Allow] = "read"
    answer: ClassVar[type[msgspec.Struct]]
    since: ClassVar[int] = 0
    added: ClassVar[Mapping[str, int]] = MappingProxyType({})


class Done(msgspec.Struct, frozen=True):
    """It was done. ``words`` says what, in one line."""

    words: str = ""


# -- who is there


class Outpost(msgspec.Struct, frozen=True):
    """Who answers.

    Attributes:
        version, minor: of the protocol.
        program: name and version of the program.
        allow: what it allows.
        capture: the identity of its capture file; empty while it has none.
        first, last: ids of the oldest and newest event; ``(1, 0)`` where there is none.
        time: of its clock, ns since 1970.
    """

    version: int
    name: str
    program: str
    allow: Allow
    capture: str
    first: Id
    last: Id
    time: int
    minor: Count = 0


class Hello(Request, frozen=True, tag="hello"):
    """The first request. ``name`` is who asks, as the events of the outpost will say."""

    answer = Outpost
    version: int
    name: Name


# -- the capture


class Events(msgspec.Struct, frozen=True):
    """The events after the id that was asked for, oldest first. ``payload`` brings what is left out of one.

    Attributes:
        capture: the file that they are of. If another one was asked for, which this program has left, its events are
            answered as long as there are more; then the one that followed, without events.
        first, last: ids of the oldest and newest event of the capture. A ``first`` beyond the one that was
            asked for tells of a gap.
        complete: of the other one that was asked for there is nothing more to come.
    """

    capture: str
    first: Id
    last: Id
    events: Annotated[tuple[Stored, ...], Meta(max_length=MOST_EVENTS)] = ()
    complete: bool = False


class Read(Request, frozen=True, tag="read"):
    """Events after ``after``. Waits up to ``seconds`` while there is none. ``capture``: empty for the one of now."""

    answer = Events
    after: Id = 0
    capture: Name = ""
    max_bytes: Bytes = MAX_READ
    seconds: Annotated[float, Meta(ge=0, le=MAX_WAIT)] = MAX_WAIT


class Part(msgspec.Struct, frozen=True):
    """A part of a payload."""

    data: bytes


class Payload(Request, frozen=True, tag="payload"):
    """Bytes of the payload of an event, from ``offset``. ``capture``: that of the event; empty for the one of now."""

    answer = Part
    added = MappingProxyType({"capture": 1})
    event: Id
    offset: Id = 0
    max_bytes: Bytes = MAX_READ
    capture: Name = ""


# -- services


class Fault(msgspec.Struct, frozen=True):
    name: str
    kind: str
    on: str
    enabled: bool
    hits: int


class Service(msgspec.Struct, frozen=True):
    """One service, hosted program (``protocol`` is ``program`` then), or port of one, as ``program/port``.

    Attributes:
        status: ``stopped``, ``starting``, ``listening``, ``stopping``, ``failed``, ``waiting`` (to be
            tried again) or ``held``; of a program ``running``.
        words: the address it listens on, or the reason why it does not; of a program what blocks it, or how it ended.
        connections: those of clients that are open; ``opened``: so many since the program started; ``received`` and
            ``sent`` are bytes.
        tls: whether it speaks TLS; None: that is not told.
    """

    name: str
    protocol: str
    responder: str
    status: str
    words: str
    connections: int
    opened: int
    received: int
    sent: int
    faults: tuple[Fault, ...] = ()
    tls: bool | None = None


class Services(msgspec.Struct, frozen=True):
    """``more``: how many services there are beside these."""

    services: tuple[Service, ...]
    more: int = 0


class Status(Request, frozen=True, tag="services"):
    """Every service, in the order of the workspace, then every hosted program with its ports."""

    answer = Services


class Start(Request, frozen=True, tag="start"):
    """Start these services; none named: all. Answered when each listens, has failed or is held."""

    level = "control"
    answer = Services
    services: Annotated[tuple[Name, ...], Meta(max_length=1000)] = ()


class Stop(Request, frozen=True, tag="stop"):
    """Stop these services; none named: all. Answered when none has a connection left. A program closes its port."""

    level = "control"
    answer = Services
    services: Annotated[tuple[Name, ...], Meta(max_length=1000)] = ()


class SwitchFault(Request, frozen=True, tag="fault"):
    """Switch faults: those called ``name``, or ``SERVICE/NAME``. ``once``: hit the next candidate, whatever is set."""

    level = "control"
    answer = Done
    name: Name
    to: Literal["on", "off", "once"]


# -- connections


class Connection(msgspec.Struct, frozen=True):
    """One open connection. ``opened``: ns since 1970; ``received`` and ``sent`` are bytes so far."""

    number: int
    service: str
    peer: str
    host: str
    opened: int
    received: int
    sent: int


class OpenConnections(msgspec.Struct, frozen=True):
    """``more``: how many connections there are beside these."""

    connections: Annotated[tuple[Connection, ...], Meta(max_length=MOST_CONNECTIONS)]
    more: int = 0


class Connections(Request, frozen=True, tag="connections"):
    """The open connections, those of one service or of all."""

    answer = OpenConnections
    service: Name = ""


class Send(Request, frozen=True, tag="send"):
    """Send bytes over an open connection of a service."""

    level = "control"
    answer = Done
    connection: Id
    data: Annotated[bytes, Meta(min_length=1, max_length=MAX_REQUEST)]


class Disconnect(Request, frozen=True, tag="disconnect"):
    """Close an open connection; ``abort``: at once, with a reset."""

    level = "control"
    answer = Done
    connection: Id
    abort: bool = False


# -- the workspace


class Table(msgspec.Struct, frozen=True):
    """The configuration of a service.

    Attributes:
        toml: a table ``[[service]]``.
        secret: what it leaves out, as ``options.tokens``.
    """

    toml: Annotated[str, Meta(max_length=MAX_REQUEST)]
    secret: tuple[str, ...] = ()


class Configuration(Request, frozen=True, tag="configuration"):
    """The configuration of a service, to be changed and put again. Passwords, tokens and the like are left out.

    It is for whoever may change it: it names files and servers, and has texts and rules that are not for readers.
    """

    level = "change"
    answer = Table
    since = 1
    service: Name


class Put(Request, frozen=True, tag="put"):
    """Add services, or give those of the same names another configuration: tables ``[[service]]`` in TOML.

    What was added starts if ``start`` says so. What asks for more than the outpost's user has allowed is held.
    ``keep``: what ``Configuration`` leaves out of these services stays where it is not given.
    """

    level = "change"
    answer = Services
    added = MappingProxyType({"keep": 1})
    toml: Annotated[str, Meta(max_length=MAX_REQUEST)]
    start: bool = True
    keep: bool = False


class Remove(Request, frozen=True, tag="remove"):
    """Stop a service and remove it. Its events stay in the capture."""

    level = "change"
    answer = Done
    service: Name


AnyRequest = (
    Hello | Read | Payload | Status | Start | Stop | SwitchFault | Connections | Send | Disconnect
    | Configuration | Put | Remove
)  # fmt: skip
REQUESTS: Final[tuple[type[Request], ...]] = get_args(AnyRequest)


def name_of(request: type[Request]) -> str:
    """The name of a request, as it stands in a frame."""
    return str(request.__struct_config__.tag)
