"""The link of a hosted program to the Post that has started it: its events go up, orders come down.

Orders are lines of JSON, as are the answers of a writer: ``{"do": "stop", "service": n}`` and those of
``app.programs.inside.orders``. If the other end is gone, the program ends, with all that it has started.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from os import kill  # the host replaces that of the module
from typing import Any

from app.capture.writing.batch import read
from app.programs import strays, wire
from app.programs.inside.link import HostRecorder, Sending

GRACE = 2.0
"""Seconds that the program has to end once nobody is there any more who looks at it."""

KILL = getattr(signal, "SIGKILL", signal.SIGTERM)

LOOK = 0.5
"""Seconds between two looks at what the program has imported, and at what keeps its reactor."""


class Uplink(Sending):
    """Sends what is recorded to the Post.

    Args:
        up, orders: descriptors of both pipes.
    """

    def __init__(self, recorder: HostRecorder, up: int, orders: int) -> None:
        self.obey: Callable[[dict[str, Any]], object] = lambda order: None
        self._ended = False
        self._mark = strays.own_word()
        for descriptor in (up, orders):
            os.set_inheritable(descriptor, False)
        super().__init__(recorder, os.fdopen(up, "wb"), os.fdopen(orders, "rb"))

    def send(self, parts: Sequence[bytes]) -> None:
        batch = read(io.BytesIO(b"".join(parts)))
        if batch is not None:
            super().send([wire.encoded(batch)])

    def note(self, **facts: Any) -> None:
        """Tell something that is no event."""
        super().send([wire.note(**facts)])

    def _gone(self) -> bool:
        return self._ended

    def _finish(self, deadline: float) -> None:
        while not (self._out.closed or self._is_lost or self._ended) and time.monotonic() < deadline:
            time.sleep(0.002)  # the thread that writes is about to close it

    def _obey(self, order: dict[str, Any]) -> None:
        self.obey(order)

    def _on_end(self) -> None:
        self._ended = True
        self._recorder.on_writer_gone()
        if self._recorder.forked:
            return
        strays.end(self._mark)
        deadline = time.monotonic() + GRACE / 2
        while strays.end(self._mark, 0) and time.monotonic() < deadline:
            time.sleep(0.1)
        strays.end(self._mark, KILL)
        end_group(signal.SIGTERM)
        time.sleep(GRACE)
        strays.end(self._mark, KILL)
        end_group(KILL)


def lead_group() -> None:
    """Make the process the first of a group, to which all belong that it starts, if they do not leave it."""
    if hasattr(os, "setsid") and os.getpid() != os.getpgid(0):
        os.setsid()


def end_group(number: int) -> None:
    """Send a signal to the process, and to all of its group."""
    if hasattr(os, "killpg") and os.getpid() == os.getpgid(0):
        os.killpg(0, number)
    else:
        kill(os.getpid(), number)


class Imports:
    """Tells which files of its own the program has loaded: not those of Python, of installed packages, or ours."""

    def __init__(self, link: Uplink, ours: str) -> None:
        python = os.path.dirname(os.path.realpath(os.__file__))
        frozen = (ours + os.sep,) if getattr(sys, "frozen", False) else ()
        self._foreign = (
            *frozen,
            python + os.sep,
            *(os.path.join(ours, name) + os.sep for name in ("app", "listening_post")),
        )
        self._link = link
        self._count = 0
        self._told: set[str] = set()

    def look(self) -> None:
        modules = list(sys.modules.values())
        if len(modules) == self._count:
            return
        self._count = len(modules)
        files = [file for module in modules if isinstance(file := getattr(module, "__file__", None), str)]
        if new := {path for path in map(os.path.abspath, files) if self._is_own(path)} - self._told:
            self._told |= new
            self._link.note(files=sorted(new)[: wire.MAX_FILES])

    def _is_own(self, path: str) -> bool:
        installed = "site-packages" in path or "dist-packages" in path
        return path.endswith(".py") and not installed and not os.path.realpath(path).startswith(self._foreign)


def look_after(calls: Sequence[Callable[[], object]]) -> None:
    """Call ``calls`` from a thread, again and again, as long as the program runs."""

    def work() -> None:
        while True:
            for call in calls:
                call()
            time.sleep(LOOK)

    threading.Thread(target=work, name="looker", daemon=True).start()
