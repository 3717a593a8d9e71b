"""The server's side of the opening handshake (RFC 6455 section 4.2): whom it accepts, and how it refuses others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from autobahn.twisted.websocket import WebSocketServerProtocol
from autobahn.websocket.types import ConnectionDeny

from app import limits
from app.http.reason_phrases import phrase
from app.services.budget import UNCOUNTED
from app.services.hosts import Hosts
from app.services.http import rules as http_rules
from app.services.tap.tap import Tap
from app.services.tls import client_hello
from app.services.websocket import deflate
from app.text.escapes import escape, one_line

VERSION = "13"
"""The version of RFC 6455; earlier ones were drafts."""

MAX_REASON = 500
"""Most characters of a reason: many reasons quote what the client sent."""

_UPGRADE = f"This port speaks WebSocket, version {VERSION}: use ws:// or wss://"

_NO_VERSION = f"no Sec-WebSocket-Version, which must be {VERSION}"

_OURS = {"WebSocket connection denied - Hixie76 protocol not supported.": _NO_VERSION}
"""Our reasons instead of autobahn's, which help nobody."""

_FIELDS: Mapping[int, str] = {
    HTTPStatus.METHOD_NOT_ALLOWED: "Allow: GET\r\n",
    HTTPStatus.UPGRADE_REQUIRED: f"Upgrade: websocket\r\nSec-WebSocket-Version: {VERSION}\r\n",
}
"""Fields that a response with this status must have (RFC 9110 sections 15.5.6 and 15.5.22, RFC 6455 section 4.4)."""


def _has_bare_lf(head: bytes) -> bool:
    # Each read looks through the whole head, and to count is several times faster than a pattern.
    return head.count(b"\n") != head.count(b"\r\n")


# For the type checker the mixin is what it is mixed into.
_Base = WebSocketServerProtocol if TYPE_CHECKING else object


class Handshake(_Base):  # type: ignore[misc,valid-type]
    """Mixed in before a responder's protocol class: refuses with a reason, and accepts the usable part of an offer.

    Attributes:
        known: the subprotocols to choose from; empty: all.
        origins: patterns; the origin of a web page must match one of them; empty: any origin is accepted.
        hosts: the names by which clients may ask, and whose web pages may connect unless ``origins`` says which;
            None: any.
        field_bytes: the largest head of an opening handshake.
    """

    known: Sequence[str] = ()
    origins: Sequence[str] = ()
    hosts: Hosts | None = None
    field_bytes = 64 << 10
    http_headers: Mapping[str, str] = MappingProxyType({})  # until autobahn has read them

    @property
    def _tap(self) -> Tap:
        return cast(Tap, self.transport)

    def processHandshake(self) -> None:
        # autobahn would keep any number of bytes.
        most = self.field_bytes
        if len(self.data) > 1 and client_hello.is_tls(self.data):
            self._refuse_tls()
        elif len(self.data) > most and self.data.find(b"\r\n\r\n", 0, most + 4) < 0:
            reached = limits.FIELD_BYTES.reached(most, "handshake")
            self._tap.record_limit(reached)
            self.failHandshake(reached.text, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif len(self.data) > UNCOUNTED and (full := self._tap.gather(len(self.data), "handshake")):
            self._tap.record_limit(full)
            self.failHandshake(full.text, HTTPStatus.SERVICE_UNAVAILABLE)
        elif _has_bare_lf(self.data.partition(b"\r\n\r\n")[0]):
            # autobahn would wait for a CR LF that never comes.
            self.failHandshake(http_rules.BARE_LF)
        else:
            super().processHandshake()

    def onOpenHandshakeTimeout(self) -> None:
        self.openHandshakeTimeoutCall = None
        if self.state != self.STATE_CONNECTING:
            return
        seconds = self.openHandshakeTimeout
        if not self.data and self._tap.held:  # while we do not read, the client cannot be blamed
            timers = cast(Any, self.factory)._batched_timer
            self.openHandshakeTimeoutCall = timers.call_later(seconds, self.onOpenHandshakeTimeout)
            return
        whose, code = ("client", 408) if not self.http_headers else ("responder", 503)
        why = f"the {whose}'s part of the handshake was not done within {seconds:g} s"
        self._tap.record_limit(limits.HANDSHAKE_SECONDS.reached(seconds, whose))
        if self.data or self.http_headers:
            self.failHandshake(why, code)
        else:
            super().onOpenHandshakeTimeout()

    def _refuse_tls(self) -> None:
        words = client_hello.record_on_plain_port(self._tap, "WebSocket", "ws", self.data)
        self._tap.ended(words)
        self.wasNotCleanReason = words
        self.dropConnection(abort=False)

    def onConnect(self, request: Any) -> Any:
        origin = self.http_headers.get("origin")
        if self.hosts is not None:
            self._check_hosts(self.hosts, origin)
        if origin is not None and self.origins and not any(matches(origin, known) for known in self.origins):
            self._tap.record_limit(limits.ORIGINS.reached(list(self.origins), origin=escape(origin.encode())))
            raise ConnectionDeny(403, "web pages of this origin may not connect")
        try:
            chosen = super().onConnect(request)
        except ConnectionDeny:
            raise  # the responder refuses the client
        except Exception as e:
            self._tap.failed(e, self.http_request_data)
            raise
        if chosen is not None:
            return chosen
        # RFC 6455 section 4.2.2: one of those offered, or none at all.
        return next((name for name in request.protocols if not self.known or name in self.known), None)

    def succeedHandshake(self, res: Any) -> None:
        # The client may have gone while a responder waited for something. autobahn would open the connection.
        if self.state != self.STATE_CLOSED:
            super().succeedHandshake(res)

    def _check_hosts(self, hosts: Hosts, origin: str | None) -> None:
        """Raise ConnectionDeny if the client asks for, or is a page of, a name that is not ours."""
        asked = self.http_headers.get("host", "")
        if name := hosts.refuse(asked):
            reached = limits.HOSTS.reached(hosts.names, name=escape(name.encode()))
            self._tap.record_limit(reached.carrying(host=name, status=421))
            words = "this service answers to addresses, to localhost and to the names in its option hosts"
            raise ConnectionDeny(421, f"{words}, which does not have {name}")
        if origin is not None and not self.origins and (name := hosts.refuse_origin(origin, asked)):
            reached = limits.HOSTS.reached(hosts.names, "origin", name=escape(origin.encode()))
            self._tap.record_limit(reached.carrying(host=name, status=403))
            raise ConnectionDeny(403, f"web pages of {name} may not connect, since the option hosts does not have it")

    def _parseExtensionsHeader(self, header: str, removeQuotes: bool = True) -> list[Any]:
        # autobahn fails the handshake for an offer that it cannot read.
        offers: Iterable[Any] = super()._parseExtensionsHeader(header, removeQuotes)
        return list(deflate.usable(offers))

    # -- refusing

    def failHandshake(self, reason: str, code: int = HTTPStatus.BAD_REQUEST, responseHeaders: Any = None) -> None:
        if self.state == self.STATE_CLOSED:
            return  # the client has gone
        if code == HTTPStatus.BAD_REQUEST and self._is_for_another_protocol():
            code = HTTPStatus.UPGRADE_REQUIRED
        super().failHandshake(_OURS.get(reason, reason), code)

    def _is_for_another_protocol(self) -> bool:
        """Whether the client asks for another protocol, or for another version of WebSocket."""
        asked = self.http_headers.get("upgrade", "websocket").lower().split(",")
        version = self.http_headers.get("sec-websocket-version", VERSION)
        return "websocket" not in map(str.strip, asked) or version.strip() != VERSION

    def sendHttpErrorResponse(self, code: int, reason: str, responseHeaders: Any = None) -> None:
        said = _UPGRADE if code == HTTPStatus.UPGRADE_REQUIRED else one_line(reason[:MAX_REASON])
        body = f"{said.rstrip('.')}.\n".encode("utf-8", "replace")
        options = "Upgrade, close" if code == HTTPStatus.UPGRADE_REQUIRED else "close"
        head = (
            f"HTTP/1.1 {code:d} {phrase(code).decode()}\r\n{_FIELDS.get(code, '')}"
            f"Content-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\nConnection: {options}\r\n\r\n"
        )
        self.sendData(head.encode() + body)


def matches(origin: str, pattern: str) -> bool:
    """Whether ``origin`` matches ``pattern``, in which ``*`` is any part without a slash; ``*`` alone is everything."""
    if pattern == "*":
        return True
    parts = map(re.escape, pattern.rstrip("/").split("*"))
    return re.fullmatch("[^/]*".join(parts), origin, re.IGNORECASE) is not None
