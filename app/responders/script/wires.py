"""The actions of a script (send, close, record …), for each protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from app import events
from app.errors import PostError
from app.limits import FRAMING, UNFINISHED_BYTES, Reached

if TYPE_CHECKING:
    from app.responders import Context
    from app.text.framing import Framer

END_BY = {
    FRAMING: "closed by us: no more messages can be found",
    UNFINISHED_BYTES: "closed by us: too much of unfinished messages",
}
"""Why a connection ends for which a limit was reached."""

NORMAL_CLOSURE, INTERNAL_ERROR, TRY_AGAIN_LATER = 1000, 1011, 1013
"""Close codes of RFC 6455 section 7.4.1, and of IANA's registry."""


def format_address(address: Any) -> str:
    """``host:port`` of a Twisted address, or of the address of a datagram."""
    host, port = address[:2] if isinstance(address, tuple) else (address.host, address.port)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def tell_unfinished(transport: Any, size: int, awaited: str = "") -> None:
    """Have the event of a connection's end say that so many bytes came of a message without an end."""
    unfinished = getattr(transport, "unfinished", None)
    if size and unfinished is not None:
        unfinished(size, awaited)


def gather(transport: Any, size: int, what: str = "unfinished") -> Reached | None:
    """Count ``size`` bytes for ``what`` is kept of the peer's messages: until they are whole, until answered.

    Returns the limit, as it is to be recorded, if the program has no room for them: close then.
    """
    counts = getattr(transport, "gather", None)
    full: Reached | None = counts(size, what) if counts is not None else None
    return full and full.saying(f"{full.text}: closing")


class Wire:
    """The peer of a script, and the actions of the script on its connection.

    Attributes:
        transport: a Tap, which records the events of its connection; in tests any transport.
        lasting: whether the end of the connection is reported. If not, as on UDP, an idle rule
            fires once in a silence, and a failure does not end the script.
        rule: the number of the rule whose steps are carried out, for the events of what they send; 0: none.
    """

    lasting = True
    rule = 0

    def __init__(self, context: Context, transport: Any, *peer: Any) -> None:
        """``peer`` is the peer's address, if the transport has many peers."""
        self.context, self.transport, self._peer = context, transport, peer

    @property
    def congested(self) -> bool:
        """Whether so much is unread by the peer that the script must wait before it sends more."""
        return False

    def facts(self) -> Mapping[str, object]:
        """Values for templates."""
        return {}

    def send(self, message: bytes, binary: bool) -> None:
        """Send a message, framed."""
        raise NotImplementedError

    def send_raw(self, data: bytes) -> None:
        """Send bytes without framing."""
        raise NotImplementedError

    def waiting(self, size: int) -> Reached | None:
        """So many bytes of messages wait to be answered. Returns the limit if the program has no room for them."""
        return None

    def end_by(self, reached: Reached) -> None:
        """Record that no more messages are taken because a limit was reached, and close."""
        self.record_limit(reached)
        self.close(END_BY[reached.limit])

    def pause_reading(self) -> None:
        """Read no more from the peer."""

    def resume_reading(self) -> None:
        """Read from the peer again."""

    def _write(self, data: bytes) -> None:
        write_by = getattr(self.transport, "write_by", None)
        if self.rule and write_by is not None:
            write_by(self.rule, data, *self._peer)
        else:
            self.transport.write(data, *self._peer)

    def log(self, text: str) -> None:
        """Record a line for this peer."""
        record = getattr(self.transport, "record", None)
        if record is None:
            self.context.log(text)
        else:
            record(events.LOG, text, {}, *self._peer)

    def record_limit(self, reached: Reached) -> None:
        """Record that this peer reached a limit."""
        record = getattr(self.transport, "record_limit", None)
        if record is None:
            self.context.log(reached.text)
        else:
            record(reached, *self._peer)

    def failed(self, error: BaseException, message: bytes | None) -> None:
        """Record an exception that ``message`` caused, None where no message did, and close."""
        failed = getattr(self.transport, "failed", None)
        if failed is None:
            self.context.failed(error, message)
        else:
            failed(error, message, *self._peer)

    def close(self, why: str) -> None:
        """Close once all data is sent."""
        raise NotImplementedError

    def half_close(self) -> None:
        """Close the sending direction, and continue to read."""
        raise NotImplementedError

    def reset(self) -> None:
        """Abort the connection."""
        raise NotImplementedError


class _Connection(Wire):
    """A connection, as opposed to datagrams."""

    def __init__(self, context: Context, transport: Any) -> None:
        super().__init__(context, transport)
        self._facts = {"peer": format_address(transport.getPeer())}
        number = getattr(transport, "number", None)
        if number is not None:
            self._facts["conn"] = number

    @property
    def congested(self) -> bool:
        return bool(getattr(self.transport, "congested", False))

    def facts(self) -> Mapping[str, object]:
        return self._facts

    def waiting(self, size: int) -> Reached | None:
        return gather(self.transport, size, "waiting")

    def pause_reading(self) -> None:
        self.transport.pauseProducing()

    def resume_reading(self) -> None:
        self.transport.resumeProducing()

    def reset(self) -> None:
        self.transport.abortConnection()


def on_wire(framer: Framer, message: bytes) -> bytes:
    """A message that came, as the bytes that it was: those can be sent again."""
    try:
        return framer.frame(message)
    except PostError:  # of what no message was, as at the begin of a connection
        return message


class Stream(_Connection):
    """A TCP connection."""

    def __init__(self, context: Context, transport: Any, framer: Framer) -> None:
        super().__init__(context, transport)
        self._framer = framer

    def received(self, data: bytes) -> tuple[list[bytes], Reached | None]:
        """The messages that ``data`` completes; and the limit for which there can be no more of them, once."""
        framer = self._framer
        was_broken, messages = framer.broken, framer.feed(data)
        if framer.broken:
            return messages, None if was_broken else FRAMING.reached(framer.limit, why=framer.broken)
        full = gather(self.transport, framer.unfinished)
        if full is not None:
            framer.give_up(full.text)
        return messages, full

    def flushed(self) -> list[bytes]:
        """The message that ends because nothing more came, if there is one."""
        return self._framer.flush()

    def tell_unfinished(self) -> None:
        """Have the event of the connection's end say what came of a message without an end."""
        tell_unfinished(self.transport, self._framer.unfinished, self._framer.awaited)

    def send(self, message: bytes, binary: bool) -> None:
        self.send_raw(self._framer.frame(message))

    def send_raw(self, data: bytes) -> None:
        self._write(data)

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


class Messages(_Connection):
    """A WebSocket connection; ``protocol`` is autobahn's."""

    def __init__(self, context: Context, protocol: Any) -> None:
        super().__init__(context, protocol.transport)
        self._protocol = protocol

    def send(self, message: bytes, binary: bool) -> None:
        if self._protocol.state == self._protocol.STATE_OPEN:
            self._protocol.rule = self.rule
            try:
                self._protocol.sendMessage(message, binary or not _is_text(message))
            finally:
                self._protocol.rule = 0

    def failed(self, error: BaseException, message: bytes | None) -> None:
        super().failed(error, message)
        if self._protocol.state == self._protocol.STATE_OPEN:
            # sendClose accepts only 1000 and the codes 3000 to 4999.
            self._protocol.sendCloseFrame(INTERNAL_ERROR, b"the script failed")

    def end_by(self, reached: Reached) -> None:
        self.record_limit(reached)
        self._protocol.sendCloseFrame(TRY_AGAIN_LATER, reached.text.encode())

    def close(self, why: str) -> None:
        self._protocol.sendClose(NORMAL_CLOSURE)


class Datagrams(Wire):
    """The datagrams of one peer; ``forget`` drops the peer's player."""

    lasting = False

    def __init__(self, context: Context, transport: Any, address: Any, forget: Callable[[], None]) -> None:
        super().__init__(context, transport, address)
        self._address, self._forget = address, forget
        self._reported = False

    def facts(self) -> Mapping[str, object]:
        number_of = getattr(self.transport, "number_of", None)
        return {"peer": format_address(self._address)} | ({"conn": number_of(self._address)} if number_of else {})

    def send(self, message: bytes, binary: bool) -> None:
        self._write(message)

    def pause_reading(self) -> None:
        if not self._reported:
            self._reported = True
            peer = format_address(self._address)
            self.log(f"datagrams from {peer} are dropped while too many wait for the script")

    def close(self, why: str) -> None:
        self._forget()


def _is_text(message: bytes) -> bool:
    try:
        message.decode()
    except UnicodeDecodeError:
        return False
    return True
