"""``listening-post query``: the events of a capture, one a line."""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path

from app.commands import arguments
from app.commands.exit_codes import DONE
from app.commands.printing import output
from app.text.escapes import json_line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("capture", type=Path)
    parser.add_argument(
        "filter",
        nargs="?",
        default="",
        help="for example: service == api and http.status >= 500; or a text to search for",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--count", action="store_true", help="print only the number of events")
    form.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument("--limit", type=arguments.count, metavar="N", help="print at most N")


def run(args: argparse.Namespace) -> int:
    from app.capture.filters import language as filters
    from app.capture.reading import losses
    from app.capture.reading.store import Store

    store = Store(args.capture)
    where = filters.parse(args.filter)
    missing = losses.lost(store, where)
    if args.count:
        count = store.count(where)
        print(count if args.limit is None else min(count, args.limit))
    else:
        for event in islice(store.events(where, *store.range()), args.limit):
            print(json_line(event.as_json()) if args.json else output.line(event))
    output.warn(missing.in_words())
    return DONE
