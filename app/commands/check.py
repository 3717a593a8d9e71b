"""``listening-post check``: what is wrong with a workspace and what it asks for, without starting it."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from app.commands import output
from app.commands.exit_codes import DONE, FAILED
from app.text.escapes import json_line, one_line

if TYPE_CHECKING:
    from app.services.config import ServiceConfig


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("workspace", type=Path)
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object a line: problems, and what it asks for"
    )


def run(args: argparse.Namespace) -> int:
    from app.commands import asked
    from app.workspace import reading as workspace

    if not args.json:
        loaded = workspace.load(args.workspace, ready=True)
        services = loaded.services
        count = "1 service" if len(services) == 1 else f"{len(services)} services"
        watches = len(loaded.watches)
        if watches:
            count += ", 1 watch" if watches == 1 else f", {watches} watches"
        print(one_line(f"{args.workspace}: {count}, nothing wrong"))
        for line in asked.lines(loaded):
            print(line)
        _print_hints(services)
        _print_plugin_problems()
        return DONE
    loaded, problems = workspace.examined(args.workspace)
    for problem in problems:
        found = {"file": str(args.workspace), "line": problem.line, "key": problem.key, "text": problem.text}
        print(json_line(found))
    for ask in asked.asks(loaded):
        told = {"file": str(args.workspace), "asks": ask.kind, "service": ask.service, "target": ask.target}
        print(json_line(told | {"text": ask.text}))
    return FAILED if problems else DONE


def _print_hints(services: Iterable[ServiceConfig]) -> None:
    """Warn of rules that are right and probably not meant."""
    from app.responders.rulebook import hints_of

    for service in services:
        for hint in hints_of(service.responder, service.protocol, service.options):
            rule = f"rule {(hint.table or 0) + 1}"
            output.warn(f"{service.name}, {rule}: {hint.key} {hint.text}")


def _print_plugin_problems() -> None:
    from app.plugin_loader.table import TABLE

    output.warn(TABLE.trust.trouble)
    for plugin in TABLE.all():
        if plugin.problem is not None:
            names = ", ".join(responder.name for responder in plugin.brings)
            output.warn(f"{names}: {plugin.problem}")
