"""The tables of the pages in ``docs``, made from what the code declares.

``python -m app.commands.reference PAGE …`` writes them into the pages; a test compares.
"""

from __future__ import annotations

import argparse
import re
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from app import events, faults, responders
from app.alerts.actions import all_actions
from app.alerts.alert import ALERT
from app.alerts.mail import MAIL
from app.capture import schema
from app.capture.filters.completion import operators
from app.capture.filters.fields import FIELDS
from app.commands import error_reference, table
from app.faults.presets import PRESETS
from app.faults.tables import MAX_FAULTS
from app.faults.when import CONDITIONS
from app.limits import LIMITS
from app.metrics.declared import METRICS
from app.options import Option
from app.programs.config import PROGRAM
from app.services import settings
from app.services.protocols import PROTOCOLS
from app.text.checksums import CRCS
from app.text.framing import FRAMINGS, LONGEST
from app.watch.config import WATCH
from app.workspace import reading as workspace
from app.workspace.message import MESSAGE
from app.workspace.outposts import OUTPOST, OWN


def fault_table() -> str:
    """A row for each kind of fault."""
    rows = []
    for kind in faults.built_in().values():
        sides = ", ".join(kind.sides)
        rows.append(f"| [`{kind.name}`](#{kind.name}) | {_fits(kind)} | {sides} | {_plain(kind.help)} |")
    return "\n".join(["| kind | for | on | |", "|---|---|---|---|", *rows])


def fault_kinds() -> str:
    """For each kind of fault: what it does, what it fits, and a table of its options."""
    parts = []
    for kind in faults.built_in().values():
        first, *others = (f"`{side}`" for side in kind.sides)
        sides = f"{first} (the default) or {' or '.join(others)}" if others else f"{first} alone"
        fits = f"On {sides}; for {_fits(kind)}{', with TLS' if kind.tls else ''}."
        options = f"\n\n{options_table(kind.options, units=True)}" if kind.options else ""
        parts.append(f"### `{kind.name}`\n\n{_plain(kind.help)}. {fits}{options}")
    return "\n\n".join(parts)


def _fits(kind: faults.FaultKind) -> str:
    return ", ".join(name for name in PROTOCOLS if name in kind.protocols)


def fault_conditions() -> str:
    """The conditions that each fault can have."""
    return options_table(CONDITIONS, units=True)


def fault_presets() -> str:
    """A row for each network, with its figures."""
    rows = (f"| {preset.name} | {_plain(preset.figures)} | {_plain(preset.help)} |" for preset in PRESETS)
    return "\n".join(["| network | to the client / from it | |", "|---|---|---|", *rows])


def filter_fields() -> str:
    """A row for each field that a filter can name."""
    rows = (f"| `{f.name}` | {f.type} | {f.help} | {_code(operators(f))} |" for f in FIELDS.values())
    return "\n".join(["| field | holds | | compared with |", "|---|---|---|---|", *rows])


def responder_table() -> str:
    """A row for each of our responders."""
    rows = []
    for name in responders.built_in():
        found = responders.find(name)
        assert found is not None
        rows.append(f"| `{name}` | {', '.join(found.builders)} | {_plain(found.help)} |")
    return "\n".join(["| responder | for | |", "|---|---|---|", *rows])


def responder_options() -> str:
    """For each responder that has options, a table of its options."""
    parts = []
    for name in responders.built_in():
        found = responders.find(name)
        assert found is not None
        if found.options:
            parts.append(f"### `{name}`\n\n{_plain(found.help)}.\n\n{options_table(_merged(found.options))}")
    return "\n\n".join(parts)


def protocol_options() -> str:
    """For each protocol, a table of the options that each of its services has."""
    parts = []
    for protocol in PROTOCOLS.values():
        if protocol.options:
            parts.append(f"### {protocol.title}\n\n{options_table(protocol.options)}")
    return "\n\n".join(parts)


def sections() -> str:
    """The tables ``tls``, ``limits`` and ``socket`` of a service."""
    parts = [f"### `[service.{name}]`\n\n{options_table(declared)}" for name, declared in settings.SECTIONS.items()]
    return "\n\n".join(parts)


def commands() -> str:
    """For each command: one line about it, its usage, and a table of its arguments."""
    parts = [_command("listening-post", "open the window", table.window_parser())]
    [action] = [a for a in table.command_parser(*table.COMMANDS)._actions if isinstance(a, argparse._SubParsersAction)]
    for name, help in table.COMMANDS.items():
        parts.append(_command(f"listening-post {name}", help, action.choices[name]))
    return "\n\n".join(parts)


def _command(name: str, does: str, parser: argparse.ArgumentParser) -> str:
    usage = " ".join(parser.format_usage().split()).removeprefix("usage: ").replace(" [-h]", "")
    rows = ["| | |", "|---|---|"]
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        shown = ", ".join(action.option_strings) or str(action.metavar or action.dest).upper()
        takes = action.metavar or (f"{{{','.join(map(str, action.choices))}}}" if action.choices else "")
        value = f" {takes}" if action.option_strings and takes else ""
        rows.append(f"| `{_plain(shown + value)}` | {_plain(action.help or '')} |")
    more = ["", "```", *parser.epilog.splitlines(), "```"] if parser.epilog and "\n" in parser.epilog else []
    return "\n".join([f"## `{name}`", "", f"{does[:1].upper()}{does[1:]}.", "", "```", usage, "```", "", *rows, *more])


def workspace_keys() -> str:
    """The keys of a service, of a saved message and of a watch."""
    service = "\n".join(
        ["| key | |", "|---|---|", *(f"| `{key}` | {_plain(words)} |" for key, words in _SERVICE.items())]
    )
    faults = (
        "| `fault` | none | tables `[[message.fault]]`: [how its connection fails](faults.md#a-client-that-fails) |"
    )
    messages = f"### `[[message]]`\n\n{options_table(MESSAGE)}\n{faults}"
    of_ports = "| `fault` | none | tables `[[program.fault]]`: [how its ports fail](program.md#3-in-the-window) |"
    programs = f"### `[[program]]`\n\n{options_table(PROGRAM)}\n{of_ports}"
    watches = f"### `[[watch]]`\n\n{options_table(WATCH)}"
    return "\n\n".join((f"### `[[service]]`\n\n{service}", messages, programs, watches, _outposts()))


def _outposts() -> str:
    return f"### `[[outpost]]`\n\n{options_table(OUTPOST)}\n\n### `[outpost]`\n\n{options_table(OWN)}"


_SERVICE = {
    "name": f"**needed**; one line of at most {workspace.MAX_NAME} characters, each service its own",
    "protocol": f"**needed**; one of {', '.join(f'`{name}`' for name in PROTOCOLS)}",
    "listen": '**needed**; address and port, as `"127.0.0.1:9007"` or `"[::1]:9007"`. Port 0 takes a free one',
    "responder": "how it answers; " + ", ".join(f"`{p.default}` for {name}" for name, p in PROTOCOLS.items()),
    "autostart": "start it with the window (no)",
    "group": f"the heading under which the window lists it; one line of at most {workspace.MAX_NAME} characters",
    "seed": "of the draws of its faults; 0: that of the run (0)",
    "options": "the responder's own, and the protocol's",
    "fault": f"tables `[[service.fault]]`, at most {MAX_FAULTS}: see [faults](faults.md)",
    **{name: f"see `[service.{name}]`" for name in settings.SECTIONS},
}


def alert_keys() -> str:
    """The keys of an alert and of the mail settings."""
    return f"### `[[alert]]`\n\n{options_table(ALERT)}\n\n### `[mail]`\n\n{options_table(MAIL)}"


def alert_actions() -> str:
    """A row for each thing that an alert can do."""
    rows = (
        f"| `{f'{action.name} {action.argument}'.strip()}` | {_plain(action.help)}"
        f"{'; also when it is resolved' if action.resolves else ''} |"
        for action in all_actions().values()
    )
    return "\n".join(["| action | |", "|---|---|", *rows])


def event_kinds() -> str:
    """A row for each kind of event."""
    rows = (f"| `{kind.name}` | {kind.meaning} | {_keys_of(kind)} |" for kind in events.KINDS.values())
    return "\n".join(["| kind | | detail |", "|---|---|---|", *rows])


def limit_table() -> str:
    """A row for each limit that an event can name."""
    rows = (
        f"| `{limit.name}` | {_plain(limit.meaning)} | {_code(('limit', 'value', *limit.keys))} |"
        for limit in LIMITS.values()
    )
    return "\n".join(["| limit | | detail |", "|---|---|---|", *rows])


def _keys_of(kind: events.Declaration) -> str:
    """What the detail of this kind has, as a sentence."""
    always, sometimes = (", ".join(f"`{key}`" for key in keys) for keys in (kind.always, kind.sometimes))
    parts = [always, f"sometimes {sometimes}" if sometimes else "", "what its writer adds" if kind.more else ""]
    return "; ".join(filter(None, parts))


def capture_tables() -> str:
    """What the tables of a capture hold, from the docstring of ``schema``, and the SQL that makes them."""
    assert schema.__doc__ is not None
    _, _, table, _ = re.split(r"^=+ +=+\n", schema.__doc__, flags=re.MULTILINE)
    rows = re.sub(r"\n {3,}", " ", table).strip().splitlines()
    pairs = (row.split(maxsplit=1) for row in rows)
    listed = [f"| {_single(name)} | {_single(_plain(words))} |" for name, words in pairs]
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        schema.create(db)
        sql = ";\n".join(text for (text,) in db.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL"))
    return "\n".join(["| table | holds |", "|---|---|", *listed, "", "```sql", f"{sql};", "```"])


def _single(text: str) -> str:
    return text.replace("``", "`")


def options_table(declared: Iterable[Option], *, units: bool = False) -> str:
    """A row for each option; an option that holds tables has a row for each of their keys, too.

    With ``units``, defaults have theirs.
    """
    return "\n".join(["| key | default | |", "|---|---|---|", *_rows(declared, "", units=units)])


def _rows(declared: Iterable[Option], prefix: str, *, units: bool = False) -> Iterator[str]:
    for option in declared:
        words = _plain(option.help)
        if option.protocols:
            words += f" ({', '.join(option.protocols)})"
        if option.when:
            values = " or ".join("empty" if value in ("", []) else _written(value) for value in option.when[1])
            words += f", where `{option.when[0]}` is {values}"
        if option.choices:
            words += f": {', '.join(f'`{choice}`' if choice else 'nothing' for choice in option.choices)}"
        needed = f"**needed**, or `{option.instead}`" if option.instead else "**needed**"
        default = needed if option.required else _default(option)
        if units and option.unit:
            default += f" {option.unit}"
        yield f"| `{prefix}{option.name}` | {default} | {words} |"
        yield from _rows(option.of, f"{prefix}{option.name}.")


def _default(option: Option) -> str:
    return "none" if option.of or option.default in ([], {}) else _written(option.default)


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:,g}".replace("e+0", "e") if value < 10**6 else f"{value:,}"
    return f"`{_plain(str(value))}`" if value else ""


def _merged(options: Iterable[Option]) -> list[Option]:
    """Make one option of those with the same name and help that are declared for several protocols separately."""
    found: dict[tuple[str, str], Option] = {}
    for option in options:
        first = found.setdefault((option.name, option.help), option)
        if first is not option:
            found[option.name, option.help] = replace(first, protocols=first.protocols + option.protocols)
    return list(found.values())


def _code(words: Iterable[str]) -> str:
    return " ".join(f"`{word.rstrip(' {')}`" for word in words)


def _plain(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def crcs() -> str:
    """A row for each width of CRC, with the names of its kinds."""
    by_width: dict[str, list[str]] = {}
    for name in CRCS:
        by_width.setdefault(name.partition("/")[0], []).append(name)
    rows = (f"| {width.upper()} | {_code(names)} |" for width, names in by_width.items())
    return "\n".join(["| width | names |", "|---|---|", *rows])


def framings() -> str:
    """A row for each way to say where a message ends."""
    rows = []
    for framing in FRAMINGS.values():
        own = "; ".join(f"`{option.name}`: {_plain(option.help)}" for option in framing.options if option != LONGEST)
        rows.append(f"| `{framing.name}` | {framing.ends} | {own} |")
    return "\n".join(["| `framing` | a message ends | options |", "|---|---|---|", *rows])


def metrics() -> str:
    rows = [
        f"| `{metric.name}` | {metric.type} | {_code(metric.labels)} | {metric.meaning} {metric.more}".rstrip() + " |"
        for metric in METRICS.values()
    ]
    return "\n".join(["| metric | type | labels | |", "|---|---|---|---|", *rows])


BLOCKS = {
    "faults": fault_table,
    "fault-kinds": fault_kinds,
    "fault-conditions": fault_conditions,
    "fault-presets": fault_presets,
    "filter-fields": filter_fields,
    "responders": responder_table,
    "responder-options": responder_options,
    "protocol-options": protocol_options,
    "sections": sections,
    "commands": commands,
    "workspace-keys": workspace_keys,
    "alert-keys": alert_keys,
    "alert-actions": alert_actions,
    "event-kinds": event_kinds,
    "limits": limit_table,
    "capture-tables": capture_tables,
    "errors": error_reference.tables,
    "crcs": crcs,
    "framings": framings,
    "metrics": metrics,
}


def refreshed(page: str, blocks: Mapping[str, Callable[[], str]] = BLOCKS) -> str:
    """The text ``page`` with each block between ``<!-- name -->`` and ``<!-- end -->`` replaced by the current one."""
    for name, write in blocks.items():
        block = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        page = block.sub(lambda match, write=write: f"{match[1]}{write()}\n{match[2]}", page)  # type: ignore[misc]
    return page


if __name__ == "__main__":
    for name in sys.argv[1:]:
        page = Path(name)
        page.write_text(refreshed(page.read_text("utf-8")), "utf-8")
