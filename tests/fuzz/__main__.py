"""Feeds the targets until they break, or the time is over.

python -m tests.fuzz [NAME ...] [--seconds S] [--seed N] [--json]
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from tests.fuzz.engine import fuzz
from tests.fuzz.targets import TARGETS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Feeds parsers with mutated inputs.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these: {', '.join(TARGETS)}")
    parser.add_argument("--seconds", type=float, default=60.0, metavar="S", help="for each target")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="others give other inputs")
    parser.add_argument("--json", action="store_true", help="print one JSON object for each")
    args = parser.parse_args()
    if unknown := [name for name in args.names if name not in TARGETS]:
        parser.error(f"no such target: {', '.join(unknown)}")
    broken = False
    for name in args.names or TARGETS:
        outcome = fuzz(TARGETS[name], args.seconds, args.seed)
        broken |= bool(outcome.broken)
        print(
            json.dumps(asdict(outcome)) if args.json else f"{name:<24} {outcome.count:>9,} inputs  {outcome.broken}",
            flush=True,
        )
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
