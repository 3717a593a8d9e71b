"""The tables of the pages in ``docs``, made from what the code declares."""

from __future__ import annotations

import argparse
import re
import sqlite3
from contextlib import closing

from app import events, faults, responders
from app.alerts.actions import all_actions
from app.capture import schema
from app.capture.filters.completion import operators
from app.capture.filters.fields import FIELDS
from app.commands import table
from app.commands.reference import error_tables, workspace_tables
from app.commands.reference.markdown import code, options_table, plain
from app.faults.presets import PRESETS
from app.faults.when import CONDITIONS
from app.limits import LIMITS
from app.metrics.declared import METRICS
from app.services.protocols import PROTOCOLS
from app.text.checksums import CRCS
from app.text.framing import FRAMINGS, LONGEST


def fault_table() -> str:
    """A row for each kind of fault."""
    rows = []
    for kind in faults.built_in().values():
        sides = ", ".join(kind.sides)
        rows.append(f"| [`{kind.name}`](#{kind.name}) | {_fits(kind)} | {sides} | {plain(kind.help)} |")
    return "\n".join(["| kind | for | on | |", "|---|---|---|---|", *rows])


def fault_kinds() -> str:
    """For each kind of fault: what it does, what it fits, and a table of its options."""
    parts = []
    for kind in faults.built_in().values():
        first, *others = (f"`{side}`" for side in kind.sides)
        sides = f"{first} (the default) or {' or '.join(others)}" if others else f"{first} alone"
        fits = f"On {sides}; for {_fits(kind)}{', with TLS' if kind.tls else ''}."
        options = f"\n\n{options_table(kind.options, units=True)}" if kind.options else ""
        parts.append(f"### `{kind.name}`\n\n{plain(kind.help)}. {fits}{options}")
    return "\n\n".join(parts)


def _fits(kind: faults.FaultKind) -> str:
    return ", ".join(name for name in PROTOCOLS if name in kind.protocols)


def fault_conditions() -> str:
    """The conditions that each fault can have."""
    return options_table(CONDITIONS, units=True)


def fault_presets() -> str:
    """A row for each network, with its figures."""
    rows = (f"| {preset.name} | {plain(preset.figures)} | {plain(preset.help)} |" for preset in PRESETS)
    return "\n".join(["| network | to the client / from it | |", "|---|---|---|", *rows])


def filter_fields() -> str:
    """A row for each field that a filter can name."""
    rows = (f"| `{f.name}` | {f.type} | {f.help} | {code(operators(f))} |" for f in FIELDS.values())
    return "\n".join(["| field | holds | | compared with |", "|---|---|---|---|", *rows])


def responder_table() -> str:
    """A row for each of our responders."""
    rows = []
    for name in responders.built_in():
        found = responders.find(name)
        assert found is not None
        rows.append(f"| `{name}` | {', '.join(found.builders)} | {plain(found.help)} |")
    return "\n".join(["| responder | for | |", "|---|---|---|", *rows])


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
        rows.append(f"| `{plain(shown + value)}` | {plain(action.help or '')} |")
    more = ["", "```", *parser.epilog.splitlines(), "```"] if parser.epilog and "\n" in parser.epilog else []
    return "\n".join([f"## `{name}`", "", f"{does[:1].upper()}{does[1:]}.", "", "```", usage, "```", "", *rows, *more])


def alert_actions() -> str:
    """A row for each thing that an alert can do."""
    rows = (
        f"| `{f'{action.name} {action.argument}'.strip()}` | {plain(action.help)}"
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
        f"| `{limit.name}` | {plain(limit.meaning)} | {code(('limit', 'value', *limit.keys))} |"
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
    listed = [f"| {_single(name)} | {_single(plain(words))} |" for name, words in pairs]
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        schema.create(db)
        sql = ";\n".join(text for (text,) in db.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL"))
    return "\n".join(["| table | holds |", "|---|---|", *listed, "", "```sql", f"{sql};", "```"])


def _single(text: str) -> str:
    return text.replace("``", "`")


def crcs() -> str:
    """A row for each width of CRC, with the names of its kinds."""
    by_width: dict[str, list[str]] = {}
    for name in CRCS:
        by_width.setdefault(name.partition("/")[0], []).append(name)
    rows = (f"| {width.upper()} | {code(names)} |" for width, names in by_width.items())
    return "\n".join(["| width | names |", "|---|---|", *rows])


def framings() -> str:
    """A row for each way to say where a message ends."""
    rows = []
    for framing in FRAMINGS.values():
        own = "; ".join(f"`{option.name}`: {plain(option.help)}" for option in framing.options if option != LONGEST)
        rows.append(f"| `{framing.name}` | {framing.ends} | {own} |")
    return "\n".join(["| `framing` | a message ends | options |", "|---|---|---|", *rows])


def metrics() -> str:
    rows = [
        f"| `{metric.name}` | {metric.type} | {code(metric.labels)} | {metric.meaning} {metric.more}".rstrip() + " |"
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
    "responder-options": workspace_tables.responder_options,
    "protocol-options": workspace_tables.protocol_options,
    "sections": workspace_tables.sections,
    "commands": commands,
    "workspace-keys": workspace_tables.workspace_keys,
    "alert-keys": workspace_tables.alert_keys,
    "alert-actions": alert_actions,
    "event-kinds": event_kinds,
    "limits": limit_table,
    "capture-tables": capture_tables,
    "errors": error_tables.tables,
    "crcs": crcs,
    "framings": framings,
    "metrics": metrics,
}
