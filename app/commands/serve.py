"""``listening-post serve``: every service of a workspace, without a screen."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from app.commands import arguments, errors
from app.commands.exit_codes import WRONG_USAGE
from app.text.escapes import one_line


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
        help="switch a fault on or off at the start; SERVICE/NAME if several services have it; repeatable",
    )
    parser.add_argument(
        "--metrics",
        metavar="ADDRESS",
        help="serve /metrics, for Prometheus, and /healthz there: 127.0.0.1:9464",
    )
    parser.add_argument(
        "--control", type=Path, metavar="PATH", help="let listening-post control read and steer it through this socket"
    )
    parser.add_argument(
        "--allow", choices=("read", "control", "change"),
        help="what it may do there: read; control: also start, stop, fail, send (the default of a socket);"
        " change: also add and remove services",
    )  # fmt: skip
    parser.add_argument(
        "--trust", action="store_true", help="allow everything that the workspace asks for, for this run"
    )
    parser.add_argument("--trust-plugins", action="store_true", help="allow only plugins, for this run")


def run(args: argparse.Namespace) -> int:
    from app.capture.keeping.retention import Keeping
    from app.capture.link import DEFAULT_LIMIT
    from app.commands import fault_switches, serve_run
    from app.commands.running import choose_reactor
    from app.services.surroundings import draw_seed
    from app.workspace import reading as workspace

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
    return serve_run.run(
        reactor, loaded, args.capture, args.seconds,
        seed=args.seed or draw_seed(),
        as_json=args.json, quiet=args.quiet, limit=args.limit or DEFAULT_LIMIT, keeping=Keeping(args.keep_days),
        metrics=args.metrics or "",
        control=args.control, allow=args.allow or "control",
    )  # fmt: skip
