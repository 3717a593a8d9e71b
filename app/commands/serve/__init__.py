"""``listening-post serve``: every service of a workspace, without a screen."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from socket import gethostname
from typing import TYPE_CHECKING, Literal

from app.commands import arguments, errors
from app.commands.exit_codes import WRONG_USAGE
from app.text.escapes import one_line

if TYPE_CHECKING:
    from app.commands.serve.order import Order
    from app.outposts.protocol import Allow
    from app.outposts.ways.keys import PublicKey
    from app.outposts.ways.login import Login


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("workspace", type=Path)
    arguments.add_capturing(parser)
    parser.add_argument(
        "--keep-days",
        type=arguments.count,
        metavar="N",
        default=0,
        help="delete captures in the data folder that are older",
    )
    parser.add_argument(
        "--seed",
        type=arguments.seed,
        metavar="N",
        help="seed of the faults, to repeat a run; by default a new one, which is printed",
    )
    parser.add_argument(
        "--fault",
        dest="faults",
        type=arguments.switch,
        action="append",
        metavar="NAME=on|off",
        help="switch a fault on or off at the start; SERVICE/NAME if several services have it, PROGRAM/NAME or"
        " PROGRAM/PORT/NAME of a program; repeatable",
    )
    parser.add_argument(
        "--metrics",
        metavar="ADDRESS",
        help="serve /metrics, for Prometheus, and /healthz there: 127.0.0.1:9464",
    )
    parser.add_argument(
        "--control",
        type=Path,
        metavar="PATH",
        help="let listening-post control read and control it through this socket",
    )
    join = parser.add_argument_group("at a router", "Consoles read and control it through a WAMP router.")
    join.add_argument("--join", metavar="URL", help="log in to this router: wss://router.example:8443/ws")
    join.add_argument("--realm", default="post.lab", metavar="REALM", help="of the router; by default post.lab")
    join.add_argument("--name", metavar="NAME", help="of this outpost there; by default that of the machine")
    join.add_argument("--key", type=Path, metavar="FILE", help="its key there: see listening-post key")
    join.add_argument("--ca", type=Path, metavar="FILE", help="the authority that signed the router's certificate")
    join.add_argument(
        "--seal", type=Path, action="append", metavar="FILE", default=[],
        help="the public key of a console: it alone may ask, and the router cannot read what is said; repeatable",
    )  # fmt: skip
    arguments.add_allow(parser)
    parser.add_argument(
        "--trust", action="store_true", help="allow everything that the workspace asks for, for this run"
    )
    parser.add_argument("--trust-plugins", action="store_true", help="allow only plugins, for this run")


def run(args: argparse.Namespace) -> int:
    from app.commands.running import choose_reactor
    from app.commands.serve import fault_switches, running
    from app.workspace import reading as workspace

    if args.join and args.key is None:
        print("listening-post: --join needs --key FILE. See listening-post key --help", file=sys.stderr)
        return WRONG_USAGE
    if args.seal and not args.join:
        print("listening-post: --seal seals what is said through a router, and needs --join URL", file=sys.stderr)
        return WRONG_USAGE
    if args.trust or args.trust_plugins:
        from app.plugin_loader.table import TABLE

        TABLE.trust.everything = args.trust
        TABLE.trust.every_plugin = True
    reactor = choose_reactor()  # before plugins are loaded, which may import it
    loaded = workspace.load(args.workspace)
    try:
        loaded = fault_switches.switched(loaded, args.faults or ())
    except errors.UnknownFaultError as e:
        print(one_line(f"listening-post: {e}"), file=sys.stderr)
        return WRONG_USAGE
    return running.run(reactor, loaded, _order(args, loaded.allow))


def _order(args: argparse.Namespace, allow: Allow | Literal[""]) -> Order:
    """``allow`` is what the workspace says. Raises RouterError, KeyFileError."""
    from app.capture.keeping.retention import Keeping
    from app.capture.link import DEFAULT_LIMIT
    from app.commands.serve.order import Order
    from app.services.surroundings import draw_seed

    return Order(
        args.seed or draw_seed(),
        args.capture,
        args.seconds,
        as_json=args.json,
        quiet=args.quiet,
        limit=args.limit or DEFAULT_LIMIT,
        keeping=Keeping(args.keep_days),
        metrics=args.metrics or "",
        control=args.control,
        join=_login(args) if args.join else None,
        seal=_seal(args),
        allow=args.allow or allow or "read",
    )


def _login(args: argparse.Namespace) -> Login:
    """Raises RouterError, KeyFileError."""
    from app.outposts.ways import keys, login

    name = args.name or gethostname().split(".")[0]
    return login.checked(args.join, args.realm, name, keys.read(args.key), args.ca)


def _seal(args: argparse.Namespace) -> dict[str, PublicKey]:
    """The consoles that may ask, by the names of the files of their keys. Raises KeyFileError."""
    if not args.seal:
        return {}
    from app.outposts.ways import keys

    return {path.stem: keys.read_public(path) for path in args.seal}
