"""How a Tap holds its peer back: reads no more while the responder, a full write buffer or the capture asks for it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from twisted.internet.interfaces import IProtocol
from twisted.protocols.policies import ProtocolWrapper

from app import events
from app.faults.live import Faults
from app.limits import UNREAD_BYTES, Reached
from app.services.interfaces import Owner
from app.services.tap.lookout import Lookout
from app.services.tap.valve import AT_MOST, Kept, Paced, Valve
from app.text.escapes import amount

BY_RESPONDER, BY_BUFFER, BY_CAPTURE = 1, 2, 4
"""Who holds the peer back: the responder, a full write buffer, a slow capture."""


class TapBuilder(Protocol):
    """The factory of Taps, as a Tap needs it.

    Attributes:
        owner: whom the connections belong to.
        outgoing: whether we open them.
        faults: those that act on them.
        kept: the bytes that the peers of this factory have not read yet.
        lookout: for peers that leave while a fault keeps us from noticing.
    """

    owner: Owner
    outgoing: bool
    faults: Faults | None
    kept: Kept
    lookout: Lookout

    def registerProtocol(self, p: Any) -> None: ...

    def unregisterProtocol(self, p: Any) -> None: ...


class Holding(ProtocolWrapper):
    """The part of a Tap that stops and resumes reading from the transport, and paces a responder's producer."""

    factory: TapBuilder
    _wire: Any
    _secured: bool
    _owner_number: int
    _record: Callable[..., None]
    _write: Callable[[bytes], None]
    number: int
    sent: int
    course: Any = None  # what faults know of it

    def __init__(self, factory: TapBuilder, wrapped: IProtocol) -> None:
        super().__init__(factory, wrapped)  # type: ignore[arg-type]
        self._recorder = factory.owner.recorder
        self._held = 0
        self._valve: Valve | None = None
        self._paced: Paced | None = None
        self._open = True
        # What the responder writes while the capture is behind, and what comes after that was written.
        self._queue: deque[bytes] | None = None
        self._after_queue: Callable[[], None] | None = None
        self._rest: Callable[[], None] | None = None

    def failed(self, e: BaseException, payload: bytes | None) -> None:
        """Record an exception that the responder raised."""
        raise NotImplementedError

    def _failed(self, e: BaseException, payload: bytes | None) -> None:
        """The same for an exception that ends the connection."""
        raise NotImplementedError

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self._close_valve()
        kept = self.factory.kept
        paced = Paced(
            producer, streaming, self._recorder.pressed, partial(kept.measure, self), partial(kept.drop, self)
        )
        super().registerProducer(paced, streaming)
        self._paced = paced

    def cut(self, total: int) -> None:
        """Abort: answers of ``total`` bytes wait for all peers of the port, and too much of it for this one."""
        self.record_limit(UNREAD_BYTES.reached(AT_MOST, "all", unread=amount(self.unsent() or 0), all=amount(total)))
        self.abortConnection()

    def record_limit(self, reached: Reached) -> None:
        """Record that this connection reached a limit."""
        raise NotImplementedError

    def unregisterProducer(self) -> None:
        # What still waits stays counted until it was sent or the connection is lost.
        if self._paced is not None and not self.unsent():
            self.factory.kept.drop(self)
        self._paced = None
        super().unregisterProducer()
        self._open_valve()

    def pauseProducing(self) -> None:
        self.hold(BY_RESPONDER)

    def resumeProducing(self) -> None:
        self.release(BY_RESPONDER)

    def stopProducing(self) -> None:
        self.loseConnection()

    # -- holding the peer back

    def hold(self, who: int) -> None:
        """Read no more from the peer until everybody who held it has released it."""
        if not self._held:
            self._wire.pauseProducing()
        self._held |= who

    def release(self, who: int) -> None:
        if self._held & who:
            self._held &= ~who
            if self._rest is not None and not self.waits:
                self._take_rest()
            if not self._held:
                self._wire.resumeProducing()

    def after_wait(self, take_rest: Callable[[], None]) -> None:
        """Call ``take_rest`` once nothing ``waits`` any more, before more is read from the peer.

        For protocols that stop in the middle of the data that they were given: one read can hold
        messages that decompress to a thousand times its size.
        """
        self._rest = take_rest

    def _take_rest(self) -> None:
        take_rest, self._rest = self._rest, None
        try:
            if take_rest is not None:
                take_rest()
        except Exception as e:
            self._failed(e, None)
            self.abortConnection()

    @property
    def held(self) -> bool:
        """Whether anybody holds the peer back."""
        return bool(self._held)

    @property
    def waits(self) -> bool:
        """Whether responder, peer or capture is behind: the next message is to wait for ``after_wait``."""
        return bool(self._held)

    @property
    def paused(self) -> bool:
        """Whether the responder holds the peer back."""
        return bool(self._held & BY_RESPONDER)

    @property
    def congested(self) -> bool:
        """Whether the peer is held back because it has not read what was sent to it."""
        return bool(self._held & BY_BUFFER)

    @property
    def backed_up(self) -> bool:
        """Whether more waits in the transport than its buffer is made for, or may do so."""
        return self._valve is None or self._valve.full

    def on_pressure(self, pressed: bool) -> None:
        """The capture is falling behind, or has caught up."""
        if not pressed and self._queue is not None:
            self._write_queued()
        # Others may have written meanwhile, so that the capture is behind again.
        pressed = pressed or self._recorder.pressed
        (self.hold if pressed else self.release)(BY_CAPTURE)
        if pressed and self._queue is None:
            self._queue = deque()
        if self._paced is not None:
            try:
                self._paced.on_pressure(pressed)
            except Exception as e:
                self.failed(e, None)

    def _write_queued(self) -> None:
        """Write what waited for the capture, unless the capture falls behind again."""
        queue = self._queue
        while queue and not self._recorder.pressed:
            data = queue.popleft()
            self.sent += len(data)
            self._record(events.DATA_SENT, self._owner_number, self.number, data)
            self._write(data)
        if queue or self._recorder.pressed:
            return
        self._queue = None
        if self._after_queue is not None:
            then, self._after_queue = self._after_queue, None
            then()

    def _open_valve(self) -> None:
        if self._open and not (self._valve or self.disconnecting or getattr(self._wire, "producer", None)):
            hold, release = partial(self.hold, BY_BUFFER), partial(self.release, BY_BUFFER)
            self._valve = Valve(self.factory.kept, self.unsent, hold, release)
            self._wire.registerProducer(self._valve, True)

    def _close_valve(self) -> None:
        """Unregister the valve from the transport.

        A transport that is closing waits for a producer that it has paused, and the valve never
        says that it has finished.
        """
        valve, self._valve = self._valve, None
        if valve is not None:
            self._wire.unregisterProducer()
            # Twisted would apply this to the next producer, which was never paused.
            self._wire.producerPaused = False
            valve.resumeProducing()

    def unsent(self) -> int | None:
        """Bytes that were written and never reached the kernel; None where the transport hides them."""
        wire = self._wire
        if self._secured:
            return min(int(wire.unsent()), self.sent)
        try:
            return int(len(wire.dataBuffer) - wire.offset + wire._tempDataLen)
        except AttributeError:
            return None

    def _forget_unsent(self) -> None:
        """Give the memory of what was never sent back now: connections refer to themselves, and the garbage
        collector comes late."""
        wire: Any
        for wire in (self._wire, getattr(self._wire, "transport", None)):  # with TLS, the second is the socket
            if not getattr(wire, "connected", True) and hasattr(wire, "_tempDataBuffer"):
                wire.dataBuffer, wire.offset, wire._tempDataBuffer, wire._tempDataLen = b"", 0, [], 0
