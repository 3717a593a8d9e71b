"""``listening-post send``: sends a message, and writes what comes back to standard output."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from app.commands import arguments
from app.commands.exit_codes import WRONG_USAGE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "url", metavar="URL", nargs="?", help="tcp:// tls:// udp:// http:// https:// ws:// wss://; may have {{…}} in it"
    )
    parser.add_argument(
        "data", metavar="DATA", nargs="?", help=r"text with \n \x00 and the like; - reads standard input"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--hex", action="store_const", dest="form", const="hex", help="DATA is hex digits")
    form.add_argument("--template", action="store_const", dest="form", const="template", help="fill in {{…}} in DATA")
    form.add_argument(
        "--as", choices=("plain", "json", "form", "multipart"), dest="form",
        help="fill in {{…}} in DATA, which has no escapes; form and multipart are lines NAME=VALUE or, multipart,"
        " NAME=@FILE; all but plain set the Content-Type",
    )  # fmt: skip
    form.add_argument("--file", metavar="FILE", help="send the content of FILE")
    form.add_argument(
        "--converse", action="store_true",
        help="TCP and WebSocket: send standard input line by line; on WebSocket each line is a message",
    )  # fmt: skip
    parser.add_argument(
        "--repeat", type=arguments.count, metavar="N", default=1, help="send it N times; 0: until stopped"
    )
    parser.add_argument(
        "--every", type=arguments.milliseconds, metavar="MS", default=0.0, help="milliseconds between two messages"
    )
    parser.add_argument(
        "--wait", type=arguments.seconds, metavar="S", help="end after S seconds of silence; default: 1"
    )
    parser.add_argument(
        "--method", metavar="M", default="", help="HTTP method; default: GET without DATA, POST with DATA"
    )
    parser.add_argument(
        "-H", "--header", "--field", metavar="NAME:VALUE", action="append", default=[], dest="field",
        help="HTTP and WebSocket: a header, which may have {{…}} in it; repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--workspace", type=Path, metavar="FILE", help="take {{…}} from the variables of this workspace"
    )
    parser.add_argument(
        "--set", metavar="NAME=VALUE", action="append", default=[], dest="given", help="a variable; repeatable"
    )
    parser.add_argument(
        "--message", metavar="NAME", default="", help="send this message of the workspace instead of URL and DATA"
    )
    parser.add_argument("--insecure", action="store_true", help="accept any certificate")
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="TLS: client certificate, PEM or PKCS#12")
    parser.add_argument("--key", type=Path, metavar="FILE", help="the private key of the certificate, if FILE has none")
    parser.add_argument(
        "--fault", metavar="FAULT", action="append", default=[], dest="faults",
        help="make the connection fail on purpose, as in --fault 'kind=reset, nth=2'; repeatable",
    )  # fmt: skip
    parser.add_argument("--fail", action="store_true", help="HTTP: a status from 400 up is a failure")
    parser.add_argument("--capture", type=Path, metavar="FILE", help="capture into this file")
    parser.add_argument("-v", "--verbose", action="store_true", help="print on standard error what happens")
    parser.set_defaults(form="text")


def run(args: argparse.Namespace) -> int:
    from app.commands.send.order import MISTAKES, order_of

    try:
        order = order_of(args)
    except MISTAKES as e:
        print(f"listening-post: {e} See listening-post send --help", file=sys.stderr)
        return WRONG_USAGE
    from app.commands.running import choose_reactor
    from app.commands.send import running

    return running.run(choose_reactor(), order)
