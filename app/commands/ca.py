"""``listening-post ca``: the local authority that signs certificates for TLS."""

from __future__ import annotations

import argparse
from pathlib import Path

from app.commands.exit_codes import DONE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--trust", action="store_true", help="print the commands that make each system trust the authority"
    )
    parser.add_argument("--export", type=Path, metavar="FILE", help="write the authority's certificate to FILE")
    parser.add_argument("--client", type=Path, metavar="FILE", help="write a client certificate and its key to FILE")
    parser.add_argument(
        "--any-name", action="store_true", help="make a new authority that may sign for any name, not only local ones"
    )


def run(args: argparse.Namespace) -> int:
    from app.files import folders
    from app.services.tls import authority

    data = folders.data_folder()
    found = authority.renew(data, any_name=True) if args.any_name else authority.of(data)
    if args.export:
        found.export(args.export)
    if args.client:
        found.export_client(args.client)
    for line in authority.described(found, trust=args.trust):
        print(line)
    return DONE
