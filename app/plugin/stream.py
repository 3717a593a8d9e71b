"""Handlers on TCP and UDP."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocolFactory
from twisted.internet.protocol import DatagramProtocol, Protocol, ServerFactory
from twisted.protocols.basic import Int32StringReceiver, LineOnlyReceiver
from zope.interface import implementer

from app.plugin.handling import Connection, Handler, Turns, parts, written
from app.responders import Context, Options
from app.responders.script.wires import Wire, tell_unfinished

MAX_LINE, MAX_STRING = 1 << 20, 16 << 20
MAX_SENDERS = 1000
"""Senders of datagrams whose answers are being made at once; datagrams of further ones are dropped."""


@implementer(IHalfCloseableProtocol)
class Stream(Protocol):
    """One connection, in which each chunk that arrives is a message."""

    def __init__(self, handler: Handler, options: Options, context: Context) -> None:
        self._handler, self._options, self._context = handler, options, context

    def connectionMade(self) -> None:
        wire: Any = self.transport
        self._turns = Turns(self._work, wire.pauseProducing, wire.resumeProducing)
        self._connection = Connection(written(wire.getPeer()), self.send, wire.loseConnection)

    def dataReceived(self, data: bytes) -> None:
        self._turns.put(data)

    async def _work(self, came: bytes) -> None:
        """Answer one message, which is here with its frame."""
        message = self.unframed(came)
        try:
            for part in parts(await self._handler.answer(message, self._connection, self._options, self._context)):
                self.send(part)
        except BaseException as e:
            if self._gone:
                return
            self.failed(e, came)
            if self._handler.close_on_error:
                self.transport.loseConnection()  # type: ignore[union-attr]

    _gone = False

    def unframed(self, came: bytes) -> bytes:
        """The message in the bytes that came."""
        return came

    def framed(self, answer: bytes) -> bytes:
        """The bytes that carry an answer."""
        return answer

    @property
    def unfinished(self) -> int:
        """Bytes that came of a message which has not ended."""
        return 0

    def failed(self, error: BaseException, came: bytes) -> None:
        Wire(self._context, self.transport).failed(error, came)

    def too_long(self, words: str) -> None:
        """Say that the connection ends because of what was sent."""
        Wire(self._context, self.transport).note(words, limit=True)

    def send(self, answer: bytes | str) -> None:
        """Send an answer in the frame of the messages."""
        data = answer.encode() if isinstance(answer, str) else answer
        self.transport.write(self.framed(data))  # type: ignore[union-attr]

    def readConnectionLost(self) -> None:
        """The peer has sent all: it gets the answers that are still being made."""
        self._turns.finish(self.transport.loseConnection)  # type: ignore[union-attr]

    def writeConnectionLost(self) -> None:
        """We never close only our side."""

    def connectionLost(self, reason: Any = None) -> None:
        self._gone = True
        tell_unfinished(self.transport, self.unfinished)
        self._turns.stop()


class Lines(Stream, LineOnlyReceiver):
    delimiter, MAX_LENGTH = b"\n", MAX_LINE
    dataReceived = LineOnlyReceiver.dataReceived
    _ending = b"\n"

    def lineReceived(self, line: bytes) -> None:
        self._turns.put(line + b"\n")

    def unframed(self, came: bytes) -> bytes:
        line = came.removesuffix(b"\n")
        self._ending = b"\r\n" if line.endswith(b"\r") else b"\n"
        return line.removesuffix(b"\r")

    def framed(self, answer: bytes) -> bytes:
        return answer + self._ending

    @property
    def unfinished(self) -> int:
        return len(self._buffer)

    def lineLengthExceeded(self, line: bytes) -> Any:
        self.too_long(f"a line is longer than {MAX_LINE:,} bytes: closing")
        return super().lineLengthExceeded(line)


class Strings(Stream, Int32StringReceiver):
    MAX_LENGTH = MAX_STRING
    dataReceived = Int32StringReceiver.dataReceived

    def stringReceived(self, string: bytes) -> None:
        self._turns.put(self.framed(string))

    def unframed(self, came: bytes) -> bytes:
        return came[4:]

    def framed(self, answer: bytes) -> bytes:
        return len(answer).to_bytes(4, "big") + answer

    @property
    def unfinished(self) -> int:
        return len(self._unprocessed)

    def lengthLimitExceeded(self, length: int) -> None:
        self.too_long(f"a string of {length:,} bytes is longer than {MAX_STRING:,}: closing")
        super().lengthLimitExceeded(length)


def factory(handler: Handler, options: Options, context: Context) -> IProtocolFactory:
    """A factory whose connections answer with ``handler``."""
    kind = {"none": Stream, "line": Lines, "int32": Strings}[handler.framing]
    made = ServerFactory()
    made.noisy = False
    made.protocol = lambda: kind(handler, options, context)
    return made


class Datagrams(DatagramProtocol):
    """Each datagram is a message; those of one sender are answered in order."""

    noisy = False

    def __init__(self, handler: Handler, options: Options, context: Context) -> None:
        self._handler, self._options, self._context = handler, options, context
        self._turns: dict[Any, Turns] = {}
        self._dropped = 0

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        turns = self._turns.get(addr)
        if turns is None:
            if len(self._turns) >= MAX_SENDERS:
                self._drop()
                return
            turns = self._turns[addr] = Turns(lambda data: self._work(data, addr), lambda: None, lambda: None)
        if turns.full:
            self._drop()
            return
        turns.put(datagram)
        turns.finish(lambda: self._forget(addr))

    def _forget(self, addr: Any) -> None:
        self._turns.pop(addr, None)

    def _drop(self) -> None:
        self._dropped += 1
        if self._dropped.bit_count() == 1:  # 1, 2, 4, 8: not a word for each
            self._context.log(f"{self._dropped:,} datagrams were not answered: they come faster than they are handled")

    async def _work(self, datagram: bytes, addr: Any) -> None:
        def send(answer: bytes | str) -> None:
            if self.transport is not None:
                self.transport.write(answer.encode() if isinstance(answer, str) else answer, addr)

        connection = Connection(written(IPv4Address("UDP", *addr[:2])), send, _nothing)
        try:
            for part in parts(await self._handler.answer(datagram, connection, self._options, self._context)):
                send(part)
        except BaseException as e:
            if addr in self._turns:
                Wire(self._context, self.transport, addr).failed(e, datagram)

    def stopProtocol(self) -> None:
        turns, self._turns = self._turns, {}
        for one in turns.values():
            one.stop()


def _nothing() -> None:
    """A sender of datagrams has no connection to close."""


def datagrams(handler: Handler, options: Options, context: Context) -> DatagramProtocol:
    """A protocol that answers datagrams with ``handler``."""
    return Datagrams(handler, options, context)
