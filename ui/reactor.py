"""The reactor: qt5reactor with one notifier on one epoll set.

Stock qt5reactor gives each descriptor its own ``QSocketNotifier``, and Qt polls them all, so a
thousand idle connections slow down the busy ones. Here all descriptors are in one epoll set, and
one notifier watches the epoll descriptor itself. Each wake-up dispatches ready descriptors for at
most a time budget, then Qt has its turn.
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
"""Seconds for which one wake-up may dispatch before Qt has its turn."""


LONGEST = 2_000_000.0
"""The longest time, in seconds, for which the ``QTimer`` is armed. For a later call it is armed again."""


class EpollQtReactor(PromptEPollReactor, QtReactor):
    """A Twisted reactor driven by Qt on one epoll set.

    Attributes:
        _notifier: watches the epoll descriptor for reading. It is level-triggered: work that is
            left when the budget ends wakes the reactor again after Qt had its turn.
        _timer: single shot, armed for the next delayed call only.
        _armed: the reactor time for which the timer is armed, or None.
        _depth: number of ``_drain`` calls on the stack; more than one while a modal dialog that
            a handler opened runs its own event loop.
        _ready: descriptors with their events that the innermost ``_drain`` is dispatching.
        _from_threads: calls that other threads asked for, in order.

    A turn, for ``turns``, is one ``_drain``, up to where a handler opens a dialog.
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
        # EPollReactor.__init__ calls PosixReactorBase.__init__ directly. QtReactor.__init__, which
        # makes a table of notifiers, is skipped on purpose.
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
        """Run the calls from other threads and the delayed calls that are due.

        Twisted's method removes the calls from other threads only after it has run all of them. If
        one opens a modal dialog, the dialog's event loop would run that call again.
        """
        for _ in range(len(self._from_threads)):
            if not self._from_threads:
                break  # the event loop of a dialog has run the rest
            f, args, kwargs = self._from_threads.popleft()
            try:
                f(*args, **kwargs)
            except BaseException:
                log.err()
        super().runUntilCurrent()

    def stop(self) -> None:
        """As Twisted's. In a Qt slot nothing else would wake the event loop, so arm the timer."""
        super().stop()
        self._arm()

    def doIteration(self, delay: float | None = None, fromqt: bool = False) -> None:
        """One iteration of Qt's loop and of Twisted's, waiting at most ``delay`` seconds for Qt."""
        self.qApp.processEvents(QEventLoop.AllEvents, max(1, int((delay or 0) * 1000)))
        self._drain()

    iterate = doIteration

    def run(self, installSignalHandlers: bool = True) -> None:
        """Start Twisted and run Qt's loop until ``stop``.

        If the reactor is running already, this raises before it replaces the event loop;
        qt5reactor's raises afterwards.
        """
        self.runReturn(installSignalHandlers)
        if self._started:  # and no startup trigger has crashed the reactor
            self._blockApp = QEventLoop()
            self._blockApp.exec_()
            self._blockApp = None
        if self.running:  # QApplication.quit() has ended the loop
            self.stop()
            self.runUntilCurrent()

    def crash(self) -> None:
        """As Twisted's; also ends the event loop of ``run``. It is the last step of ``stop``, too."""
        super().crash()
        if self._blockApp is not None:
            self._blockApp.quit()

    def runReturn(self, installSignalHandlers: bool = True) -> None:
        """Start Twisted without an event loop: the caller runs ``QApplication.exec_``."""
        self.startRunning(installSignalHandlers=installSignalHandlers)
        self._arm()

    def _arm_for(self, delayed: Any) -> None:
        # Also during ``_drain``: the caller may open a dialog, whose event loop needs the timer.
        if self._armed is None or delayed.time < self._armed:
            self._arm()

    def _arm(self) -> None:
        """Arm the timer for the next delayed call, unless it is armed for that time already."""
        # A thread may have added a call after ``runUntilCurrent`` and before its wake-up byte was read.
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
            # Rounded up: a timer that fires a fraction of a millisecond early has to fire twice.
            self._timer.start(math.ceil(min(wait, LONGEST) * 1000))

    def _on_timer(self) -> None:
        self._armed = None
        self._drain()

    def _on_block(self) -> None:
        """Qt has nothing left to do and is about to sleep.

        During a ``_drain`` this happens in the event loop of a dialog. What the ``_drain`` would do
        after its handler has returned is done now: write what slots have queued, and arm the timer.
        """
        if self._depth:
            if self.turns is not None:
                self.turns.end()
            if self._fresh:
                self._write_fresh()
            self._arm()

    def _drain(self) -> None:
        """Run the calls that are due and dispatch ready descriptors, for about ``BUDGET`` seconds.

        A nested Qt event loop (a modal dialog that a handler opened) may enter it again: each level
        has its own list of ready descriptors, and the shared tables are consistent between two
        dispatched calls.
        """
        # An outer ``_drain`` may have descriptors left to dispatch. By the time it goes on, their
        # numbers may belong to other sockets, so drop them; epoll reports them again.
        self._ready.clear()
        self._depth += 1
        self._holding = True
        turns, now = self.turns, perf_counter()
        if turns is not None:
            turns.began = now
            if turns.asleep:
                turns.wake()
        try:
            until = now + BUDGET
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
            if turns is not None:
                turns.end()
        self._arm()


def install() -> EpollQtReactor:
    """Install the reactor for the running ``QApplication``, before anything imports the global one."""
    from twisted.internet.main import installReactor

    reactor = EpollQtReactor()
    installReactor(reactor)
    return reactor
