"""How the options of a fault are arranged on its form: what it does, then when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from PyQt5.QtCore import QT_TRANSLATE_NOOP

from app import faults
from app.faults import tables
from app.faults.when import CONDITIONS
from app.options import Option
from ui.faults.words import UNITS
from ui.workbench.rule_form.arrangement import Group, Row

LABELS = {
    "on": QT_TRANSLATE_NOOP("Workbench", "Side"),
    "ms": QT_TRANSLATE_NOOP("Workbench", "Time"),
    "how": QT_TRANSLATE_NOOP("Workbench", "How"),
    "first": QT_TRANSLATE_NOOP("Workbench", "Only the first"),
    "nth": QT_TRANSLATE_NOOP("Workbench", "Only number"),
    "every": QT_TRANSLATE_NOOP("Workbench", "Every"),
    "match_regex": QT_TRANSLATE_NOOP("Workbench", "Match (RE2)"),
    "after_bytes": QT_TRANSLATE_NOOP("Workbench", "Only after"),
    "after_seconds": QT_TRANSLATE_NOOP("Workbench", "Only when older than"),
    "peer": QT_TRANSLATE_NOOP("Workbench", "Only peers"),
    "enabled": QT_TRANSLATE_NOOP("Workbench", "Acts from the start"),
    "ttl_seconds": QT_TRANSLATE_NOOP("Workbench", "Switches off after"),
}
"""Where the name of an option, without its unit, would not say it."""

SELDOM = ("enabled", "ttl_seconds", "seed")
"""What does not say when a fault hits."""

PAIRS = {"from_seconds": ("until_seconds", QT_TRANSLATE_NOOP("Workbench", "until"))}
"""What stands beside another option, and the word between."""


def arranged(table: Mapping[str, Any], protocol: str) -> tuple[dict[str, Option], tuple[Group, ...]]:
    """The options of a fault on ``protocol``, by name, and their groups."""
    kind = faults.find(str(table.get("kind", "")))
    if kind is None:
        return _unknown(table, protocol)
    options = {option.name: option for option in tables.options_of(kind, protocol)}
    options["kind"] = _fitting(options["kind"], protocol)
    own = [option.name for option in kind.options if option.name in options]
    rows = [Row(("name",), hint=kind.name), Row(("kind",))]
    rows += [_row("on")] if len(kind.sides) > 1 else []
    when = [option.name for option in CONDITIONS if option.name in options and option.name not in SELDOM]
    beside = {second for second, _ in PAIRS.values()}
    rare = tuple(_row(name) for name in when if name != "probability" and name not in beside)
    seldom = tuple(_row(name) for name in SELDOM if name in options)
    groups = (
        Group(QT_TRANSLATE_NOOP("Workbench", "What"), (*rows, *map(_row, own))),
        Group(
            QT_TRANSLATE_NOOP("Workbench", "When"), (_row("probability"),), rare,
            QT_TRANSLATE_NOOP("Workbench", "Condition"),
        ),
        Group(QT_TRANSLATE_NOOP("Workbench", "Switch and seed"), (), seldom, QT_TRANSLATE_NOOP("Workbench", "More")),
    )  # fmt: skip
    return options, groups


def _unknown(table: Mapping[str, Any], protocol: str) -> tuple[dict[str, Option], tuple[Group, ...]]:
    """A fault of a plugin that is not there: another kind can be chosen."""
    kind = Option("kind", str, "", "Kind of the fault")
    options = {"name": tables.NAME, "kind": _fitting(kind, protocol)}
    return options, (Group(QT_TRANSLATE_NOOP("Workbench", "What"), (Row(("name",)), Row(("kind",)))),)


def _fitting(kind: Option, protocol: str) -> Option:
    found = faults.fitting(protocol)
    return replace(kind, choices=tuple(one.name for one in found), helps=tuple(one.help for one in found))


def _row(name: str) -> Row:
    label = LABELS.get(name, "")
    if not label:
        plain = name
        for unit in UNITS:
            plain = plain.removesuffix(unit)
        label = (plain or name).replace("_", " ").capitalize()
    second, between = PAIRS.get(name, ("", ""))
    return Row((name, second) if second else (name,), label, between=between)


def with_kind(table: Mapping[str, Any], kind: str, protocol: str) -> dict[str, Any]:
    """``table`` as a fault of another kind: with what it can keep."""
    found = faults.find(kind)
    if found is None:
        return {**table, "kind": kind}
    options = {option.name: option for option in tables.options_of(found, protocol)}
    kept = {k: v for k, v in table.items() if k in options and options[k].problem(v) is None}
    return kept | {"kind": kind}
