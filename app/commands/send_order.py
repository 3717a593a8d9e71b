"""What the command line of ``listening-post send`` asks for, checked before anything is opened."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.commands import errors
from app.sending.delivery import MAX_DATA, Content, content
from app.sending.errors import FieldError, TooLargeError, URLError
from app.sending.request import Request
from app.sending.url import URL, field, method_problem, parse
from app.text.errors import EscapeError, TemplateError

CONVERSING = ("tcp", "websocket")
"""Protocols in which both sides may send at any time."""

MISTAKES = (URLError, FieldError, errors.SendUsageError, EscapeError, TemplateError)
"""Errors that say that the command line is wrong."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the command line asks for.

    Attributes:
        request: the URL to connect to, and how.
        content: makes the message; None: send none, only receive.
        times: how often to send the message; 0: until the program is stopped.
        every: seconds from one message to the next.
        wait: seconds of silence after which the run ends; None: ``send_run.WAIT``, and for HTTP
            ``send_run.PATIENCE``.
        binary: send a WebSocket message as binary, even if it is valid UTF-8.
        fail: whether an HTTP status from 400 up is a failure.
        verbose: report on standard error when the connection opens and closes, and HTTP headers.
        capture: the file to capture into; None: nowhere.
        converse: send what is read from standard input, as soon as it is read.
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


def order_of(args: argparse.Namespace) -> Order:
    """Make an order of the parsed command line ``args``. Blocks: reads files and standard input.

    Raises one of ``MISTAKES``, DataUnreadableError or TooLargeError.
    """
    url = parse(args.url)
    fields = tuple(map(field, args.field))
    if (mistake := next(_mistakes(args, url, fields=bool(fields)), None)) is not None:
        raise errors.SendUsageError(reason=mistake)
    return Order(
        Request(url, args.method, fields, not args.insecure, args.certificate, args.key),
        _content(args, url),
        args.repeat,
        args.every / 1000,
        args.wait,
        binary=args.form == "hex",
        fail=args.fail,
        verbose=args.verbose,
        capture=args.capture,
        converse=args.converse,
    )


def _mistakes(args: argparse.Namespace, url: URL, *, fields: bool) -> Iterator[str]:
    """Say which arguments do not go together."""
    client = url.client
    if args.method and client.protocol != "http":
        yield "--method is for http:// and https://"
    if problem := method_problem(args.method):
        yield problem
    if fields and not client.http:
        yield "--field is for HTTP and WebSocket"
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


def _content(args: argparse.Namespace, url: URL) -> Content | None:
    if args.file is not None:
        return content("file", args.file, Path.cwd())
    if args.data is None and url.client.protocol in CONVERSING:
        return None
    if args.data != "-":
        return content(args.form, args.data or "", Path.cwd())
    data = standard_input()
    if args.form == "text":
        return lambda number: data
    return content(args.form, data.decode("utf-8", "replace"), Path.cwd())


def standard_input() -> bytes:
    """Read standard input to its end. Blocks. Raises TooLargeError."""
    found = sys.stdin.buffer.read(MAX_DATA + 1)
    if len(found) > MAX_DATA:
        raise TooLargeError(what="An input", size=f"more than {MAX_DATA:,}", most=f"{MAX_DATA:,}")
    return found
