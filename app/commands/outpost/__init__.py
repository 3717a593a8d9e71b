"""``listening-post outpost``: the other end of a console's SSH: its standard input and output speak the protocol."""

from __future__ import annotations

import argparse
import os
import socket
import sys
import threading
from pathlib import Path

from app.commands import arguments
from app.commands.exit_codes import DONE, WRONG_USAGE
from app.errors import system_words

_AT_ONCE = 1 << 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "workspace", nargs="?", type=Path, help="serve this one as long as the console is connected; by default none"
    )
    parser.add_argument(
        "--socket", type=Path, metavar="PATH", help="join the workspace that serve --control PATH serves already"
    )
    parser.add_argument(
        "--capture", type=Path, metavar="FILE", help="file to capture into; by default a new one in the data folder"
    )
    parser.add_argument(
        "--limit", type=arguments.size, metavar="SIZE",
        help="drop the oldest events when the capture grows larger: 500MB, 2GB (the default)",
    )  # fmt: skip
    arguments.add_allow(parser)
    parser.add_argument(
        "--trust", action="store_true", help="allow everything that the workspace asks for, for this run"
    )


def run(args: argparse.Namespace) -> int:
    if args.socket is not None and (args.workspace or args.capture or args.allow or args.limit or args.trust):
        words = "--socket joins what is served already: what it serves and allows was said there"
        print(f"listening-post: {words}", file=sys.stderr)
        return WRONG_USAGE
    if sys.stdin.isatty():
        words = "this is the other end of a console's SSH. Add this machine as an outpost there, as user@host"
        print(f"listening-post: {words}", file=sys.stderr)
        return WRONG_USAGE
    return _serve(args) if args.socket is None else _join(args.socket)


def _serve(args: argparse.Namespace) -> int:
    from app.capture.link import DEFAULT_LIMIT
    from app.commands.outpost import running
    from app.commands.running import choose_reactor
    from app.plugin_loader.table import TABLE
    from app.workspace import reading

    if args.trust:
        TABLE.trust.everything = TABLE.trust.every_plugin = True
    reactor = choose_reactor()
    workspace = reading.Workspace() if args.workspace is None else reading.load(args.workspace)
    allow = args.allow or workspace.allow or "read"
    return running.run(reactor, workspace, args.capture, args.limit or DEFAULT_LIMIT, allow)


def _join(path: Path) -> int:
    """Copy between standard input and output and the socket, until either ends. Raises NoOutpostError."""
    from app.outposts.errors import NoOutpostError

    if not hasattr(socket, "AF_UNIX"):
        raise NoOutpostError(path=path, reason="this system has no Unix sockets")
    with socket.socket(socket.AF_UNIX) as link:
        try:
            link.connect(str(path))
        except OSError as e:
            raise NoOutpostError(path=path, reason=system_words(e)) from e
        threading.Thread(target=_pass_on, args=(link,), daemon=True).start()
        try:
            while data := link.recv(_AT_ONCE):
                _write(data)
        except OSError:  # the console is gone, or the outpost
            pass
    return DONE


def _pass_on(link: socket.socket) -> None:
    """What the console asks; its end is ours."""
    try:
        while data := os.read(0, _AT_ONCE):
            link.sendall(data)
        link.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def _write(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]
