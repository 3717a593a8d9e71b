"""Protocols that answer with a handler on TCP and UDP."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocolFactory
from twisted.internet.protocol import DatagramProtocol, Protocol, ServerFactory
from zope.interface import implementer

from app.plugin.handling import Connection, Handler, address_text, answers_in
from app.plugin.message_queue import MessageQueue
from app.responders import Context, Options
from app.responders.script import wires
from app.responders.script.wires import Wire, on_wire
from app.text.framing import Delimited, Framer, Prefixed, Unframed

MAX_LINE, MAX_STRING = 1 << 20, 16 << 20
"""Bytes of the longest line, and of the longest string with a length prefix."""

MAX_SENDERS = 1000
"""Most peers whose datagrams are being answered at the same time; datagrams of others are dropped."""


@implementer(IHalfCloseableProtocol)
class Stream(Protocol):
    """One connection, in which each chunk of data that the transport delivers is a message."""

    transport: Any

    def __init__(self, handler: Handler, options: Options, context: Context) -> None:
        self._handler, self._options, self._context = handler, options, context
        self._framer = self.framer()

    @staticmethod
    def framer() -> Framer:
        """What finds the messages of a connection."""
        return Unframed()

    def connectionMade(self) -> None:
        wire = self.transport
        self._wire = wires.Stream(self._context, wire, self._framer)
        self._queue = MessageQueue(self._work, wire.pauseProducing, wire.resumeProducing, self._wire.waiting)
        self._connection = Connection(address_text(wire.getPeer()), self.send, wire.loseConnection)

    def dataReceived(self, data: bytes) -> None:
        if self._lost:
            return
        messages, reached = self._wire.received(data)
        for message in messages:
            if self.transport.disconnecting:
                return
            reached = self._queue.put(message) or reached
        if reached is not None:
            self._lost = True
            self._queue.stop()
            self._framer.give_up(reached.text)
            self._wire.end_by(reached)

    async def _work(self, came: bytes) -> None:
        """Answer one message, as the framer gave it out."""
        message = self.unframed(came)
        try:
            for part in answers_in(await self._handler.answer(message, self._connection, self._options, self._context)):
                self.send(part)
        except BaseException as e:
            if self._lost:
                return
            Wire(self._context, self.transport).failed(e, on_wire(self._framer, came))
            if self._handler.close_on_error:
                self.transport.loseConnection()

    _lost = False  # nothing is answered any more

    def unframed(self, came: bytes) -> bytes:
        """The message in what the framer gave out."""
        return came

    def framed(self, answer: bytes) -> bytes:
        """The bytes that carry an answer."""
        return self._framer.frame(answer)

    def send(self, answer: bytes | str) -> None:
        """Send an answer, framed as the messages are."""
        data = answer.encode() if isinstance(answer, str) else answer
        self.transport.write(self.framed(data))

    def readConnectionLost(self) -> None:
        """The peer has sent everything. Close when the messages that wait are answered."""
        self._queue.finish(self.transport.loseConnection)

    def writeConnectionLost(self) -> None:
        """Never called: this side is not closed alone."""

    def connectionLost(self, reason: Any = None) -> None:
        self._lost = True
        self._wire.tell_unfinished()
        self._queue.stop()


class Lines(Stream):
    """One connection, in which each line is a message."""

    _ending = b"\n"

    @staticmethod
    def framer() -> Framer:
        return Delimited(limit=MAX_LINE)

    def unframed(self, came: bytes) -> bytes:
        self._ending = b"\r\n" if came.endswith(b"\r") else b"\n"
        return came.removesuffix(b"\r")

    def framed(self, answer: bytes) -> bytes:
        return answer + self._ending


class Strings(Stream):
    """One connection, in which each string after a prefix of 32 bits is a message."""

    @staticmethod
    def framer() -> Framer:
        return Prefixed(4, limit=MAX_STRING)


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
