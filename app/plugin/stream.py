"""Protocols that answer with a handler on TCP and UDP."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocolFactory
from twisted.internet.protocol import DatagramProtocol, Protocol, ServerFactory
from twisted.protocols.basic import Int32StringReceiver, LineOnlyReceiver
from zope.interface import implementer

from app.limits import FRAMING
from app.plugin.handling import Connection, Handler, address_text, answers_in
from app.plugin.message_queue import MessageQueue
from app.responders import Context, Options
from app.responders.script.wires import Wire, tell_unfinished

MAX_LINE, MAX_STRING = 1 << 20, 16 << 20
"""Bytes of the longest line, and of the longest string with a length prefix."""

MAX_SENDERS = 1000
"""Most peers whose datagrams are being answered at the same time; datagrams of others are dropped."""


@implementer(IHalfCloseableProtocol)
class Stream(Protocol):
    """One connection, in which each chunk of data that the transport delivers is a message."""

    def __init__(self, handler: Handler, options: Options, context: Context) -> None:
        self._handler, self._options, self._context = handler, options, context

    def connectionMade(self) -> None:
        wire: Any = self.transport
        self._queue = MessageQueue(self._work, wire.pauseProducing, wire.resumeProducing)
        self._connection = Connection(address_text(wire.getPeer()), self.send, wire.loseConnection)

    def dataReceived(self, data: bytes) -> None:
        self._queue.put(data)

    async def _work(self, came: bytes) -> None:
        """Answer one message, which is here with its frame."""
        message = self.unframed(came)
        try:
            for part in answers_in(await self._handler.answer(message, self._connection, self._options, self._context)):
                self.send(part)
        except BaseException as e:
            if self._lost:
                return
            self.failed(e, came)
            if self._handler.close_on_error:
                self.transport.loseConnection()  # type: ignore[union-attr]

    _lost = False

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

    def too_long(self, most: int, words: str) -> None:
        """Record that the connection ends because a message is longer than ``most`` bytes."""
        Wire(self._context, self.transport).record_limit(FRAMING.reached(most, why=words))

    def send(self, answer: bytes | str) -> None:
        """Send an answer, framed as the messages are."""
        data = answer.encode() if isinstance(answer, str) else answer
        self.transport.write(self.framed(data))  # type: ignore[union-attr]

    def readConnectionLost(self) -> None:
        """The peer has sent everything. Close when the messages that wait are answered."""
        self._queue.finish(self.transport.loseConnection)  # type: ignore[union-attr]

    def writeConnectionLost(self) -> None:
        """Never called: this side is not closed alone."""

    def connectionLost(self, reason: Any = None) -> None:
        self._lost = True
        tell_unfinished(self.transport, self.unfinished)
        self._queue.stop()


class Lines(Stream, LineOnlyReceiver):
    """One connection, in which each line is a message."""

    delimiter, MAX_LENGTH = b"\n", MAX_LINE
    dataReceived = LineOnlyReceiver.dataReceived
    _ending = b"\n"

    def lineReceived(self, line: bytes) -> None:
        self._queue.put(line + b"\n")

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
        self.too_long(MAX_LINE, f"a line is longer than {MAX_LINE:,} bytes: closing")
        return super().lineLengthExceeded(line)


class Strings(Stream, Int32StringReceiver):
    """One connection, in which each string after a prefix of 32 bits is a message."""

    MAX_LENGTH = MAX_STRING
    dataReceived = Int32StringReceiver.dataReceived

    def stringReceived(self, string: bytes) -> None:
        self._queue.put(self.framed(string))

    def unframed(self, came: bytes) -> bytes:
        return came[4:]

    def framed(self, answer: bytes) -> bytes:
        return len(answer).to_bytes(4, "big") + answer

    @property
    def unfinished(self) -> int:
        return len(self._unprocessed)

    def lengthLimitExceeded(self, length: int) -> None:
        self.too_long(MAX_STRING, f"a string of {length:,} bytes is longer than {MAX_STRING:,}: closing")
        super().lengthLimitExceeded(length)


def factory(handler: Handler, options: Options, context: Context) -> IProtocolFactory:
    """A factory whose connections answer with ``handler``."""
    kind = {"none": Stream, "line": Lines, "int32": Strings}[handler.framing]
    made = ServerFactory()
    made.noisy = False
    made.protocol = lambda: kind(handler, options, context)
    return made


class Datagrams(DatagramProtocol):
    """Each datagram is a message. The datagrams of one peer are answered in order."""

    noisy = False

    def __init__(self, handler: Handler, options: Options, context: Context) -> None:
        self._handler, self._options, self._context = handler, options, context
        self._queues: dict[Any, MessageQueue] = {}
        self._dropped = 0

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        queue = self._queues.get(addr)
        if queue is None:
            if len(self._queues) >= MAX_SENDERS:
                self._drop()
                return
            queue = self._queues[addr] = MessageQueue(lambda data: self._work(data, addr), lambda: None, lambda: None)
        if queue.full:
            self._drop()
            return
        queue.put(datagram)
        queue.finish(lambda: self._forget(addr))

    def _forget(self, addr: Any) -> None:
        self._queues.pop(addr, None)

    def _drop(self) -> None:
        self._dropped += 1
        if self._dropped.bit_count() == 1:  # 1, 2, 4, 8 …: a line for each would flood the log
            self._context.log(f"{self._dropped:,} datagrams were not answered: they come faster than they are handled")

    async def _work(self, datagram: bytes, addr: Any) -> None:
        def send(answer: bytes | str) -> None:
            if self.transport is not None:
                self.transport.write(answer.encode() if isinstance(answer, str) else answer, addr)

        connection = Connection(address_text(IPv4Address("UDP", *addr[:2])), send, _nothing)
        try:
            for part in answers_in(await self._handler.answer(datagram, connection, self._options, self._context)):
                send(part)
        except BaseException as e:
            if addr in self._queues:
                Wire(self._context, self.transport, addr).failed(e, datagram)

    def stopProtocol(self) -> None:
        queues, self._queues = self._queues, {}
        for queue in queues.values():
            queue.stop()


def _nothing() -> None:
    """Takes the place of closing the connection: UDP has none."""


def datagrams(handler: Handler, options: Options, context: Context) -> DatagramProtocol:
    """A protocol that answers datagrams with ``handler``."""
    return Datagrams(handler, options, context)
