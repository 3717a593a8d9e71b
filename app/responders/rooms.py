"""Rooms that clients subscribe to and publish in, by JSON messages.

A client sends text messages, each of them one JSON object:

``{"type": "subscribe", "room": "a"}``
    answered ``{"type": "subscribed", "room": "a", "count": 2, "history": [...]}``; the others in
    the room receive ``{"type": "joined", "room": "a", "count": 2}``. Who is in the room already is answered the
    same without ``history``
``{"type": "unsubscribe", "room": "a"}``
    answered ``{"type": "unsubscribed", "room": "a", "count": 1}``; the others receive ``left``, also
    when the client disconnects
``{"type": "publish", "room": "a", "data": ...}``
    answered ``{"type": "published", "room": "a", "count": 1}``, where ``count`` is the number of
    clients that receive ``{"type": "message", "room": "a", "data": ...}``. A client need not be in
    a room to publish in it
``{"type": "list"}``
    answered ``{"type": "rooms", "rooms": [{"room": "a", "count": 2}, ...]}``

Any other message is answered ``{"type": "error", "reason": "..."}``. Elsewhere ``count`` is the number
of clients in the room, the new one included. A room exists while a client is in it. Its history, the
``data`` of its last messages, ends with it.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Hashable
from typing import Any, NoReturn

from app.responders import Context, Option, Options, Responder
from app.responders.broadcast import Fanout

HISTORY_SIZE, MAX_HISTORY = 64 << 20, 16 << 20
"""Characters of all rooms' histories together, and of one. Each room may use an equal share up to the second; a
message longer than that is not kept."""

MAX_NOTIFIED = 100
"""Clients in a room, up to which the room is told who joins and leaves: each client receives a message."""


Client = Hashable
"""A client, identified by its protocol."""


class RefusedError(Exception):
    """A client's request cannot be granted. The message tells the client why."""


class Room:
    """The clients in a room, and the room's last messages as JSON."""

    def __init__(self, max_messages: int, max_size: int) -> None:
        """The history holds at most ``max_messages`` messages and ``max_size`` characters."""
        self.clients: dict[Client, None] = {}
        self._max_messages, self._max_size, self._size = max_messages, max_size, 0
        self.history: deque[str] = deque()

    def keep(self, data: str) -> None:
        """Add a message to the history, and drop the oldest messages that no longer fit."""
        if not self._max_messages or len(data) > self._max_size:
            return
        self.history.append(data)
        self._size += len(data)
        while len(self.history) > self._max_messages or self._size > self._max_size:
            self._size -= len(self.history.popleft())


class Rooms:
    """All rooms of a service, from its start to its stop."""

    def __init__(self, options: Options, send: Callable[[bytes, list[Client], Client], None]) -> None:
        """``send(text, clients, sender)`` sends JSON to ``clients``, caused by ``sender``."""
        self._send = send
        self._max_rooms: int = options["rooms"]
        self._max_rooms_per_client: int = options["rooms_per_client"]
        self._max_name: int = options["name_length"]
        self._history: int = options["history"]
        self._echo: bool = options["echo"]
        self._rooms: dict[str, Room] = {}
        self._names_by_client: dict[Client, set[str]] = {}

    def on_message(self, client: Client, text: bytes) -> None:
        """Carry out a client's request, or answer with an error."""
        try:
            request = _read(text)
            action = self._ACTIONS.get(request["type"]) if isinstance(request.get("type"), str) else None
            if action is None:
                raise RefusedError(f"type must be one of {', '.join(self._ACTIONS)}")
            action(self, client, request)
        except RefusedError as e:
            self._answer(client, _to_json({"type": "error", "reason": str(e)}))

    def on_binary(self, client: Client) -> None:
        """A client has sent a binary message."""
        self._answer(client, _to_json({"type": "error", "reason": "send text, not binary messages"}))

    def _answer(self, client: Client, text: bytes) -> None:
        self._send(text, [client], client)

    def on_gone(self, client: Client) -> None:
        """The client has disconnected."""
        for name in sorted(self._names_by_client.get(client, ())):
            self._leave(client, name)

    def _subscribe(self, client: Client, request: dict[str, Any]) -> None:
        name = self._name(request)
        joined = self._names_by_client.get(client, set())
        if name in joined:
            # Without the history: a small message, sent again and again, would cause as many large answers.
            count = len(self._rooms[name].clients)
            self._answer(client, _to_json({"type": "subscribed", "room": name, "count": count}))
            return
        if len(joined) >= self._max_rooms_per_client:
            raise RefusedError(f"you are in {len(joined):,} rooms, and may be in no more")
        if name not in self._rooms and len(self._rooms) >= self._max_rooms:
            raise RefusedError(f"there are {self._max_rooms:,} rooms, and may be no more")
        self._names_by_client.setdefault(client, joined).add(name)
        most = min(MAX_HISTORY, HISTORY_SIZE // self._max_rooms)
        room = self._rooms.setdefault(name, Room(self._history, most))
        room.clients[client] = None
        self._notify_others(room, "joined", name, client)
        head = _to_json({"type": "subscribed", "room": name, "count": len(room.clients)})
        self._answer(client, head[:-1] + b', "history": [' + _utf8(", ".join(room.history)) + b"]}")

    def _unsubscribe(self, client: Client, request: dict[str, Any]) -> None:
        name = self._name(request)
        if name not in self._names_by_client.get(client, ()):
            raise RefusedError("you are not in this room")
        count = self._leave(client, name)
        self._answer(client, _to_json({"type": "unsubscribed", "room": name, "count": count}))

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
        message = _to_json({"type": "message", "room": name})[:-1] + b', "data": ' + _utf8(data) + b"}"
        self._send(message, others, client)
        self._answer(client, _to_json({"type": "published", "room": name, "count": len(others)}))

    def _list(self, client: Client, request: dict[str, Any]) -> None:
        rooms = [{"room": name, "count": len(self._rooms[name].clients)} for name in sorted(self._rooms)]
        self._answer(client, _to_json({"type": "rooms", "rooms": rooms}))

    _ACTIONS = {"subscribe": _subscribe, "unsubscribe": _unsubscribe, "publish": _publish, "list": _list}  # noqa: RUF012

    def _leave(self, client: Client, name: str) -> int:
        """Remove a client from a room. Returns the number of clients left in the room."""
        room, joined = self._rooms[name], self._names_by_client[client]
        del room.clients[client]
        joined.discard(name)
        if not joined:
            del self._names_by_client[client]
        if not room.clients:
            del self._rooms[name]
        self._notify_others(room, "left", name, client)
        return len(room.clients)

    def _notify_others(self, room: Room, kind: str, name: str, client: Client) -> None:
        """Send a message of type ``kind`` to the room's clients other than ``client``."""
        if len(room.clients) <= MAX_NOTIFIED:
            notice = _to_json({"type": kind, "room": name, "count": len(room.clients)})
            self._send(notice, [other for other in room.clients if other is not client], client)

    def _name(self, request: dict[str, Any]) -> str:
        name = request.get("room")
        if not isinstance(name, str) or not 0 < len(name) <= self._max_name:
            raise RefusedError(f"room must be a text of 1 to {self._max_name} characters")
        return name


def _read(text: bytes) -> dict[str, Any]:
    try:
        request = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as e:
        raise RefusedError("this is not JSON") from e
    if not isinstance(request, dict):
        raise RefusedError('this is not a JSON object such as {"type": "list"}')
    return request


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity: Python's parser accepts them, JSON does not have them


def _to_json(answer: dict[str, Any]) -> bytes:
    return _utf8(json.dumps(answer, ensure_ascii=False))


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # a lone surrogate: JSON can express it, UTF-8 cannot
        return "".join(c if c < "\ud800" or c > "\udfff" else f"\\u{ord(c):04x}" for c in text).encode()


def _websocket(options: Options, context: Context) -> Any:
    from autobahn.twisted.websocket import WebSocketServerProtocol

    fanout = Fanout(context.reactor)
    rooms = Rooms(options, lambda text, clients, sender: fanout.send(text, False, clients, sender))

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
    "Rooms that clients subscribe to and publish in, with JSON messages",
    {"websocket": _websocket},
    (
        Option("history", int, 0, "Messages of a room that a new subscriber gets", "", 0, 10_000),
        Option("echo", bool, False, "Also send a message back to its publisher"),
        Option("rooms", int, 1_000, "Most rooms at once", "", 1, 100_000),
        Option("rooms_per_client", int, 100, "Most rooms that one client may be in", "", 1, 10_000),
        Option("name_length", int, 64, "Longest name of a room", "characters", 1, 1_000),
    ),
    guarded=True,
)
