"""Runs a Twisted program, unchanged, in this process, with its network, its log and its failures recorded.

``start.py (--capture FILE [--told FD] | --up FD --orders FD) (--script FILE | --module NAME)
[ARG …]``: it has a capture of its own, or a Post that has started it, which takes its events. The program
cannot tell it from a start by itself: ``__name__`` is ``__main__``, ``sys.argv`` and ``sys.path[0]`` are its own, and
what it raises ends it, with the exit code that Python gives.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import gc
import json
import os
import runpy
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

from app import events
from app.programs.inside.blocking import Blocking
from app.programs.inside.link import HostRecorder, Link, Sending
from app.programs.inside.orders import Orders
from app.programs.inside.output import Printed, ProgramLog
from app.programs.inside.reactor import Reactors
from app.programs.inside.upward import Imports, Uplink, lead_group, look_after
from app.programs.ports import parsed


def main(argv: list[str]) -> int:
    """Run the program that ``argv`` names. Returns its exit code."""
    parser = argparse.ArgumentParser(prog="host")
    parser.add_argument("--capture", type=Path)
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--told", type=int)
    parser.add_argument("--writer", type=json.loads, help="command and environment of the capture's writer")
    parser.add_argument("--up", type=int)
    parser.add_argument("--orders", type=int)
    parser.add_argument("--port", type=parsed, action="append", default=[])
    parser.add_argument("--folder")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--script")
    what.add_argument("--module")
    parser.add_argument("args", nargs=argparse.REMAINDER)
    args = parser.parse_args(argv)

    recorder = HostRecorder()
    link: Sending
    if args.up is None:
        link = Link(recorder, args.capture, args.limit, args.told, args.writer)
    else:
        lead_group()
        link = Uplink(recorder, args.up, args.orders)
    log = ProgramLog(recorder)
    log.open()
    reactors = Reactors(recorder, dict(args.port))
    _look_after(recorder, reactors, link)
    _hook_exceptions(recorder)
    _hook_exits(recorder, link)
    words = args.args[1:] if args.args[:1] == ["--"] else args.args
    printed = [Printed(getattr(sys, name), name, recorder, link) for name in ("stdout", "stderr")]
    sys.stdout, sys.stderr = printed
    name = args.script or f"-m {args.module}"
    recorder.record(events.LOG, summary=f"the program starts: {' '.join([name, *words])}")
    code = 1
    try:
        code = _run(recorder, args, words)
    finally:
        gc.collect()  # has Twisted tell of errors in Deferreds that nobody handled
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
        for one in printed:
            one.close()
        if not isinstance(link, Uplink):  # the Post says how it has ended
            recorder.record(events.LOG, summary=f"the program ended with exit code {code}")
        link.close()
    return code


def _look_after(recorder: HostRecorder, reactors: Reactors, link: Sending) -> None:
    """See what keeps the program's reactor; where a Post has started it, do what that orders, and tell it more."""
    if not isinstance(link, Uplink):
        look_after([Blocking(recorder, lambda: reactors.reactor, lambda words: None).look])
        return
    link.obey = Orders(reactors).obey
    link.wait_begun()
    reactors.faults, reactors.seed = link.faults, link.seed
    blocking = Blocking(recorder, lambda: reactors.reactor, lambda words: link.note(blocked=words))
    look_after([Imports(link, _ROOT).look, blocking.look])


def _run(recorder: HostRecorder, args: argparse.Namespace, words: list[str]) -> int:
    folder = args.folder if args.folder is not None else os.path.dirname(os.path.abspath(args.script))
    _make_way(folder)
    sys.path[0:0] = [folder]
    sys.argv = [args.script or args.module, *words]
    try:
        if args.script:
            _run_script(os.path.abspath(args.script))
        else:
            runpy.run_module(args.module, run_name="__main__", alter_sys=True)
    except SystemExit as e:
        code = _exit_code(e)
        if code and (at := traceback.extract_tb(_own(e.__traceback__))):
            where = f"{os.path.basename(at[-1].filename)}:{at[-1].lineno}"
            recorder.record(events.LOG, summary=f"the program called sys.exit({e.code!r}) at {where}")
        return code
    except BaseException as e:
        recorder.record_failure(e, traceback=_own(e.__traceback__))
        _print(e)
        if _FROZEN and isinstance(e, ModuleNotFoundError):
            missing = (
                f"{e.msg}: the Python that comes with Listening Post has Twisted, and no more packages can be"
                " installed there."
                " Choose a Python that has it with --python, or with python in [[program]]"
            )
            recorder.record(events.LOG, summary=missing)
            print(f"listening-post: {missing}.", file=sys.__stderr__)
        return 130 if isinstance(e, KeyboardInterrupt) else 1
    return 0


def _run_script(path: str) -> None:
    """Run a file as Python runs it; ``runpy.run_path`` would change ``sys.argv`` and take ``__main__`` away again."""
    main_module = ModuleType("__main__")
    main_module.__file__ = path
    sys.modules["__main__"] = main_module
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec")
    exec(code, main_module.__dict__)  # noqa: S102 - this is what the user asked for


def _print(e: BaseException) -> None:
    """Print the traceback as Python does, without our own lines in it."""
    told = traceback.TracebackException(type(e), e, _own(e.__traceback__))
    folder = os.path.dirname(os.path.dirname(_HERE)) + os.sep
    told.stack = traceback.StackSummary.from_list([f for f in told.stack if not f.filename.startswith(folder)])
    print("".join(told.format()), end="", file=sys.stderr)


def _make_way(folder: str) -> None:
    """Let the program import a package of its own that is called as one of ours.

    Ours are out of the way then, with all that is loaded of them.
    """
    from importlib.machinery import PathFinder

    rest = [part for part in sys.path if not _is_ours(part)]
    for name in ("app", "ui", "resources"):
        found = PathFinder.find_spec(name, [folder, *rest])
        if found is not None and not _is_ours(os.path.dirname(os.path.dirname(found.origin or ""))):
            with contextlib.suppress(ImportError):  # this Python may have no TLS
                import app.services.tls.transport

                _ = app.services.tls.transport  # what is imported later than now, while connections pass
            for loaded in [key for key in sys.modules if key == name or key.startswith(f"{name}.")]:
                sys.modules[f"listening_post_{loaded}"] = sys.modules.pop(loaded)
    if not _FROZEN:  # there, Python and Twisted lie beside ours
        sys.path[:] = rest


_HERE = sys._getframe().f_code.co_filename
"""This file as tracebacks have it: in the frozen program that is a relative path."""

_FROZEN = getattr(sys, "frozen", False)

_ROOT = str(Path(os.path.abspath(__file__)).parents[3])


def _is_ours(folder: str) -> bool:
    return os.path.abspath(folder or ".") == _ROOT


def _own(found: TracebackType | None) -> TracebackType | None:
    """The traceback from the program's first line on."""
    while found is not None and found.tb_frame.f_code.co_filename in (
        _HERE,
        runpy.run_module.__code__.co_filename,
        "<frozen runpy>",
    ):
        found = found.tb_next
    return found


def _exit_code(e: SystemExit) -> int:
    """As Python gives it: a text is printed, and is 1."""
    if e.code is None:
        return 0
    if isinstance(e.code, int):
        return e.code & 0xFF
    print(e.code, file=sys.stderr)
    return 1


def _hook_exceptions(recorder: HostRecorder) -> None:
    """Record what ends a thread or a finaliser, and then what happens anyway."""
    import threading

    def on_thread(args: Any) -> None:
        if args.exc_value is not None and not issubclass(args.exc_type, SystemExit):
            recorder.record_failure(args.exc_value, traceback=args.exc_traceback)
        before_thread(args)

    def on_unraisable(args: Any) -> None:
        if args.exc_value is not None:
            recorder.record_failure(args.exc_value, traceback=args.exc_traceback)
        before_unraisable(args)

    before_thread: Callable[[Any], Any] = threading.excepthook
    before_unraisable: Callable[[Any], Any] = sys.unraisablehook
    threading.excepthook, sys.unraisablehook = on_thread, on_unraisable


def _hook_exits(recorder: HostRecorder, link: Sending) -> None:
    """Store what was recorded before the program ends in a way of which Python's own end knows nothing.

    ``twistd`` ends itself by the signal that it was sent.
    """
    own = os.getpid()

    def ending(name: str, ends: Callable[..., bool]) -> None:
        call = getattr(os, name, None)
        if call is None:
            return

        @functools.wraps(call)
        def run(*args: Any) -> Any:
            if os.getpid() == own and not recorder.forked and ends(*args):
                recorder.record(events.LOG, summary=f"the program ends by os.{name}{_shown(name, args)}")
                link.close()
            return call(*args)

        setattr(os, name, run)

    for name in ("_exit", "abort"):
        ending(name, lambda *_: True)
    for name in ("execv", "execve"):
        ending(name, _executes)
    ending("kill", lambda pid, number: pid == own and _ends(number))


def _executes(file: Any, *_: Any) -> bool:
    """Whether this can be executed: ``execvp`` tries each folder of ``PATH``. What else it is given ends nothing."""
    try:
        return isinstance(file, int) or (os.access(file, os.X_OK) and not os.path.isdir(file))
    except (TypeError, ValueError):
        return False


def _ends(number: int) -> bool:
    """Whether this signal ends the process, which has no handler for it."""
    if number == getattr(signal, "SIGKILL", None):
        return True
    return number in _ENDING and signal.getsignal(number) == signal.SIG_DFL


_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGABRT, getattr(signal, "SIGHUP", None))


def _shown(name: str, args: tuple[Any, ...]) -> str:
    if name == "kill":
        return f" with {signal.Signals(args[1]).name}"
    return f"({args[0]})" if name == "_exit" else ""
