"""``listening-post selftest``: whether this program is complete."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object for each check")


def run(args: argparse.Namespace) -> int:
    from app.commands import selftest_run
    from app.commands.running import choose_reactor

    return selftest_run.run(choose_reactor(), as_json=args.json)
