"""``listening-post export``: a capture in a format of other tools."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from app.commands import errors, output
from app.commands.exit_codes import DONE
from app.exports import formats
from app.files.errors import UnwritableError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("capture", type=Path)
    parser.add_argument("output", help="a file, whose ending tells the format, or - for standard output")
    parser.add_argument("--format", choices=formats.names(), help="pcapng for Wireshark, har, jsonl or csv")
    parser.add_argument("--filter", default="", metavar="FILTER", help="only events that fit, as with query")


def run(args: argparse.Namespace) -> int:
    from app.capture.filters import language as filters
    from app.capture.reading.store import Store
    from app.files.replacing import replacing

    chosen = args.format or Path(args.output).suffix.lstrip(".")
    exporter = formats.find(chosen)
    if exporter is None:
        raise errors.UnknownFormatError(output=args.output, known=", ".join(formats.names()))
    store = Store(args.capture)
    found = store.events(filters.parse(args.filter), *store.range())
    if args.output == "-":
        with output.raising_output_errors():
            exporter.write(found, sys.stdout.buffer)
        return DONE
    try:
        with replacing(Path(args.output)) as out:
            exporter.write(found, out)
    except OSError as e:
        raise UnwritableError(path=args.output, reason=e.strerror or e) from e
    return DONE
