"""``listening-post check``: what is wrong with a workspace and what it asks for, without starting it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from app.commands.exit_codes import DONE, FAILED
from app.commands.printing import output
from app.text.escapes import json_line, one_line

if TYPE_CHECKING:
    from app.options import Mistake
    from app.services.config import ServiceConfig
    from app.workspace.reading import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("workspace", type=Path)
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object a line: problems, what it asks for, and hints"
    )


def run(args: argparse.Namespace) -> int:
    from app.commands.printing import asked
    from app.workspace import reading as workspace

    if not args.json:
        loaded = workspace.load(args.workspace, ready=True)
        services = loaded.services
        count = "1 service" if len(services) == 1 else f"{len(services)} services"
        programs, watches = len(loaded.programs), len(loaded.watches)
        if programs:
            count += ", 1 program" if programs == 1 else f", {programs} programs"
        if watches:
            count += ", 1 watch" if watches == 1 else f", {watches} watches"
        print(one_line(f"{args.workspace}: {count}, nothing wrong"))
        for line in asked.lines(loaded):
            print(line)
        for service, hint in _hints(loaded):
            output.warn(f"{service.name}, rule {(hint.table or 0) + 1}: {hint.key} {hint.text}")
        _print_plugin_problems()
        return DONE
    loaded, problems = workspace.examined(args.workspace)
    for problem in problems:
        found = {"file": str(args.workspace), "line": problem.line, "key": problem.key, "text": problem.text}
        print(json_line(found))
    for ask in asked.asks(loaded):
        told = {"file": str(args.workspace), "asks": ask.kind, "service": ask.service, "target": ask.target}
        print(json_line(told | {"text": ask.text}))
    for service, hint in _hints(loaded):
        where = {"service": service.name, "rule": (hint.table or 0) + 1, "key": hint.key}
        print(json_line({"file": str(args.workspace), **where, "hint": hint.text}))
    return FAILED if problems else DONE


def _hints(loaded: Workspace) -> Iterator[tuple[ServiceConfig, Mistake]]:
    """What in the rules of services is right and probably not meant."""
    from app.responders.rulebook import hints_of

    for service in loaded.services:
        for hint in hints_of(service.responder, service.protocol, service.options, loaded.variables):
            yield service, hint


def _print_plugin_problems() -> None:
    from app.plugin_loader.table import TABLE

    output.warn(TABLE.trust.trouble)
    for plugin in TABLE.all():
        if plugin.problem is not None:
            names = ", ".join(responder.name for responder in plugin.brings)
            output.warn(f"{names}: {plugin.problem}")
