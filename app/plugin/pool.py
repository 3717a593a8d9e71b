"""Threads for code that is not ours: whatever hangs in one, the program can end."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from threading import Thread
from typing import Any

from twisted.internet import threads
from twisted.internet.defer import Deferred
from twisted.python.threadpool import ThreadPool

THREADS = 10


class _Daemons(ThreadPool):
    """Unlike the reactor's, which waits at the end until each thread is done."""

    def threadFactory(self, **more: Any) -> Thread:  # type: ignore[override]
        return Thread(daemon=True, **more)


@cache
def _pool() -> ThreadPool:
    pool = _Daemons(0, THREADS, "plugins")
    pool.start()
    return pool


def in_thread(reactor: Any, call: Callable[..., Any], *args: Any) -> Deferred[Any]:
    """Run ``call`` in a thread; fires in the reactor's."""
    return threads.deferToThreadPool(reactor, _pool(), call, *args)
