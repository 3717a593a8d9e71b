"""Saving workspaces, so that what people wrote into the file stays as they wrote it."""

from __future__ import annotations

import contextlib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.errors import PostError
from app.files.replacing import replacing
from app.services.config import ServiceConfig
from app.services.protocols import PROTOCOLS
from app.services.settings import SECTIONS
from app.workspace import errors
from app.workspace.message import Message
from app.workspace.reading import VERSION, Workspace, text_of


def save(workspace: Workspace, path: Path | str) -> Workspace:
    """Write ``workspace`` to ``path``, whole or not at all; comments in the old file stay.

    Returns it with its new path. Raises WorkspaceUnwritableError.
    """
    import tomlkit  # slow to load, and only saving needs it

    file = Path(os.path.realpath(path))  # of a link, what it links to
    content = _document(file)
    for key in set(content) - {"version", "service", "message"}:
        del content[key]  # the file was something else: nothing in it is ours
    content["version"] = VERSION
    was = _named(content.get("service"))
    if was and list(was) == [service.name for service in workspace.services]:
        for service in workspace.services:
            _fill(was[service.name], service)
    else:
        tables = tomlkit.aot()
        for service in workspace.services:
            tables.append(_strip(_fill(was.get(service.name) or tomlkit.table(), service)))
        content.pop("service", None)
        if workspace.services:
            content["service"] = tables
    _fill_messages(content, workspace.messages)
    try:
        with replacing(file, 0o644) as out:
            out.write(tomlkit.dumps(content).encode("utf-8", "replace"))
    except OSError as e:
        raise errors.WorkspaceUnwritableError(path=path, reason=e.strerror or e) from e
    return replace(workspace, path=Path(path))


def _document(file: Path) -> Any:
    """What the file says now, comments included; nothing where it cannot be read."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    with contextlib.suppress(PostError, TOMLKitError, ValueError, RecursionError):
        source = text_of(file)
        tomllib.loads(source)  # stricter than tomlkit
        return tomlkit.parse(source)
    return tomlkit.document()


def _named(tables: Any) -> dict[str, Any]:
    """The old tables of services by their names; none where they are not as ours are."""
    from tomlkit.items import AoT

    if not isinstance(tables, AoT):
        return {}
    named = {str(table.get("name")): table for table in tables}
    return named if len(named) == len(tables) else {}


def _fill(table: Any, service: ServiceConfig) -> Any:
    wanted: dict[str, Any] = {
        "name": service.name,
        "protocol": service.protocol,
        "listen": service.listen,
        "responder": service.responder,
        "autostart": service.autostart,
        "options": dict(service.options),
    } | {section: getattr(service, section) for section in SECTIONS}
    gone = {key for key in wanted if key in ("options", *SECTIONS) and not wanted[key]} - {"tls"}
    if service.tls is None:
        gone.add("tls")
    left_out = {"autostart": False, "responder": PROTOCOLS[service.protocol].default} if table else {}
    for key in set(table) - set(wanted):
        del table[key]
    for key, value in wanted.items():
        if key in gone:
            table.pop(key, None)
        elif key not in table and left_out.get(key) == value:
            continue  # as its author wanted it
        elif key not in table or not _equal(table[key], value):
            table[key] = dict(value) if isinstance(value, Mapping) else value
    return table


def _fill_messages(content: Any, messages: tuple[Message, ...]) -> None:
    import tomlkit

    wanted = [message.as_table() for message in messages]
    if _equal(content.get("message", []), wanted):
        return
    content.pop("message", None)
    if wanted:
        tables = tomlkit.aot()
        for table in wanted:
            tables.append(tomlkit.item(table))
        content["message"] = tables


def _strip(table: Any) -> Any:
    """The table without the empty lines at its end: tomlkit adds one with each."""
    from tomlkit.items import Table, Whitespace

    lines = table.value.body
    while lines and isinstance(lines[-1][1], Whitespace):
        lines.pop()
    if lines and isinstance(lines[-1][1], Table):
        _strip(lines[-1][1])
    return table


def _equal(old: Any, new: Any) -> bool:
    # True == 1 == 1.0 in Python, and not in TOML.
    old = old.unwrap() if hasattr(old, "unwrap") else old
    return bool(old == new) and repr(old) == repr(new)
