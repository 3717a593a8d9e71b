"""``listening-post run``: any Twisted program, unchanged, with what it does on the network captured."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from app.commands import arguments
from app.commands.exit_codes import DONE, WRONG_USAGE
from app.text.escapes import one_line

if TYPE_CHECKING:
    from app.programs.starting import Program, Running

GRACE = 5.0
"""Seconds that the program has to end after a signal of ours."""

PRINT_AT_END = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-m", dest="module", metavar="MODULE", help="run a module, as python -m does")
    parser.add_argument(
        "--python", metavar="PATH", default="",
        help="run it with this Python, or that of this virtual environment; by default with the one that a command's"
        " first line names, else that of the active virtual environment, else the one of Listening Post",
    )  # fmt: skip
    arguments.add_capturing(parser)
    parser.add_argument(
        "words", nargs=argparse.REMAINDER, metavar="PROGRAM [ARG ...]",
        help="a Python file or a .tac; or, behind --, a command that is a Python script, as twist or trial",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    from app.programs import starting

    words = list(args.words)
    if args.module is not None:
        program = starting.of_module(args.module, words, args.python)
    elif not words or words == ["--"]:
        print(
            "listening-post: the following arguments are required: PROGRAM. See listening-post run --help",
            file=sys.stderr,
        )
        return WRONG_USAGE
    elif words[0] == "--":
        program = starting.of_command(words[1:], args.python)
    else:
        program = starting.of_file(words[0], words[1:], args.python)
    return _run(program, args)


def _run(program: Program, args: argparse.Namespace) -> int:
    from app.capture.link import DEFAULT_LIMIT
    from app.commands.printer import Printer
    from app.post import default_capture
    from app.programs import pythons
    from app.programs.starting import Running, how_ended

    python = pythons.looked_at(program.python)
    program = replace(program, python=python.path)
    capture = (args.capture or default_capture()).absolute()
    print(one_line(f"capturing into {capture}"), file=sys.stderr)
    if python.words:
        print(one_line(f"running with {python.words}"), file=sys.stderr)
    running = Running(program, capture, args.limit or DEFAULT_LIMIT)
    printer: Printer | None = None
    with _signals_passed_on(running), _ended_after(running, args.seconds):
        for stored in running.stored():
            if not args.quiet:
                printer = printer or Printer(capture, stored.first, as_json=args.json)
                printer.on_stored(stored)
        code = running.wait()
    if printer is not None:
        printer.finish(PRINT_AT_END)
    if (words := how_ended(code)) and args.seconds is None:
        print(f"listening-post: {words}", file=sys.stderr)
    if args.seconds is not None and -code in (signal.SIGTERM, signal.SIGKILL):
        return DONE  # as it was asked to
    return code if code >= 0 else 128 - code


@contextlib.contextmanager
def _signals_passed_on(running: Running):  # type: ignore[no-untyped-def]
    """A signal to us is one to the program, which says how it ends. A terminal sends Ctrl+C to both."""

    def pass_on(number: int, _: object) -> None:
        if number != signal.SIGINT or not sys.stdin.isatty():
            running.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _ended_after(running: Running, seconds: float | None):  # type: ignore[no-untyped-def]
    timers = []
    if seconds is not None:
        timers = [
            threading.Timer(seconds, running.send_signal, [signal.SIGTERM]),
            threading.Timer(seconds + GRACE, running.send_signal, [signal.SIGKILL]),
        ]
    for timer in timers:
        timer.daemon = True
        timer.start()
    try:
        yield
    finally:
        for timer in timers:
            timer.cancel()
