"""Threads for the code of plugins. The program can end while code in one of them hangs."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from threading import Thread
from typing import Any

from twisted.internet import threads
from twisted.internet.defer import Deferred
from twisted.python.threadpool import ThreadPool

MAX_THREADS = 10


class _Daemons(ThreadPool):
    """A pool of daemon threads. The reactor's own pool, at the end of the program, waits for each thread."""

    def threadFactory(self, **more: Any) -> Thread:  # type: ignore[override]
        return Thread(daemon=True, **more)


@cache
def _pool() -> ThreadPool:
    pool = _Daemons(0, MAX_THREADS, "plugins")
    pool.start()
    return pool


def in_thread(reactor: Any, call: Callable[..., Any], *args: Any) -> Deferred[Any]:
    """Run ``call`` in a thread. Fires with its result in the reactor's thread."""
    return threads.deferToThreadPool(reactor, _pool(), call, *args)
