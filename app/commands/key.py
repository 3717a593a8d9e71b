"""``listening-post key``: the key of an outpost or a console, with which it logs in to a router."""

from __future__ import annotations

import argparse
from pathlib import Path

from app.commands.exit_codes import DONE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Print the public key that belongs to the key in FILE. Where there is no such file, make a key, and write it"
        " there with mode 0600."
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="where the key is, or is to be")


def run(args: argparse.Namespace) -> int:
    from app.outposts.ways import keys

    key = keys.read(args.file) if args.file.exists() else keys.make(args.file)
    print(key.public)
    return DONE
