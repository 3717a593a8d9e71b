"""``listening-post export``: a capture in a format of other tools."""

from __future__ import annotations

import argparse
from pathlib import Path

from app.commands import errors
from app.commands.exit_codes import DONE
from app.commands.printing import output
from app.exports import formats
from app.files.errors import UnwritableError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("capture", type=Path)
    parser.add_argument("output", help="a file, whose ending is the format, or - for standard output")
    parser.add_argument("--format", choices=formats.names(), help="pcapng for Wireshark, har, jsonl or csv")
    parser.add_argument("--filter", default="", metavar="FILTER", help="only events that match, as in query")


def run(args: argparse.Namespace) -> int:
    from app.capture.reading.store import Store
    from app.exports.part import Part
    from app.exports.selection import Selection
    from app.files.replacing import replacing

    chosen = args.format or Path(args.output).suffix.lstrip(".")
    exporter = formats.find(chosen)
    if exporter is None:
        raise errors.UnknownFormatError(output=args.output, known=", ".join(formats.names()))
    selection = Selection(Store(args.capture), exporter, Part.typed(args.filter))
    if args.output == "-":
        with output.raising_output_errors():
            selection.write(output.binary())
    else:
        try:
            with replacing(Path(args.output)) as out:
                selection.write(out)
        except OSError as e:
            raise UnwritableError(path=args.output, reason=e.strerror or e) from e
    output.warn(selection.lost.in_words())
    return DONE
