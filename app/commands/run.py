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

UNSEEN = 2.0
"""Seconds that the program has to end once its events have: until then that is how it ends."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-m", dest="module", metavar="MODULE", action=arguments.LastOption,
        help="run a module, as python -m does; what stands behind it is the module's",
    )  # fmt: skip
    parser.add_argument(
        "--python", metavar="PATH", default="",
        help="run it with this Python, or that of this virtual environment; by default with the one that a command's"
        " first line names, else that of the active virtual environment, else the one of Listening Post",
    )  # fmt: skip
    arguments.add_capturing(parser)
    parser.add_argument(
        "--port",
        dest="ports",
        type=ports,
        action="append",
        default=[],
        metavar="WANTED=INSTEAD",
        help="where a port is taken that the program wants to listen on, listen on another one: 8000=18000; repeatable",
    )
    parser.add_argument(
        "--restart",
        choices=("on-change", "on-failure", "never"),
        default="never",
        help="start it again when one of its files is saved, until a signal ends it; or when it has failed",
    )
    parser.add_argument(
        "words", nargs=argparse.REMAINDER, metavar="PROGRAM [ARG ...]",
        help="a Python file or a .tac; or, behind --, a command that is a Python script, as twist or trial",
    )  # fmt: skip


def ports(text: str) -> tuple[str, str]:
    """Two ports, as in ``8000=18000``."""
    from app.programs.ports import parsed

    try:
        wanted, instead = parsed(text)
    except ValueError as e:
        raise argparse.ArgumentTypeError(str(e)) from e
    return str(wanted), str(instead)


def run(args: argparse.Namespace) -> int:
    from app.programs import starting

    if args.restart != "never" and (args.module is not None or args.words not in ([], ["--"])):
        return _run_again_and_again(args)
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


def _run_again_and_again(args: argparse.Namespace) -> int:
    """As a program of a workspace, which ``serve`` would run."""
    from pathlib import Path

    from app.capture.link import DEFAULT_LIMIT
    from app.commands.running import choose_reactor
    from app.commands.serve import running
    from app.commands.serve.order import Order
    from app.programs.config import ProgramConfig
    from app.services.surroundings import draw_seed
    from app.workspace.reading import Workspace

    words = args.words[1:] if args.words[:1] == ["--"] else args.words
    words = words if args.module is None else ["-m", args.module, *words]
    name = Path(words[1] if args.module is not None else words[0]).stem[:40] or "program"
    program = ProgramConfig(name, tuple(words), python=args.python, restart=args.restart, ports=dict(args.ports))
    reactor = choose_reactor()
    order = Order(
        draw_seed(), args.capture, args.seconds, as_json=args.json, quiet=args.quiet,
        limit=args.limit or DEFAULT_LIMIT, until_ended=args.restart == "on-failure",
    )  # fmt: skip
    return running.run(reactor, Workspace(programs=(program,)), order)


def _run(program: Program, args: argparse.Namespace) -> int:
    from app.capture.capturing import capture_folder, unused_capture
    from app.capture.link import DEFAULT_LIMIT
    from app.commands.printing.printer import Printer
    from app.programs import pythons
    from app.programs.starting import Running, how_ended

    python = pythons.looked_at(program.python)
    program = replace(program, python=python.path)
    capture = (args.capture or unused_capture(capture_folder())).absolute()
    print(one_line(f"capturing into {capture}"), file=sys.stderr)
    if python.words:
        print(one_line(f"running with {python.words}"), file=sys.stderr)
    running = Running(program, capture, args.limit or DEFAULT_LIMIT, ports=dict(args.ports))
    printer: Printer | None = None
    with _signals_passed_on(running), _ended_after(running, args.seconds) as over:
        for stored in running.stored():
            if not args.quiet:
                printer = printer or Printer(capture, stored.first, as_json=args.json)
                printer.on_stored(stored)
        code = _end_of(running)
    if printer is not None:
        printer.finish(PRINT_AT_END)
    if over.is_set() and -code in (signal.SIGTERM, signal.SIGKILL):
        return DONE  # as it was asked to
    if words := how_ended(code):
        print(f"listening-post: {words}", file=sys.stderr)
    return code if code >= 0 else 128 - code


def _end_of(running: Running) -> int:
    """Its exit code. Its events have ended already."""
    if not running.ends_within(UNSEEN):
        words = "the program goes on, but the pipe through which its events come is closed: nothing more is seen of it"
        print(f"listening-post: {words}", file=sys.stderr)
    return running.wait()


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
    """End it then. Yields an event that says whether its time was over."""
    timers, over = [], threading.Event()

    def end() -> None:
        over.set()
        running.send_signal(signal.SIGTERM)

    def kill() -> None:
        if not running.ended:
            print("listening-post: the program did not end when it was asked to, and is killed", file=sys.stderr)
            running.send_signal(signal.SIGKILL)

    if seconds is not None:
        timers = [
            threading.Timer(seconds, end),
            threading.Timer(seconds + GRACE, kill),
        ]
    for timer in timers:
        timer.daemon = True
        timer.start()
    try:
        yield over
    finally:
        for timer in timers:
            timer.cancel()
