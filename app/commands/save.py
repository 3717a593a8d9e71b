"""``listening-post save``: a copy of a capture, whole, redacted or filtered."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from app.commands.exit_codes import DONE, FAILED
from app.commands.printing import output


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("capture", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--without-payloads", action="store_true", help="leave out all payloads, but keep their sizes")
    parser.add_argument("--redact", action="store_true", help="remove Authorization, Proxy-Authorization and cookies")
    parser.add_argument(
        "--pattern", metavar="P", action="append", default=[],
        help="also remove what this regular expression matches, or its groups; implies --redact; repeatable",
    )  # fmt: skip
    parser.add_argument("--filter", default="", metavar="FILTER", help="only events that match, as in query")


def run(args: argparse.Namespace) -> int:
    from app.capture.filters import language as filters
    from app.capture.keeping import saving

    redacted = args.redact or bool(args.pattern)
    how = saving.Saving(filters.parse(args.filter), not args.without_payloads, redacted, tuple(args.pattern))
    shown = sys.stderr.isatty()

    def progress(done: int, of: int) -> None:
        if shown:
            print(f"\r{100 * done // max(1, of):3} %", end="", file=sys.__stderr__, flush=True)

    try:
        saved = saving.save(args.capture, args.output, how, progress)
    except KeyboardInterrupt:
        print("\nlistening-post: cancelled, nothing was saved", file=sys.stderr)
        return FAILED
    finally:
        print("\r     \r" if shown else "", end="", file=sys.__stderr__)
    print(f"{args.output}: {saved.events:,} events, {saved.bytes:,} bytes")
    output.warn(saved.lost)
    if redacted:
        print(saving.CANNOT_SEE, file=sys.stderr)
    return DONE
