"""The commands. Only ``serve`` runs a reactor, chosen here; none of them imports Qt."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn

from app import __version__, errors

COMMANDS = ("serve", "query", "check")

DONE, FAILED, WRONG_USAGE = 0, 1, 2

WindowCommand = Callable[[Path | None, Path | None, bool], int]
"""Opens the window: workspace, capture, start all. Returns the exit code."""


def main(argv: Sequence[str], window: WindowCommand) -> int:
    """Run the command that ``argv`` (without the program's name) asks for. Returns the exit code."""
    if argv and argv[0] == "capture-writer":  # how a frozen program starts its writer
        from app.capture import writer

        return writer.main(list(argv[1:]))
    debug = "--debug" in argv
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # whatever it can show, it need not stop
    try:
        code = _run([arg for arg in argv if arg != "--debug"], window)
        sys.stdout.flush()
        return code
    except errors.WorkspaceError as e:
        if debug:
            raise
        print(e, file=sys.stderr)  # each line of it begins with the file, as a compiler's
        return FAILED
    except errors.PostError as e:
        if debug:
            raise
        print(f"listening-post: {e}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        from app.headless import let_go_of_stdout

        let_go_of_stdout()
        return DONE


def _run(argv: Sequence[str], window: WindowCommand) -> int:
    parser = _parser()
    command = next((arg for arg in argv if not arg.startswith("-")), "")
    if command not in COMMANDS and not (argv and argv[0] in ("-h", "--help", "--version")):
        args = _window_parser().parse_args(argv)
        return window(args.workspace, args.capture, args.start)
    args = parser.parse_args(argv)
    run: Callable[[argparse.Namespace], int] = args.run
    return run(args)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, where argparse adds the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USAGE, f"listening-post: {message}. See {self.prog} --help\n")


def _window_parser() -> argparse.ArgumentParser:
    parser = _Parser("listening-post", description="Open the window.")
    parser.add_argument("workspace", nargs="?", type=Path, help="the last one, or the demo, if left out")
    parser.add_argument("--capture", type=Path, metavar="FILE", help="capture into this file")
    parser.add_argument("--start", action="store_true", help="start every service")
    return parser


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        "listening-post",
        description="One window with every server a desk needs.",
        epilog="listening-post [WORKSPACE] [--capture FILE] [--start] opens the window. "
        "--debug shows the traceback of an error.",
    )
    parser.add_argument("--version", action="version", version=f"Listening Post {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    serve = commands.add_parser("serve", help="run a workspace without a screen")
    serve.add_argument("workspace", type=Path)
    serve.add_argument("--capture", type=Path, metavar="FILE", help="a new one in the data folder if left out")
    serve.add_argument("--for", dest="seconds", type=_seconds, metavar="S", help="stop after S seconds")
    serve.add_argument("--json", action="store_true", help="print each event as one JSON object a line")
    serve.set_defaults(run=_serve)

    query = commands.add_parser("query", help="print the events of a capture")
    query.add_argument("capture", type=Path)
    query.add_argument("filter", nargs="?", default="", help="a substring of summary or payload")
    form = query.add_mutually_exclusive_group()
    form.add_argument("--count", action="store_true", help="print only how many")
    form.add_argument("--json", action="store_true", help="print one JSON object a line")
    query.add_argument("--limit", type=_count, metavar="N", help="print at most N")
    query.set_defaults(run=_query)

    check = commands.add_parser("check", help="say what is wrong with a workspace")
    check.add_argument("workspace", type=Path)
    check.add_argument("--json", action="store_true", help="print one JSON object for each problem")
    check.set_defaults(run=_check)
    return parser


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError("must be more than 0")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return value


def _serve(args: argparse.Namespace) -> int:
    from app import headless, workspace

    loaded = workspace.load(args.workspace)
    return headless.run(choose_reactor(), loaded, args.capture, args.seconds, as_json=args.json)


def choose_reactor() -> Any:
    """Install and return the reactor of a run without a screen."""
    try:
        from app.reactor import PromptEPollReactor
    except ImportError:
        from twisted.internet import reactor

        return reactor
    from twisted.internet.main import installReactor

    chosen = PromptEPollReactor()
    installReactor(chosen)
    return chosen


def _query(args: argparse.Namespace) -> int:
    from itertools import islice

    from app.capture import filters
    from app.capture.store import Store
    from app.headless import line

    store = Store(args.capture)
    where = filters.parse(args.filter)
    if args.count:
        count = store.count(where)
        print(count if args.limit is None else min(count, args.limit))
        return DONE
    for event in islice(store.events(where, *store.range()), args.limit):
        print(json.dumps(event.as_json(), ensure_ascii=False) if args.json else line(event))
    return DONE


def _check(args: argparse.Namespace) -> int:
    from app import workspace

    if not args.json:
        services = workspace.load(args.workspace).services
        count = "1 service" if len(services) == 1 else f"{len(services)} services"
        print(f"{args.workspace}: {count}, nothing wrong")
        return DONE
    problems = workspace.problems_of(args.workspace)
    for problem in problems:
        found = {"file": str(args.workspace), "line": problem.line, "key": problem.key, "text": problem.text}
        print(json.dumps(found, ensure_ascii=False))
    return FAILED if problems else DONE
