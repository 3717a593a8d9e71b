"""Keeps a plugin, while it is imported, from what only a whole program does: running the reactor, opening ports.

The last lines of Twisted's tutorials do that. Here ``reactor.run()`` would block the program for good, and a
port opened at import would belong to no service.
"""

from __future__ import annotations

import linecache
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from pathlib import Path
from types import FrameType
from typing import Any

from twisted.internet import default, main
from twisted.logger import globalLogBeginner
from twisted.python import usage

from app.plugin_loader.errors import PluginStartsError

_REACTOR = "twisted.internet.reactor"

_REFUSED = {
    "runs the reactor": ("run", "runReturn", "startRunning", "iterate"),
    "stops the reactor": ("stop", "crash"),
    "schedules a call": ("callLater", "callFromThread"),
    "starts a thread": ("callInThread", "getThreadPool"),
    "looks up a name": ("resolve",),
    "starts a program": ("spawnProcess",),
    "watches a descriptor": ("addReader", "addWriter"),
}
"""Methods of the reactor that raise while a plugin is imported."""

_PASSED_OVER = {
    "opens a port": (
        "listenTCP", "listenSSL", "listenUDP", "listenUNIX", "listenUNIXDatagram", "listenMulticast",
        "adoptStreamPort", "adoptStreamConnection", "adoptDatagramPort",
    ),
    "opens a connection": ("connectTCP", "connectSSL", "connectUNIX", "connectUNIXDatagram"),
    "schedules a call": ("callWhenRunning",),
}  # fmt: skip
"""Those that do nothing instead: what they raised would end up in a Deferred of an endpoint or of ``task.react``,
be logged when that is collected, and so be told twice."""

_NOT_THE_PLUGINS = ("twisted", "app")
"""Packages that a plugin calls the reactor by."""


class _Nothing:
    """Stands for the port, connection or number that there is not."""

    def __getattr__(self, name: str) -> _Nothing:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args: object, **more: object) -> _Nothing:
        return self

    def __index__(self) -> int:
        return 0


class _Import:
    """A plugin that is being imported in one thread.

    Attributes:
        undo: takes back what it registered with the reactor.
    """

    def __init__(self, title: str, file: Path | None) -> None:
        self._title, self._file = title, file
        self._process = os.getpid()
        self._found: dict[tuple[str, int], str] = {}
        self.undo: list[Callable[[], object]] = []

    @property
    def forked(self) -> bool:
        return os.getpid() != self._process

    def refuse(self, does: str, frame: FrameType | None = None) -> PluginStartsError:
        """Remember that it does this, at the line that ``frame`` or the current call comes from."""
        self._found[self._place(frame or sys._getframe(1))] = does
        found = self.problem
        assert found is not None
        return found

    @property
    def problem(self) -> PluginStartsError | None:
        """All that it tried and must not do."""
        if not self._found:
            return None
        words = [f"{does} ({self._words(*place)})" for place, does in self._found.items()]
        said = " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
        file = self._file or Path(next(iter(self._found))[0])
        return PluginStartsError(path=self._title, does=said, file=file.name)

    def _words(self, file: str, line: int) -> str:
        code = linecache.getline(file, line).strip()
        where = f"line {line}" if file == str(self._file) else f"{file}, line {line}"
        return f"{where}: {code}" if code else where

    def _place(self, frame: FrameType) -> tuple[str, int]:
        """The innermost line of the plugin's file, or, of a package, the innermost that is not Twisted's."""
        found: FrameType | None = frame
        others: list[FrameType] = []
        while found is not None:
            name = found.f_code.co_filename
            if name == str(self._file):
                return name, found.f_lineno
            if _package(found) not in _NOT_THE_PLUGINS:
                others.append(found)
            found = found.f_back
        nearest = others[0] if others else frame
        return nearest.f_code.co_filename, nearest.f_lineno


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


_lock = threading.Lock()
_importing: dict[int, _Import] = {}
"""By thread."""
_replaced: list[tuple[Any, str, Any]] = []
"""Object, name, and what its own attributes had under that name; ``_MISSING``: nothing."""
_MISSING = object()


@contextmanager
def guarded(title: str, file: Path | None = None) -> Iterator[None]:
    """Import a plugin inside this; other threads use the reactor as ever.

    Args:
        title: what errors call the plugin.
        file: the plugin's own, or None for an installed package.

    Raises PluginStartsError, whatever else was raised inside, once the plugin tried what it must not do.
    """
    this, thread = _Import(title, file), threading.get_ident()
    with _lock:
        if not _importing:
            _replace_all()
        _importing[thread] = this
    try:
        yield
    except SystemExit as e:
        if this.problem is None:
            this.refuse("ends the program", _innermost(e))
    except BaseException:
        if this.problem is None:
            raise
    finally:
        with _lock:
            del _importing[thread]
            if not _importing:
                _restore_all()
    problem = this.problem
    if problem is not None:
        for undo in this.undo:
            undo()
        raise problem


def _innermost(error: BaseException) -> FrameType | None:
    step = error.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    return step.tb_frame if step is not None else None


def _current() -> _Import | None:
    """What this thread imports, if that is what calls; the logbook, say, hands on what is logged meanwhile."""
    this = _importing.get(threading.get_ident())
    ours = _package(sys._getframe(2)) == "app"
    return None if this is None or this.forked or ours else this


def _replace(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    real = getattr(owner, name, None)
    if real is not None:
        _replaced.append((owner, name, vars(owner).get(name, _MISSING)))
        setattr(owner, name, make(real))


def _replace_all() -> None:
    _replace(os, "_exit", partial(_refusing, does="ends the program"))
    _replace(threading.Thread, "start", _starting)
    _replace(main, "installReactor", _installing)
    _replace(usage.Options, "parseOptions", _parsing)  # as twistd does
    _replace(globalLogBeginner, "beginLoggingTo", _passing_over)
    if _REACTOR in sys.modules:
        _guard(sys.modules[_REACTOR])


def _restore_all() -> None:
    while _replaced:
        owner, name, before = _replaced.pop()
        if before is _MISSING:
            delattr(owner, name)
        else:
            setattr(owner, name, before)


def _guard(reactor: Any) -> None:
    for names_of, stand_in in ((_REFUSED, _refusing), (_PASSED_OVER, _passing_over)):
        for does, names in names_of.items():
            for name in names:
                _replace(reactor, name, partial(stand_in, does=does))
    # HostnameEndpoint; it has the reactor's own pool of threads.
    _replace(reactor.nameResolver, "resolveHostName", partial(_refusing, does="looks up a name"))
    _replace(reactor, "addSystemEventTrigger", partial(_triggering, reactor))


def _refusing(real: Any, does: str) -> Any:
    @wraps(real)
    def call(*args: Any, **more: Any) -> Any:
        this = _current()
        if this is not None:
            raise this.refuse(does)
        return real(*args, **more)

    call.__dict__[_DOES] = does
    return call


_DOES = "_does"
"""What a method does that is refused, as an attribute of what takes its place."""


def _starting(real: Any) -> Any:
    """A thread of its own would run the reactor once the plugin is imported, in the place of the program."""

    @wraps(real)
    def call(thread: Any) -> None:
        this, does = _current(), getattr(getattr(thread, "_target", None), _DOES, "")
        if this is not None and does:
            raise this.refuse(does)
        real(thread)

    return call


def _passing_over(real: Any, does: str = "") -> Any:
    """Do nothing; with ``does``, remember that the plugin does it. Twisted's log goes to the program already."""

    @wraps(real)
    def call(*args: Any, **more: Any) -> Any:
        this = _current()
        if this is None:
            return real(*args, **more)
        if does:
            this.refuse(does)
        return _Nothing()

    return call


def _parsing(real: Any) -> Any:
    @wraps(real)
    def call(options: Any, given: Any = None) -> None:
        this = _current()
        if this is not None and given in (None, sys.argv[1:], ["--help"]):
            raise this.refuse("reads the command line")
        real(options, given)

    return call


def _triggering(reactor: Any, real: Any) -> Any:
    """Something may be done at the program's end, but nothing at its start."""

    @wraps(real)
    def call(phase: str, event: str, *args: Any, **more: Any) -> Any:
        this = _current()
        if this is not None and event == "startup":
            raise this.refuse("schedules a call")
        made = real(phase, event, *args, **more)
        if this is not None:
            this.undo.append(lambda: reactor.removeSystemEventTrigger(made))
        return made

    return call


def _installing(real: Any) -> Any:
    """``import reactor`` installs the default one where there is none, as for the command ``check``."""

    @wraps(real)
    def call(reactor: Any) -> None:
        this = _current()
        if this is not None and (_REACTOR in sys.modules or type(reactor).__module__ != default.install.__module__):
            raise this.refuse("installs a reactor")
        real(reactor)
        _guard(reactor)

    return call
