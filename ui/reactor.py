"""The reactor: qt5reactor with one notifier on one epoll set.

Stock qt5reactor gives each descriptor its own ``QSocketNotifier`` and Qt polls them all,
so a thousand idle connections slow down the busy ones. Here every descriptor is in one
epoll set, one notifier watches the epoll descriptor itself, and each wake-up drains what
is ready within a time budget before Qt may paint again.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import Any

from PyQt5.QtCore import QAbstractEventDispatcher, QCoreApplication, QEventLoop, QSocketNotifier, Qt, QTimer
from qt5reactor.core import QtReactor
from twisted.internet import posixbase
from twisted.internet.base import DelayedCall
from twisted.python import log

from app.reactor import SLICE, PromptEPollReactor

BUDGET = 0.005
"""Seconds that one wake-up may go on dispatching before Qt gets its turn."""


LONGEST = 2_000_000.0
"""Seconds for which a ``QTimer`` can be armed; for a later call it is armed again."""


class EpollQtReactor(PromptEPollReactor, QtReactor):
    """A Twisted reactor driven by Qt on one epoll set.

    Attributes:
        _notifier: watches the epoll descriptor for reading; level-triggered, so work
            left over when the budget ends wakes us again after Qt had its turn.
        _timer: single shot, armed for the next delayed call only.
        _armed: the reactor time for which the timer is armed, or None.
        _depth: how many drains are on the stack; more than one below a modal dialog.
        _ready: what the innermost drain is dispatching, descriptors with their events.
        _from_threads: calls that other threads have asked for, in order.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._armed: float | None = None
        self._ready: list[tuple[int, int]] = []
        self._from_threads: deque[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = deque()
        self._blockApp: Any = None
        self._ownApp = QCoreApplication.instance() is None
        self.qApp = QCoreApplication.instance() or QCoreApplication([])
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.PreciseTimer)
        self._timer.timeout.connect(self._on_timer)
        # EPollReactor goes on straight to PosixReactorBase: QtReactor's own set-up, with
        # its tables of notifiers, is left out on purpose.
        PromptEPollReactor.__init__(self)
        self._notifier = QSocketNotifier(self._poller.fileno(), QSocketNotifier.Read)
        self._notifier.activated.connect(self._drain)
        QAbstractEventDispatcher.instance().aboutToBlock.connect(self._on_block)

    def callLater(self, delay: float, callable: Callable[..., Any], *args: object, **kw: object) -> DelayedCall:
        delayed = posixbase.PosixReactorBase.callLater(self, delay, callable, *args, **kw)
        self._arm_for(delayed)
        return delayed

    def _moveCallLaterSooner(self, delayed: Any) -> None:
        super()._moveCallLaterSooner(delayed)
        self._arm_for(delayed)

    def callFromThread(self, f: Callable[..., Any], *args: object, **kwargs: object) -> None:
        self._from_threads.append((f, args, kwargs))
        self.wakeUp()

    def runUntilCurrent(self) -> None:
        """Run what is due.

        Twisted's takes the calls of other threads out of their queue after it has run them
        all: a dialog opened by one would run it again, from the loop below.
        """
        for _ in range(len(self._from_threads)):
            if not self._from_threads:
                break  # such a loop has run the rest
            f, args, kwargs = self._from_threads.popleft()
            try:
                f(*args, **kwargs)
            except BaseException:
                log.err()
        super().runUntilCurrent()

    def stop(self) -> None:
        """As Twisted's; also from a Qt slot, where nothing else would wake the loop."""
        super().stop()
        self._arm()

    def doIteration(self, delay: float | None = None, fromqt: bool = False) -> None:
        """One turn of both loops, waiting for Qt at most ``delay`` seconds."""
        self.qApp.processEvents(QEventLoop.AllEvents, max(1, int((delay or 0) * 1000)))
        self._drain()

    iterate = doIteration

    def run(self, installSignalHandlers: bool = True) -> None:
        """Start Twisted and turn Qt's loop until ``stop``.

        Unlike qt5reactor's it raises for a reactor that runs already before it has taken
        that one's loop away.
        """
        self.runReturn(installSignalHandlers)
        if self._started:  # and not crashed by what ran at the start
            self._blockApp = QEventLoop()
            self._blockApp.exec_()
            self._blockApp = None
        if self.running:  # QApplication.quit() has ended the loop
            self.stop()
            self.runUntilCurrent()

    def crash(self) -> None:
        """As Twisted's, which is also the last step of ``stop``; ends the loop of ``run``."""
        super().crash()
        if self._blockApp is not None:
            self._blockApp.quit()

    def runReturn(self, installSignalHandlers: bool = True) -> None:
        """Start Twisted without a loop of its own: ``QApplication.exec_`` is the loop."""
        self.startRunning(installSignalHandlers=installSignalHandlers)
        self._arm()

    def _arm_for(self, delayed: Any) -> None:
        # Also while draining: a dialog's loop may run below this very call.
        if self._armed is None or delayed.time < self._armed:
            self._arm()

    def _arm(self) -> None:
        """Arm the timer for the next delayed call, if that is another than before."""
        # A thread may have asked after its calls were run, and its wake-up be read already.
        at_once = self._justStopped or self._from_threads
        wait = 0.0 if at_once else self.timeout()
        if wait is None:
            due = None
        elif not wait:
            due = 0.0
        else:
            due = self._pendingTimedCalls[0].getTime()
        if due == self._armed:
            return
        self._armed = due
        if wait is None:
            self._timer.stop()
        else:
            # Rounded up: firing a fraction of a millisecond early would wake us twice.
            self._timer.start(math.ceil(min(wait, LONGEST) * 1000))

    def _on_timer(self) -> None:
        self._armed = None
        self._drain()

    def _on_block(self) -> None:
        """Qt has nothing left to do and goes to sleep.

        Below a drain that is a dialog's loop. What the drain would do when it goes on must
        be done now: try what slots have written, and arm the timer for the next call.
        """
        if self._depth:
            if self._fresh:
                self._write_fresh()
            self._arm()

    def _drain(self) -> None:
        """Run what is due and dispatch what is ready, for about ``BUDGET`` at the most.

        May be entered again from a nested Qt loop (a modal dialog opened by a handler):
        each level has its own slice, and the shared tables are whole between two calls.
        """
        # What a drain above us has yet to dispatch may be another's descriptor when it goes
        # on; epoll will report it again.
        self._ready.clear()
        self._depth += 1
        self._holding = True
        try:
            until = perf_counter() + BUDGET
            poll = self._poller.poll
            while True:
                self.runUntilCurrent()
                ready = self._ready = poll(0, SLICE)
                self._round(ready)
                if not ready or perf_counter() >= until:
                    break
        finally:
            self._depth -= 1
            self._holding = self._depth > 0
        self._arm()


def install() -> EpollQtReactor:
    """Install the reactor for the running ``QApplication``, before anything imports the global one."""
    from twisted.internet.main import installReactor

    reactor = EpollQtReactor()
    installReactor(reactor)
    return reactor
