"""``listening-post selftest``: whether this program is complete."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object for each check")


def run(args: argparse.Namespace) -> int:
    from app.commands.running import choose_reactor
    from app.commands.selftest import running

    return running.run(choose_reactor(), as_json=args.json)
