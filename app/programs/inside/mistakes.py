"""Mistakes of a program that Twisted lets pass: recorded as failures, with the program's line and its local values.

What comes of them is as without us. There is a call from a thread, which Twisted takes and forgets about, a ``render``
that returns no bytes, which is only told to the client, and an answer that is finished twice.
"""

from __future__ import annotations

import dis
import inspect
import os
import sys
import warnings
from contextlib import suppress
from threading import current_thread, get_ident
from types import CodeType, FrameType, FunctionType, TracebackType
from typing import Any

from twisted.python import threadable

from app.programs.inside.link import HostRecorder

MOST = 1_000
"""Places of calls from threads that are told, each once: a thread may call in a loop."""

_ABOVE = ("twisted/internet/base.py", "twisted/internet/asyncioreactor.py", "app/programs/inside/host.py")
"""Files whose frames, and those that called them, say nothing about a mistake."""


OURS = os.path.dirname(os.path.dirname(os.path.dirname(sys._getframe().f_code.co_filename))) + os.sep
"""Where our own code lies, which is no code of the program: in the frozen program that is a relative path."""


class Mistakes:
    """Records what one program does wrong."""

    def __init__(self, recorder: HostRecorder) -> None:
        self._recorder = recorder
        self._told: set[tuple[str, int]] = set()
        self._looked = False

    def tell(self, error: Exception, frame: FrameType | None) -> None:
        """Record ``error`` as if it had been raised where ``frame`` is."""
        self._recorder.record_failure(error, traceback=_traceback(frame))

    def from_thread(self, called: str) -> None:
        """Tell if who has called our caller is not in the thread of the reactor, which runs."""
        reactors: Any = threadable.ioThread
        if reactors is None or reactors == get_ident():
            return
        frame: FrameType | None = sys._getframe(2)
        while frame is not None and frame.f_code.co_filename.startswith(OURS):
            frame = frame.f_back
        if frame is None:
            return
        place = (frame.f_code.co_filename, frame.f_lineno)
        if place not in self._told and len(self._told) < MOST:
            self._told.add(place)
            words = (
                f"{called} was called from the thread {current_thread().name}, and only the reactor's thread may do so:"
                f" reactor.callFromThread({called}, …)"
            )
            self.tell(RuntimeError(words), frame)

    def look(self) -> None:
        """Look after requests of ``twisted.web``, once that is loaded."""
        server, http = (sys.modules.get(f"twisted.web.{name}") for name in ("server", "http"))
        if self._looked or server is None or http is None:
            return
        self._looked = True
        render, finish = server.Request.render, http.Request.finish

        def checked_render(request: Any, resource: Any) -> Any:
            return render(request, _Checked(resource, self, server.NOT_DONE_YET))

        def checked_finish(request: Any) -> None:
            if request.finished and not request._disconnected:
                error = RuntimeError("request.finish was called twice: the answer was complete before")
                self.tell(error, sys._getframe(1))
                warnings.warn("Warning! request.finish called twice.", stacklevel=2)  # as Twisted does
                return
            finish(request)

        server.Request.render, http.Request.finish = checked_render, checked_finish


class _Checked:
    """A resource whose ``render`` is looked at; everything else is its own."""

    def __init__(self, resource: Any, mistakes: Mistakes, later: object) -> None:
        self._resource, self._mistakes, self._later = resource, mistakes, later

    def __getattr__(self, name: str) -> Any:
        return getattr(self._resource, name)

    def __repr__(self) -> str:
        return repr(self._resource)

    def render(self, request: Any) -> Any:
        returned = self._resource.render(request)
        if returned is not self._later and not isinstance(returned, bytes):
            method = f"render_{request.method.decode('latin-1')}"
            found = getattr(self._resource, method, None) or self._resource.render
            words = (
                f"{getattr(found, '__name__', 'render')} returned {type(returned).__name__}, and must return bytes"
                " or NOT_DONE_YET"
            )
            error = TypeError(words)
            code = getattr(inspect.unwrap(found), "__code__", None)
            if isinstance(code, CodeType):
                _raise_in(code, error, self._resource, request, returned)
            self._mistakes.tell(error, None)
        return returned


def _raise_in(code: CodeType, error: Exception, *values: object) -> None:
    """Give ``error`` a traceback that ends where ``code`` has returned, with the values that ``_stub`` names."""
    steps = [(step.opname, step.positions.lineno) for step in dis.get_instructions(code) if step.positions is not None]
    returns = {line for name, line in steps if name.startswith("RETURN_") and name != "RETURN_GENERATOR" and line}
    line = returns.pop() if len(returns) == 1 else code.co_firstlineno
    stub = _stub.__code__.replace(
        co_filename=code.co_filename, co_name=code.co_name, co_qualname=code.co_qualname, co_firstlineno=line - 1
    )
    with suppress(type(error)):
        FunctionType(stub, {})(error, *values)
    error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next


def _stub(__error: Exception, self: object, request: object, returned: object) -> None:
    raise __error


def _traceback(frame: FrameType | None) -> TracebackType | None:
    """As an exception would have it that is raised in ``frame``, up to the reactor."""
    found: TracebackType | None = None
    while frame is not None and not frame.f_code.co_filename.replace("\\", "/").endswith(_ABOVE):
        found = TracebackType(found, frame, frame.f_lasti, frame.f_lineno)
        frame = frame.f_back
    return found
