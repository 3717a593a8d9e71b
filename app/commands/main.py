"""The commands. Only ``serve`` runs a reactor, chosen here; none of them imports Qt."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import __version__, errors
from app.commands import arguments, output
from app.commands.arguments import WRONG_USAGE

if TYPE_CHECKING:
    from app.capture.reading.losses import Lost

COMMANDS = ("serve", "query", "export", "save", "send", "ca", "check", "selftest")

DONE, FAILED, INTERRUPTED = 0, 1, 130

WindowCommand = Callable[[Path | None, Path | None, bool, bool], int]
"""Opens the window: workspace, capture, start all, a window of its own. Returns the exit code."""


def main(argv: Sequence[str], window: WindowCommand) -> int:
    """Run the command that ``argv`` (without the program's name) asks for. Returns the exit code."""
    if argv and argv[0] == "capture-writer":  # how a frozen program starts its writer
        from app.capture.writing import writer

        return writer.main(list(argv[1:]))
    with output.ours():
        return _with_words([arg for arg in argv if arg != "--debug"], window, debug="--debug" in argv)


def _with_words(argv: Sequence[str], window: WindowCommand, *, debug: bool) -> int:
    """Run the command; what goes wrong is said on standard error."""
    try:
        code = _run(argv, window)
        sys.stdout.flush()
        return code
    except errors.WorkspaceError as e:
        if debug:
            raise
        print(e, file=sys.stderr)  # each line of it begins with the file, as a compiler's
        return FAILED
    except errors.FilterError as e:
        if debug:
            raise
        print(f"listening-post: {e}\n  {e.typed}\n  {' ' * e.at}^", file=sys.stderr)
        return WRONG_USAGE
    except errors.PostError as e:
        if debug:
            raise
        if isinstance(e, errors.OutputError):
            output.let_go()
        print(f"listening-post: {e}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        output.let_go()
        return DONE
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(argv: Sequence[str], window: WindowCommand) -> int:
    parser = _parser()
    command = next((arg for arg in argv if not arg.startswith("-")), "")
    if command not in COMMANDS and not (argv and argv[0] in ("-h", "--help", "--version")):
        args = _window_parser().parse_args(argv)
        return window(args.workspace, args.capture, args.start, args.separate)
    args = parser.parse_args(argv)
    run: Callable[[argparse.Namespace], int] = args.run
    return run(args)


def _window_parser() -> argparse.ArgumentParser:
    parser = arguments.Parser("listening-post", description="Open the window.")
    parser.add_argument(
        "workspace", nargs="?", type=Path, help="the last one, or the demo, if left out; a capture is opened beside it"
    )
    parser.add_argument("--capture", type=Path, metavar="FILE", help="capture into this file")
    parser.add_argument("--start", action="store_true", help="start every service")
    parser.add_argument("--separate", action="store_true", help="open a second window beside one that is open")
    return parser


def _parser() -> argparse.ArgumentParser:
    parser = arguments.Parser(
        "listening-post",
        description="One window with every server a desk needs.",
        epilog="listening-post [WORKSPACE] [--capture FILE] [--start] opens the window. "
        "--debug shows the traceback of an error.",
    )
    parser.add_argument("--version", action="version", version=f"Listening Post {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=arguments.CommandParser)

    serve = commands.add_parser("serve", help="run a workspace without a screen")
    serve.add_argument("workspace", type=Path)
    serve.add_argument("--capture", type=Path, metavar="FILE", help="a new one in the data folder if left out")
    serve.add_argument("--for", dest="seconds", type=arguments.seconds, metavar="S", help="stop after S seconds")
    output = serve.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print each event as one JSON object a line")
    output.add_argument("--quiet", action="store_true", help="print no events: under full load they cost")
    serve.add_argument(
        "--limit",
        type=arguments.size,
        metavar="SIZE",
        help="drop the oldest events when the capture is larger: 500MB, 2GB (the default)",
    )
    serve.add_argument(
        "--keep-days",
        type=arguments.count,
        metavar="N",
        default=0,
        help="remove captures of the data folder that are older",
    )
    serve.add_argument("--trust-plugins", action="store_true", help="run the code of plugins without asking")
    serve.set_defaults(run=_serve)

    query = commands.add_parser("query", help="print the events of a capture")
    query.add_argument("capture", type=Path)
    query.add_argument(
        "filter", nargs="?", default="", help="as in: service == api and http.status >= 500, or a text to look for"
    )
    form = query.add_mutually_exclusive_group()
    form.add_argument("--count", action="store_true", help="print only how many")
    form.add_argument("--json", action="store_true", help="print one JSON object a line")
    query.add_argument("--limit", type=arguments.count, metavar="N", help="print at most N")
    query.set_defaults(run=_query)

    _add_export(commands)
    _add_save(commands)
    _add_send(commands)

    _add_ca(commands)

    check = commands.add_parser("check", help="say what is wrong with a workspace")
    check.add_argument("workspace", type=Path)
    check.add_argument("--json", action="store_true", help="print one JSON object for each problem")
    check.set_defaults(run=_check)

    selftest = commands.add_parser("selftest", help="have every server answer a client")
    selftest.add_argument("--json", action="store_true", help="print one JSON object for each check")
    selftest.set_defaults(run=_selftest)
    return parser


def _add_export(commands: Any) -> None:
    from app.exports import formats as exporters

    export = commands.add_parser("export", help="write a capture for other tools")
    export.add_argument("capture", type=Path)
    export.add_argument("output", help="a file, whose ending tells the format, or - for standard output")
    export.add_argument("--format", choices=exporters.names(), help="pcapng for Wireshark, har, jsonl or csv")
    export.add_argument("--filter", default="", metavar="FILTER", help="only events that fit, as with query")
    export.set_defaults(run=_export)


def _add_save(commands: Any) -> None:
    save = commands.add_parser("save", help="save a copy of a capture, with or without what is in it")
    save.add_argument("capture", type=Path)
    save.add_argument("output", type=Path)
    save.add_argument("--without-payloads", action="store_true", help="leave out all bytes, but not their sizes")
    save.add_argument("--redact", action="store_true", help="take out Authorization, Proxy-Authorization and cookies")
    save.add_argument(
        "--pattern", metavar="P", action="append", default=[],
        help="and what this regular expression matches, or its groups; implies --redact; repeatable",
    )  # fmt: skip
    save.add_argument("--filter", default="", metavar="FILTER", help="only events that fit, as with query")
    save.set_defaults(run=_save)


def _add_ca(commands: Any) -> None:
    ca = commands.add_parser("ca", help="say where the local authority for TLS is, and how to trust it")
    ca.add_argument("--trust", action="store_true", help="print the commands that have each system trust it")
    ca.add_argument("--export", type=Path, metavar="FILE", help="write its certificate")
    ca.add_argument("--client", type=Path, metavar="FILE", help="write a certificate for a client, with its key")
    ca.add_argument("--any-name", action="store_true", help="make a new one that may sign for any name, not only local")
    ca.set_defaults(run=_ca)


def _add_send(commands: Any) -> None:
    send = commands.add_parser("send", help="send a message and print what comes back")
    send.add_argument("url", metavar="URL", help="tcp:// tls:// udp:// http:// https:// ws:// wss://")
    send.add_argument("data", metavar="DATA", nargs="?", help=r"text with \n \x00 and the like; - reads standard input")
    form = send.add_mutually_exclusive_group()
    form.add_argument("--hex", action="store_const", dest="form", const="hex", help="DATA is hex digits")
    form.add_argument("--template", action="store_const", dest="form", const="template", help="DATA has {{…}} in it")
    form.add_argument("--file", metavar="FILE", help="send what FILE holds")
    form.add_argument(
        "--converse", action="store_true", help="TCP and WebSocket: send what standard input holds, line by line"
    )
    send.add_argument(
        "--repeat", type=arguments.count, metavar="N", default=1, help="send it N times; 0: until stopped"
    )
    send.add_argument(
        "--every", type=arguments.milliseconds, metavar="MS", default=0.0, help="milliseconds between two"
    )
    send.add_argument(
        "--wait", type=arguments.seconds, metavar="S", help="leave after S seconds of silence, 1 by default"
    )
    send.add_argument("--method", metavar="M", default="", help="HTTP: GET without DATA, else POST, if left out")
    send.add_argument(
        "--field", metavar="NAME:VALUE", action="append", default=[], help="HTTP and WebSocket; repeatable"
    )
    send.add_argument("--insecure", action="store_true", help="take any certificate")
    send.add_argument("--certificate", type=Path, metavar="FILE", help="TLS: show this one, PEM or PKCS#12")
    send.add_argument("--key", type=Path, metavar="FILE", help="its private key, where FILE has none")
    send.add_argument("--fail", action="store_true", help="HTTP: a status from 400 up is a failure")
    send.add_argument("--capture", type=Path, metavar="FILE", help="capture into this file")
    send.add_argument("-v", "--verbose", action="store_true", help="say on standard error what happens")
    send.set_defaults(run=_send, form="text")


def _serve(args: argparse.Namespace) -> int:
    from app.capture.keeping.retention import Keeping
    from app.capture.writing.link import DEFAULT_LIMIT
    from app.commands import serve as headless
    from app.workspace import reading as workspace

    if args.trust_plugins:
        from app.plugin_loader.table import TABLE

        TABLE.trust.everything = True
    reactor = choose_reactor()  # before plugins are loaded, which may import it
    loaded = workspace.load(args.workspace)
    return headless.run(
        reactor, loaded, args.capture, args.seconds,
        as_json=args.json, quiet=args.quiet, limit=args.limit or DEFAULT_LIMIT, keeping=Keeping(args.keep_days),
    )  # fmt: skip


def _send(args: argparse.Namespace) -> int:
    from app.commands import send as send_command

    try:
        order = send_command.order(args)
    except send_command.MISTAKES as e:
        print(f"listening-post: {e} See listening-post send --help", file=sys.stderr)
        return WRONG_USAGE
    return send_command.run(choose_reactor(), order)


def _say_plugins() -> None:
    from app.plugin_loader.table import TABLE

    for plugin in TABLE.all():
        if plugin.problem is not None:
            names = ", ".join(responder.name for responder in plugin.brings)
            print(f"listening-post: {names}: {plugin.problem}", file=sys.stderr)


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

    from app.capture.filters import language as filters
    from app.capture.reading import losses
    from app.capture.reading.store import Store
    from app.commands.serve import line

    store = Store(args.capture)
    where = filters.parse(args.filter)
    missing = losses.lost(store, where)
    if args.count:
        count = store.count(where)
        print(count if args.limit is None else min(count, args.limit))
    else:
        for event in islice(store.events(where, *store.range()), args.limit):
            print(json.dumps(event.as_json(), ensure_ascii=False) if args.json else line(event))
    _say_lost(missing)
    return DONE


def _say_lost(missing: Lost) -> None:
    if missing:
        print(f"listening-post: {missing.in_words()}", file=sys.stderr)


def _export(args: argparse.Namespace) -> int:
    from app.capture.reading.store import Store
    from app.exports import formats as exporters
    from app.exports.selection import Part, Selection
    from app.files.replacing import replacing

    chosen = args.format or Path(args.output).suffix.lstrip(".")
    exporter = exporters.find(chosen)
    if exporter is None:
        raise errors.UnknownFormatError(output=args.output, known=", ".join(exporters.names()))
    selection = Selection(Store(args.capture), exporter, Part.typed(args.filter))
    if args.output == "-":
        with output.in_words():
            selection.write(sys.stdout.buffer)
    else:
        try:
            with replacing(Path(args.output)) as out:
                selection.write(out)
        except OSError as e:
            raise errors.UnwritableError(path=args.output, reason=e.strerror or e) from e
    _say_lost(selection.lost)
    return DONE


def _save(args: argparse.Namespace) -> int:
    from app.capture.filters import language as filters
    from app.capture.keeping import saving

    redacted = args.redact or bool(args.pattern)
    how = saving.Saving(filters.parse(args.filter), not args.without_payloads, redacted, tuple(args.pattern))
    shown = sys.stderr.isatty()

    def progress(done: int, of: int) -> None:
        if shown:
            print(f"\r{100 * done // max(1, of):3} %", end="", file=sys.stderr, flush=True)

    try:
        saved = saving.save(args.capture, args.output, how, progress)
    except KeyboardInterrupt:
        print("\nlistening-post: cancelled, nothing was saved", file=sys.stderr)
        return FAILED
    finally:
        print("\r     \r" if shown else "", end="", file=sys.stderr)
    print(f"{args.output}: {saved.events:,} events, {saved.bytes:,} bytes")
    if redacted:
        print(saving.CANNOT_SEE, file=sys.stderr)
    return DONE


def _ca(args: argparse.Namespace) -> int:
    from app.files import folders
    from app.services.tls import authority

    data = folders.data_folder()
    found = authority.renew(data, any_name=True) if args.any_name else authority.of(data)
    if args.export:
        found.export(args.export)
    if args.client:
        found.export_client(args.client)
    for line in authority.described(found, trust=args.trust):
        print(line)
    return DONE


def _check(args: argparse.Namespace) -> int:
    from app.workspace import reading as workspace

    if not args.json:
        services = workspace.load(args.workspace, ready=True).services
        count = "1 service" if len(services) == 1 else f"{len(services)} services"
        print(f"{args.workspace}: {count}, nothing wrong")
        _say_plugins()
        return DONE
    problems = workspace.problems_of(args.workspace)
    for problem in problems:
        found = {"file": str(args.workspace), "line": problem.line, "key": problem.key, "text": problem.text}
        print(json.dumps(found, ensure_ascii=False))
    return FAILED if problems else DONE


def _selftest(args: argparse.Namespace) -> int:
    from app.commands import selftest

    return selftest.run(choose_reactor(), as_json=args.json)
