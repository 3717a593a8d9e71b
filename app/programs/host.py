"""Runs a Twisted program, unchanged, in this process, with its network, its log and its failures recorded.

``python -P -m app.programs.host --capture FILE [--told FD] (--script FILE | --module NAME) [ARG …]``. The program
cannot tell it from a start by itself: ``__name__`` is ``__main__``, ``sys.argv`` and ``sys.path[0]`` are its own, and
what it raises ends it, with the exit code that Python gives.
"""

from __future__ import annotations

import argparse
import functools
import os
import runpy
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from app import events
from app.programs.link import HostRecorder, Link
from app.programs.output import Printed, ProgramLog
from app.programs.reactor import Reactors


def main(argv: list[str]) -> int:
    """Run the program that ``argv`` names. Returns its exit code."""
    parser = argparse.ArgumentParser(prog="host")
    parser.add_argument("--capture", type=Path, required=True)
    parser.add_argument("--limit", type=int, required=True)
    parser.add_argument("--told", type=int)
    parser.add_argument("--folder")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--script")
    what.add_argument("--module")
    parser.add_argument("args", nargs=argparse.REMAINDER)
    args = parser.parse_args(argv)

    recorder = HostRecorder()
    link = Link(recorder, args.capture, args.limit, args.told)
    log = ProgramLog(recorder)
    log.open()
    Reactors(recorder)
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
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
        for one in printed:
            one.close()
        recorder.record(events.LOG, summary=f"the program ended with exit code {code}")
        link.close()
    return code


def _run(recorder: HostRecorder, args: argparse.Namespace, words: list[str]) -> int:
    _leave_no_trace()
    sys.path[0:0] = [args.folder if args.folder is not None else str(Path(args.script).resolve().parent)]
    sys.argv = [args.script or args.module, *words]
    try:
        if args.script:
            runpy.run_path(args.script, run_name="__main__")
        else:
            runpy.run_module(args.module, run_name="__main__", alter_sys=True)
    except SystemExit as e:
        return _exit_code(e)
    except BaseException as e:
        recorder.record_failure(e, traceback=_own(e.__traceback__))
        traceback.print_exception(type(e), e, _own(e.__traceback__))
        return 130 if isinstance(e, KeyboardInterrupt) else 1
    return 0


def _leave_no_trace() -> None:
    """Take our folder out of what the program, and what it starts, finds by name."""
    root = os.environ.pop("LISTENING_POST_ROOT", "")
    if not root:
        return
    rest = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part and part != root]
    if rest:
        os.environ["PYTHONPATH"] = os.pathsep.join(rest)
    else:
        os.environ.pop("PYTHONPATH", None)


def _own(found: TracebackType | None) -> TracebackType | None:
    """The traceback from the program's first line on."""
    while found is not None and found.tb_frame.f_globals.get("__name__") in (__name__, "runpy"):
        found = found.tb_next
    while found is not None and found.tb_frame.f_code.co_filename == "<frozen runpy>":
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


def _hook_exits(recorder: HostRecorder, link: Link) -> None:
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

    for name in ("_exit", "abort", "execv", "execve"):
        ending(name, lambda *_: True)
    ending("kill", lambda pid, number: pid == own and number in _ENDING)


_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGABRT, getattr(signal, "SIGKILL", -1), getattr(signal, "SIGHUP", -1))


def _shown(name: str, args: tuple[Any, ...]) -> str:
    if name == "kill":
        return f" with {signal.Signals(args[1]).name}"
    return f"({args[0]})" if name == "_exit" else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
