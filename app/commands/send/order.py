"""What the command line of ``listening-post send`` asks for, checked before anything is opened."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.commands import errors
from app.options import Options
from app.sending.contents import MAX_DATA, Content, content, headers_for
from app.sending.errors import FieldError, TooLargeError, URLError
from app.sending.request import Request
from app.sending.url import URL, field, method_problem, parse
from app.text import variables
from app.text.errors import EscapeError, TemplateError, UnknownVariableError
from app.text.variables import Variables, filled

if TYPE_CHECKING:
    from app.workspace.reading import Workspace

CONVERSING = ("tcp", "websocket")
"""Protocols in which both sides may send at any time."""

MISTAKES = (URLError, FieldError, errors.SendUsageError, EscapeError, TemplateError, UnknownVariableError)
"""Errors that say that the command line is wrong."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the command line asks for.

    Attributes:
        request: the URL to connect to, and how.
        content: makes the message; None: send none, only receive.
        times: how often to send the message; 0: until the program is stopped.
        every: seconds from one message to the next.
        wait: seconds of silence after which the run ends; None: ``running.WAIT``, and for HTTP
            ``running.PATIENCE``.
        binary: send a WebSocket message as binary, even if it is valid UTF-8.
        fail: whether an HTTP status from 400 up is a failure.
        verbose: report on standard error when the connection opens and closes, and HTTP headers.
        capture: the file to capture into; None: nowhere.
        converse: send what is read from standard input, as soon as it is read.
        faults: how the connection fails on purpose, tables as those of a service.
    """

    request: Request
    content: Content | None
    times: int = 1
    every: float = 0.0
    wait: float | None = None
    binary: bool = False
    fail: bool = False
    verbose: bool = False
    capture: Path | None = None
    converse: bool = False
    faults: tuple[Options, ...] = ()


def order_of(args: argparse.Namespace) -> Order:
    """Make an order of the parsed command line ``args``. Blocks: reads files and standard input.

    Raises one of ``MISTAKES``, DataUnreadableError, TooLargeError, WorkspaceError or WorkspaceUnreadableError.
    """
    workspace = _workspace(args.workspace) if args.workspace is not None else None
    given = {**(workspace.variables if workspace is not None else {}), **dict(map(_variable, args.given))}
    if args.message:
        return _saved(args, workspace, given)
    if args.url is None:
        raise errors.SendUsageError(reason="a URL is missing, or --workspace FILE with --message NAME")
    url = parse(filled(args.url, given))
    fields = [field(filled(line, given)) for line in args.field]
    if (mistake := next(_mistakes(args, url, fields=bool(fields)), None)) is not None:
        raise errors.SendUsageError(reason=mistake)
    made, typed = _content(args, url, fields, given)
    return Order(
        Request(url, args.method, typed, not args.insecure, args.certificate, args.key),
        made,
        args.repeat,
        args.every / 1000,
        args.wait,
        binary=args.form == "hex",
        fail=args.fail,
        verbose=args.verbose,
        capture=args.capture,
        converse=args.converse,
        faults=_faults(args, url),
    )


def _workspace(path: Path) -> Workspace:
    """The messages and variables of a workspace. Blocks. What is wrong with its services does not matter here."""
    from app.workspace import reading  # slow to import, with all responders
    from app.workspace.errors import WorkspaceError

    found, problems = reading.parse(reading.text_of(path))
    wrong = [problem for problem in problems if problem.key.startswith("variables") or not problem.key]
    if wrong:
        raise WorkspaceError(problems="\n".join(f"{path}:{problem}" for problem in wrong))
    return replace(found, path=path)


def _faults(args: argparse.Namespace, url: URL) -> tuple[Options, ...]:
    if not args.faults:
        return ()
    from app.commands.send import fault_words  # takes a while: all kinds of faults

    return fault_words.tables(args.faults, url.client.protocol)


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise errors.SendUsageError(reason=f"--set {text} has no value: write --set NAME=VALUE")
    if wrong := variables.name_problem(name):
        raise errors.SendUsageError(reason=f"--set {name} {wrong}")
    return name, value


def _saved(args: argparse.Namespace, workspace: Workspace | None, given: Variables) -> Order:
    """The order for a message of the workspace, as the Send dock sends it."""
    if workspace is None:
        raise errors.SendUsageError(reason="--message needs --workspace FILE, which has the message")
    if args.url is not None or args.data is not None or args.file is not None or args.field or args.method:
        raise errors.SendUsageError(reason="--message brings its URL, data, method and headers along")
    message = next((message for message in workspace.messages if message.name == args.message), None)
    if message is None:
        known = ", ".join(message.name for message in workspace.messages) or "none"
        raise errors.SendUsageError(reason=f"there is no message {args.message} in the workspace. It has {known}")
    if problem := method_problem(message.method):
        raise errors.SendUsageError(reason=problem)
    request = message.request(given)
    request = replace(request, verify=request.verify and not args.insecure, certificate=args.certificate, key=args.key)
    silent = not message.data and request.url.client.protocol in CONVERSING
    made = None if silent else content(message.form, message.data, workspace.folder, given)
    return Order(
        request, made, message.times, message.every, args.wait, binary=message.form == "hex", fail=args.fail,
        verbose=args.verbose, capture=args.capture,
        faults=_faults(args, request.url),
    )  # fmt: skip


def _mistakes(args: argparse.Namespace, url: URL, *, fields: bool) -> Iterator[str]:
    """Say which arguments do not go together."""
    client = url.client
    if args.method and client.protocol != "http":
        yield "--method is for http:// and https://"
    if problem := method_problem(args.method):
        yield problem
    if fields and not client.http:
        yield "--header is for HTTP and WebSocket"
    if args.file is not None and args.data is not None:
        yield "send either DATA or a file"
    if args.converse and (args.data is not None or client.protocol not in CONVERSING):
        yield "--converse takes no DATA, and is for TCP, TLS and WebSocket"
    if args.converse and os.name == "nt":
        yield "--converse is not there on Windows, which cannot wait for what is typed"
    if (args.converse or args.data == "-") and sys.stdin is None:
        yield "standard input is closed"
    if args.certificate and not client.tls:
        yield "--certificate is for tls://, https:// and wss://"
    if args.key and not args.certificate:
        yield "--key belongs to --certificate"


def _content(
    args: argparse.Namespace, url: URL, fields: list[tuple[str, str]], given: Variables
) -> tuple[Content | None, tuple[tuple[str, str], ...]]:
    """What to send, and with which headers."""
    if args.file is not None:
        return content("file", args.file, Path.cwd()), tuple(fields)
    if args.data is None and url.client.protocol in CONVERSING:
        return None, tuple(fields)
    data = args.data or ""
    if data == "-":
        found = standard_input()
        if args.form == "text":
            return lambda number: found, tuple(fields)
        data = found.decode("utf-8", "surrogateescape")
    typed = headers_for(args.form, data, fields) if url.client.protocol == "http" else tuple(fields)
    return content(args.form, data, Path.cwd(), given), typed


def standard_input() -> bytes:
    """Read standard input to its end. Blocks. Raises TooLargeError."""
    found = sys.stdin.buffer.read(MAX_DATA + 1)
    if len(found) > MAX_DATA:
        raise TooLargeError(what="An input", size=f"more than {MAX_DATA:,}", most=f"{MAX_DATA:,}")
    return found
