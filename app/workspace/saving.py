"""Saves a workspace. Comments, order and notation of the old file stay where the values stay."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from app.alerts.mail import Mail
from app.errors import PostError
from app.faults.tables import FAULT
from app.files.replacing import replacing
from app.options import Options, kept
from app.services.config import ServiceConfig
from app.services.protocols import PROTOCOLS
from app.services.settings import OPTIONAL, SECTIONS
from app.trust.asks import digest_of
from app.workspace import errors, toml_lines
from app.workspace.message import Message
from app.workspace.reading import KEYS, VERSION, Workspace, text_of


def save(workspace: Workspace, path: Path | str) -> Workspace:
    """Write ``workspace`` to ``path``, whole or not at all. Comments in the old file stay.

    Returns the workspace with its new path. Raises WorkspaceUnwritableError.
    """
    file = Path(os.path.realpath(path))  # a symbolic link stays, and its target is written
    written = _written(workspace, _document(file))
    try:
        with replacing(file, 0o644) as out:
            out.write(written)
    except OSError as e:
        raise errors.WorkspaceUnwritableError(path=path, reason=e.strerror or e) from e
    return replace(workspace, path=Path(path), digest=digest_of(written))


def as_text(workspace: Workspace) -> bytes:
    """``workspace`` as a new file has it."""
    import tomlkit

    return _written(workspace, tomlkit.document())


def _written(workspace: Workspace, content: Any) -> bytes:
    """The file of a workspace, made of ``content``, the document that it replaces."""
    import tomlkit  # slow to load, and only saving needs it

    for key in set(content) - set(KEYS):
        del content[key]  # not of a workspace: the file was something else
    content["version"] = VERSION
    _fill_variables(content, workspace.variables)
    old = _named(content.get("service"))
    if old and list(old) == [service.name for service in workspace.services]:
        for service in workspace.services:
            _fill(old[service.name], service)
    else:
        tables = tomlkit.aot()
        for service in workspace.services:
            tables.append(_strip(_fill(old.get(service.name) or tomlkit.table(), service)))
        content.pop("service", None)
        if workspace.services:
            content["service"] = tables
    programs = [(one.every_key(), one.as_table()) for one in workspace.programs]
    _fill_named(content, "program", programs, [one.faults for one in workspace.programs])
    _fill_messages(content, workspace.messages)
    _fill_named(content, "watch", [(asdict(watch), watch.as_table()) for watch in workspace.watches])
    _fill_named(content, "alert", [(alert.every_key(), alert.as_table()) for alert in workspace.alerts])
    _fill_mail(content, workspace.mail)
    if workspace.allow:
        _fill_own_outpost(content, workspace.allow)
    else:
        _fill_named(content, "outpost", [(one.every_key(), one.as_table()) for one in workspace.outposts])
    return (tomlkit.dumps(content).rstrip("\n") + "\n").encode("utf-8", "replace")


def _document(file: Path) -> Any:
    """The file as it is now, with its comments; an empty document where it cannot be read."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    with contextlib.suppress(PostError, TOMLKitError, ValueError, RecursionError):
        source = text_of(file)
        toml_lines.loads(source)  # stricter than tomlkit
        return tomlkit.parse(source)
    return tomlkit.document()


def _named(tables: Any) -> dict[str, Any]:
    """The old tables of services by their names; {} where they are not written as ``[[service]]``, or share a name."""
    from tomlkit.items import AoT

    if not isinstance(tables, AoT):
        return {}
    named = {str(table.get("name")): table for table in tables}
    return named if len(named) == len(tables) else {}


def _fill(table: Any, service: ServiceConfig) -> Any:
    """Write ``service`` into ``table``; keys whose values are the same stay as they are written."""
    wanted: dict[str, Any] = {
        "name": service.name,
        "protocol": service.protocol,
        "listen": service.listen,
        "responder": service.responder,
        "autostart": service.autostart,
        "group": service.group,
        "seed": service.seed,
        "options": dict(service.options),
    } | {section: getattr(service, section) for section in SECTIONS}
    removed = {key for key in wanted if key in ("group", "seed", "options", *SECTIONS) and not wanted[key]} - OPTIONAL
    removed |= {section for section in OPTIONAL if wanted[section] is None}
    defaults = {"autostart": False, "responder": PROTOCOLS[service.protocol].default} if table else {}
    for key in set(table) - set(wanted) - {FAULT}:
        del table[key]
    for key, value in wanted.items():
        if key in removed:
            table.pop(key, None)
        elif key not in table and defaults.get(key) == value:
            continue  # the author left the default out
        elif key not in table or not _equal(table[key], value):
            table[key] = dict(value) if isinstance(value, Mapping) else value
    _fill_faults(table, service.faults)
    return table


def _fill_faults(service: Any, faults: Sequence[Options]) -> None:
    """Write the tables ``[[service.fault]]``; those that stay, or are edited, keep their comments."""
    import tomlkit
    from tomlkit.items import AoT

    old = service.get(FAULT, [])
    wanted = [dict(fault) for fault in faults]
    if _equal(old, wanted):
        return
    if not wanted:
        service.pop(FAULT)
        return
    tables = list(old) if isinstance(old, AoT) else []
    places = kept([table.unwrap() for table in tables], wanted)
    filled = [
        _fill_table(tomlkit.table() if place is None else tables[place], fault)
        for place, fault in zip(places, wanted, strict=True)
    ]
    if places == [*range(len(tables))]:
        return  # none was added, removed or moved
    made = tomlkit.aot()
    for table in filled:
        made.append(_strip(table))
    made[-1].add(tomlkit.nl())  # before what follows: another key, or another service
    service[FAULT] = made


def _fill_table(table: Any, wanted: Options) -> Any:
    """Have ``table`` hold what is ``wanted``; keys whose values are the same stay as they are written."""
    for key in set(table) - set(wanted) - {FAULT}:
        del table[key]
    for key, value in wanted.items():
        if key not in table or not _equal(table[key], value):
            table[key] = value
    return table


def _fill_variables(content: Any, variables: Mapping[str, str]) -> None:
    import tomlkit
    from tomlkit.items import Table

    old = content.get("variables", {})
    if _equal(old, dict(variables)):
        return
    if not variables:
        content.pop("variables", None)
    elif not isinstance(old, Table) or list(old) != list(variables):
        content.pop("variables", None)
        table = tomlkit.table()
        for name, value in variables.items():
            table[name] = value
        content["variables"] = table
    else:
        for name, value in variables.items():
            if not _equal(old[name], value):
                old[name] = value


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


def _fill_own_outpost(content: Any, allow: str) -> None:
    import tomlkit
    from tomlkit.items import Table

    old = content.get("outpost")
    if isinstance(old, Table):
        if not _equal(old.get("allow", "read"), allow):
            old["allow"] = allow
        return
    content.pop("outpost", None)
    table = tomlkit.table()
    table["allow"] = allow
    content["outpost"] = table


def _fill_mail(content: Any, mail: Mail | None) -> None:
    import tomlkit
    from tomlkit.items import Table

    old = content.get("mail")
    if mail is None:
        content.pop("mail", None)
    elif isinstance(old, Table):
        _fill_table(old, _as_before(mail.every_key(), mail.as_table(), old))
    else:
        content["mail"] = tomlkit.item(mail.as_table())


def _fill_named(
    content: Any, key: str, wanted: Sequence[tuple[Options, Options]], faults: Sequence[Sequence[Options]] = ()
) -> None:
    """Write the tables ``[[key]]``, each with all its keys and with those that are not defaults, by their names.

    ``faults``: the tables ``[[key.fault]]`` of each, where they can have some.
    Those that stay, or are edited, keep their comments; a default that the author has written stays.
    """
    import tomlkit

    old = _named(content.get(key))
    if wanted and list(old) == [given["name"] for given, _ in wanted]:
        for (given, short), failing in zip(wanted, chain(faults, repeat(())), strict=False):
            table = old[given["name"]]
            _fill_faults(_fill_table(table, _as_before(given, short, table)), failing)
        return
    tables = tomlkit.aot()
    for (given, short), failing in zip(wanted, chain(faults, repeat(())), strict=False):
        table = old.get(given["name"]) or tomlkit.table()
        _fill_faults(_fill_table(table, _as_before(given, short, table)), failing)
        tables.append(_strip(table))
    content.pop(key, None)
    if wanted:
        content[key] = tables


def _as_before(given: Options, short: Options, old: Any) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key in short or (key in old and _equal(old[key], value))}


def _strip(table: Any) -> Any:
    """The table without the empty lines at its end: tomlkit adds one with each table."""
    from tomlkit.items import AoT, Table, Whitespace

    lines = table.value.body
    while lines and isinstance(lines[-1][1], Whitespace):
        lines.pop()
    last = lines[-1][1] if lines else None
    if isinstance(last, AoT):
        last = last[-1]
    if isinstance(last, Table):
        _strip(last)
    return table


def _equal(old: Any, new: Any) -> bool:
    # In Python True == 1 == 1.0; in TOML these differ.
    old = old.unwrap() if hasattr(old, "unwrap") else old
    return bool(old == new) and repr(old) == repr(new)
