"""Rooms to subscribe to and to publish in, by JSON messages.

A client sends texts, each one object:

``{"type": "subscribe", "room": "a"}``
    answered ``{"type": "subscribed", "room": "a", "count": 2, "history": [...]}``; the others in
    the room get ``{"type": "joined", "room": "a", "count": 2}``
``{"type": "unsubscribe", "room": "a"}``
    answered ``{"type": "unsubscribed", "room": "a", "count": 1}``; the others get ``left``, as
    they do when the client is gone
``{"type": "publish", "room": "a", "data": ...}``
    answered ``{"type": "published", "room": "a", "count": 1}``, the number of those who get
    ``{"type": "message", "room": "a", "data": ...}``. One need not be in a room to publish there
``{"type": "list"}``
    answered ``{"type": "rooms", "rooms": [{"room": "a", "count": 2}, ...]}``

What is none of these is answered ``{"type": "error", "reason": "..."}``. ``count`` is how many
are in the room, the newcomer included. A room is there while somebody is in it, and its
history, the ``data`` of its last messages, goes with it.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Hashable
from typing import Any, NoReturn

from app.responders import Context, Option, Options, Responder
from app.responders.broadcast import Fanout

HISTORY_BYTES = 64 << 20
"""Bytes of all rooms' histories. Each room has an equal share of it; a longer message is not kept."""

TELLS_UP_TO = 100
"""How many may be in a room that is told who joins and leaves: it costs each one a message."""


Client = Hashable
"""What stands for a client; its protocol."""


class RefusedError(Exception):
    """A request that cannot be granted, with the reason for its client."""


class Room:
    """Those who are in a room, and its last messages as JSON."""

    def __init__(self, kept: int, share: int) -> None:
        self.clients: dict[Client, None] = {}
        self._kept, self._share, self._bytes = kept, share, 0
        self.history: deque[str] = deque()

    def keep(self, data: str) -> None:
        """Add a message to the history, which drops its oldest for it."""
        if not self._kept or len(data) > self._share:
            return
        self.history.append(data)
        self._bytes += len(data)
        while len(self.history) > self._kept or self._bytes > self._share:
            self._bytes -= len(self.history.popleft())


class Rooms:
    """All rooms of one running of a service."""

    def __init__(self, options: Options, tell: Callable[[bytes, list[Client], Client], None]) -> None:
        """``tell`` sends JSON to some clients, because of one."""
        self._tell = tell
        self._most: int = options["rooms"]
        self._most_per_client: int = options["rooms_per_client"]
        self._longest: int = options["name_length"]
        self._history: int = options["history"]
        self._echo: bool = options["echo"]
        self._rooms: dict[str, Room] = {}
        self._of: dict[Client, set[str]] = {}

    def on_message(self, client: Client, text: bytes) -> None:
        """Do what a client asks for."""
        try:
            request = _read(text)
            action = self._ACTIONS.get(request["type"]) if isinstance(request.get("type"), str) else None
            if action is None:
                raise RefusedError(f"type must be one of {', '.join(self._ACTIONS)}")
            action(self, client, request)
        except RefusedError as e:
            self._answer(client, _written({"type": "error", "reason": str(e)}))

    def on_binary(self, client: Client) -> None:
        """A client has sent what is no text."""
        self._answer(client, _written({"type": "error", "reason": "send text, not binary messages"}))

    def _answer(self, client: Client, text: bytes) -> None:
        self._tell(text, [client], client)

    def on_gone(self, client: Client) -> None:
        """The client has left for good."""
        for name in sorted(self._of.get(client, ())):
            self._leave(client, name)

    def _subscribe(self, client: Client, request: dict[str, Any]) -> None:
        name = self._name(request)
        mine = self._of.get(client, set())
        if name not in mine:
            if len(mine) >= self._most_per_client:
                raise RefusedError(f"you are in {len(mine):,} rooms, and may be in no more")
            if name not in self._rooms and len(self._rooms) >= self._most:
                raise RefusedError(f"there are {self._most:,} rooms, and may be no more")
            self._of.setdefault(client, mine).add(name)
            room = self._rooms.setdefault(name, Room(self._history, HISTORY_BYTES // self._most))
            room.clients[client] = None
            self._tell_of(room, "joined", name, client)
        room = self._rooms[name]
        head = _written({"type": "subscribed", "room": name, "count": len(room.clients)})
        self._answer(client, head[:-1] + b', "history": [' + _utf8(", ".join(room.history)) + b"]}")

    def _unsubscribe(self, client: Client, request: dict[str, Any]) -> None:
        name = self._name(request)
        if name not in self._of.get(client, ()):
            raise RefusedError("you are not in this room")
        count = self._leave(client, name)
        self._answer(client, _written({"type": "unsubscribed", "room": name, "count": count}))

    def _publish(self, client: Client, request: dict[str, Any]) -> None:
        name = self._name(request)
        if "data" not in request:
            raise RefusedError("publish needs data")
        room = self._rooms.get(name)
        others = [other for other in room.clients if self._echo or other is not client] if room else []
        try:
            data = json.dumps(request["data"], ensure_ascii=False, allow_nan=False)
        except (ValueError, RecursionError) as e:  # 1e999, or lists in lists in lists
            raise RefusedError("data cannot be passed on: a number is too large, or it is nested too deeply") from e
        if room:
            room.keep(data)
        message = _written({"type": "message", "room": name})[:-1] + b', "data": ' + _utf8(data) + b"}"
        self._tell(message, others, client)
        self._answer(client, _written({"type": "published", "room": name, "count": len(others)}))

    def _list(self, client: Client, request: dict[str, Any]) -> None:
        rooms = [{"room": name, "count": len(self._rooms[name].clients)} for name in sorted(self._rooms)]
        self._answer(client, _written({"type": "rooms", "rooms": rooms}))

    _ACTIONS = {"subscribe": _subscribe, "unsubscribe": _unsubscribe, "publish": _publish, "list": _list}  # noqa: RUF012

    def _leave(self, client: Client, name: str) -> int:
        """Take a client out of a room. Returns how many are left in it."""
        room, mine = self._rooms[name], self._of[client]
        del room.clients[client]
        mine.discard(name)
        if not mine:
            del self._of[client]
        if not room.clients:
            del self._rooms[name]
        self._tell_of(room, "left", name, client)
        return len(room.clients)

    def _tell_of(self, room: Room, what: str, name: str, client: Client) -> None:
        if len(room.clients) <= TELLS_UP_TO:
            notice = _written({"type": what, "room": name, "count": len(room.clients)})
            self._tell(notice, [other for other in room.clients if other is not client], client)

    def _name(self, request: dict[str, Any]) -> str:
        name = request.get("room")
        if not isinstance(name, str) or not 0 < len(name) <= self._longest:
            raise RefusedError(f"room must be a text of 1 to {self._longest} characters")
        return name


def _read(text: bytes) -> dict[str, Any]:
    try:
        request = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as e:
        raise RefusedError("this is no JSON") from e
    if not isinstance(request, dict):
        raise RefusedError('this is no JSON object, as {"type": "list"} is')
    return request


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity, which Python takes and JSON has not


def _written(answer: dict[str, Any]) -> bytes:
    return _utf8(json.dumps(answer, ensure_ascii=False))


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can write and UTF-8 cannot
        return "".join(c if c < "\ud800" or c > "\udfff" else f"\\u{ord(c):04x}" for c in text).encode()


def _websocket(options: Options, context: Context) -> Any:
    from autobahn.twisted.websocket import WebSocketServerProtocol

    fanout = Fanout(context.reactor)
    rooms = Rooms(options, lambda text, clients, speaker: fanout.send(text, False, clients, speaker))

    class RoomsProtocol(WebSocketServerProtocol):
        def onMessage(self, payload: bytes, isBinary: bool) -> None:
            if isBinary:
                rooms.on_binary(self)
            else:
                rooms.on_message(self, payload)

        def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
            rooms.on_gone(self)

    return RoomsProtocol


RESPONDER = Responder(
    "rooms",
    "Rooms to subscribe to and to publish in, by JSON messages",
    {"websocket": _websocket},
    (
        Option("history", int, 0, "Messages of a room that a newcomer gets", "", 0, 10_000),
        Option("echo", bool, False, "Send a message to the client that published it, too"),
        Option("rooms", int, 1_000, "Rooms there may be at once", "", 1, 100_000),
        Option("rooms_per_client", int, 100, "Rooms that one client may be in", "", 1, 10_000),
        Option("name_length", int, 64, "Longest name of a room", "characters", 1, 1_000),
    ),
)
