"""What a script does, in the words of each protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from app import errors, events

if TYPE_CHECKING:
    from app.responders import Context
    from app.text.framing import Framer

GOING_ON, INTERNAL_ERROR = 1000, 1011
"""Close codes of RFC 6455 section 7.4.1."""


def written(address: Any) -> str:
    """``address:port``, of an address of Twisted's or a datagram's."""
    host, port = address[:2] if isinstance(address, tuple) else (address.host, address.port)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def tell_unfinished(transport: Any, size: int, awaited: str = "") -> None:
    """Have the event of a connection's end say that so many bytes came of a message without an end."""
    unfinished = getattr(transport, "unfinished", None)
    if size and unfinished is not None:
        unfinished(size, awaited)


class Wire:
    """Who a script talks to.

    Attributes:
        transport: a Tap, which records for its connection; in tests anything like it.
        lasting: whether its end is told of. If not, an idle rule fires once in a silence, and a
            failure is not the end.
    """

    lasting = True

    def __init__(self, context: Context, transport: Any, *peer: Any) -> None:
        """``peer`` is the address, where the transport has many."""
        self.context, self.transport, self._peer = context, transport, peer

    @property
    def congested(self) -> bool:
        """Whether so much waits for the peer to read it that more must wait."""
        return False

    def facts(self) -> Mapping[str, object]:
        """Values for templates."""
        return {}

    def say(self, message: bytes, binary: bool) -> None:
        """Send a message."""
        raise NotImplementedError

    def say_raw(self, data: bytes) -> None:
        """Send bytes that are no message."""
        raise NotImplementedError

    def hold(self, held: bool) -> None:
        """Read no more, or go on."""

    def note(self, text: str, limit: bool = False) -> None:
        """Record a line; for ``limit``, that too much was sent."""
        note = getattr(self.transport, "note", None)
        if note is None:
            self.context.log(text)
        else:
            kind, detail = (events.LIMIT_REACHED, {"limit": "framing"}) if limit else (events.LOG, {})
            note(kind, text, detail, *self._peer)

    def failed(self, error: BaseException, message: bytes | None) -> None:
        """Record what went wrong with ``message``, None where it was none, and close."""
        failed = getattr(self.transport, "failed", None)
        if failed is None:
            self.context.failed(error, message)
        else:
            failed(error, message, *self._peer)

    def close(self, why: str) -> None:
        """Close in good order."""
        raise NotImplementedError

    def half_close(self) -> None:
        """Send no more, and go on reading."""
        raise NotImplementedError

    def reset(self) -> None:
        """Close at once, and not in good order."""
        raise NotImplementedError


class _Connected(Wire):
    """A connection."""

    def __init__(self, context: Context, transport: Any) -> None:
        super().__init__(context, transport)
        self._facts = {"peer": written(transport.getPeer())}
        number = getattr(transport, "number", None)
        if number is not None:
            self._facts["conn"] = number

    @property
    def congested(self) -> bool:
        return bool(getattr(self.transport, "congested", False))

    def facts(self) -> Mapping[str, object]:
        return self._facts

    def hold(self, held: bool) -> None:
        if held:
            self.transport.pauseProducing()
        else:
            self.transport.resumeProducing()

    def reset(self) -> None:
        self.transport.abortConnection()


def on_wire(framer: Framer, message: bytes) -> bytes:
    """A message that came, as the bytes that it was: those can be sent again."""
    try:
        return framer.frame(message)
    except errors.PostError:  # of what no message was, as at the begin of a connection
        return message


class Stream(_Connected):
    """A TCP connection."""

    def __init__(self, context: Context, transport: Any, framer: Framer) -> None:
        super().__init__(context, transport)
        self._framer = framer

    def say(self, message: bytes, binary: bool) -> None:
        self.transport.write(self._framer.frame(message))

    def say_raw(self, data: bytes) -> None:
        self.transport.write(data)

    def failed(self, error: BaseException, message: bytes | None) -> None:
        super().failed(error, message if message is None else on_wire(self._framer, message))
        self.close("closed after a failure")

    def close(self, why: str) -> None:
        finish = getattr(self.transport, "finish", None)
        if finish is None:
            self.transport.loseConnection()
        else:
            finish(why)

    def half_close(self) -> None:
        self.transport.loseWriteConnection()


class Messages(_Connected):
    """A WebSocket; ``protocol`` is autobahn's."""

    def __init__(self, context: Context, protocol: Any) -> None:
        super().__init__(context, protocol.transport)
        self._protocol = protocol

    def say(self, message: bytes, binary: bool) -> None:
        if self._protocol.state == self._protocol.STATE_OPEN:
            self._protocol.sendMessage(message, binary or not _is_text(message))

    def failed(self, error: BaseException, message: bytes | None) -> None:
        super().failed(error, message)
        if self._protocol.state == self._protocol.STATE_OPEN:
            # sendClose takes only the codes of applications.
            self._protocol.sendCloseFrame(INTERNAL_ERROR, b"the script failed")

    def close(self, why: str) -> None:
        self._protocol.sendClose(GOING_ON)


class Datagrams(Wire):
    """The datagrams of one peer; ``forget`` ends its state."""

    lasting = False

    def __init__(self, context: Context, transport: Any, address: Any, forget: Callable[[], None]) -> None:
        super().__init__(context, transport, address)
        self._address, self._forget = address, forget
        self._told = False

    def facts(self) -> Mapping[str, object]:
        number_of = getattr(self.transport, "number_of", None)
        return {"peer": written(self._address)} | ({"conn": number_of(self._address)} if number_of else {})

    def say(self, message: bytes, binary: bool) -> None:
        self.transport.write(message, self._address)

    def hold(self, held: bool) -> None:
        if held and not self._told:
            self._told = True
            self.note(f"datagrams from {written(self._address)} are dropped while too many wait for the script")

    def close(self, why: str) -> None:
        self._forget()


def _is_text(message: bytes) -> bool:
    try:
        message.decode()
    except UnicodeDecodeError:
        return False
    return True
