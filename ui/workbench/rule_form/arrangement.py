"""How the options of a rule are arranged on its form: headed groups of rows. Rare rows are shown when they are set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from PyQt5.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from app.options import Option


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a form.

    Attributes:
        names: of the options whose editors stand in the row, side by side.
        label: shown at the left; "" for an option that takes the whole width.
        hint: shown in an empty editor of the first option.
        editor: a special editor of ``ui.workbench.rule_form.editors``; "" for the one of the option's type.
        between: a word before the second editor.
    """

    names: tuple[str, ...]
    label: str = ""
    hint: str = ""
    editor: str = ""
    between: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Rows under a title.

    Attributes:
        rare: rows that are hidden until they are set, or chosen from the menu of the button ``offer``.
        kinds: the option of choices that this menu offers, too; "" for none.
    """

    title: str
    rows: tuple[Row, ...]
    rare: tuple[Row, ...] = ()
    offer: str = ""
    kinds: str = ""


MOCK = (
    Group(
        QT_TRANSLATE_NOOP("Workbench", "Request"),
        (
            Row(
                ("method", "path"), QT_TRANSLATE_NOOP("Workbench", "Method, path"),
                QT_TRANSLATE_NOOP("Workbench", "any"), editor="method",
            ),
        ),
        (
            Row(
                ("query",), QT_TRANSLATE_NOOP("Workbench", "Query"),
                QT_TRANSLATE_NOOP("Workbench", "name=value, name~regex or name"),
            ),
            Row(
                ("fields",), QT_TRANSLATE_NOOP("Workbench", "Headers"),
                QT_TRANSLATE_NOOP("Workbench", "Name: value, Name~regex or Name"),
            ),
            Row(("body_is",), QT_TRANSLATE_NOOP("Workbench", "Body is")),
            Row(("body_regex",), QT_TRANSLATE_NOOP("Workbench", "Body matches"), r"\border\b"),
            Row(("body_json",), QT_TRANSLATE_NOOP("Workbench", "JSON in body"), '$.user.name = "Ada"'),
            Row(("call",), QT_TRANSLATE_NOOP("Workbench", "Only request number")),
            Row(("times",), QT_TRANSLATE_NOOP("Workbench", "Most times")),
        ),
        QT_TRANSLATE_NOOP("Workbench", "Condition"),
    ),
    Group(
        QT_TRANSLATE_NOOP("Workbench", "Answer"),
        (
            Row(
                ("status", "delay"), QT_TRANSLATE_NOOP("Workbench", "Status"), editor="status",
                between=QT_TRANSLATE_NOOP("Workbench", "after"),
            ),
            Row(
                ("answer_fields",), QT_TRANSLATE_NOOP("Workbench", "Headers"),
                QT_TRANSLATE_NOOP("Workbench", "Name: value, one in each line"),
            ),
            Row(("body", "template"), editor="body"),
        ),
        (
            Row(("reason",), QT_TRANSLATE_NOOP("Workbench", "Reason phrase")),
            Row(("file",), QT_TRANSLATE_NOOP("Workbench", "Body from file")),
            Row(("chunks",), QT_TRANSLATE_NOOP("Workbench", "Parts")),
            Row(("pause",), QT_TRANSLATE_NOOP("Workbench", "Pause between parts")),
            Row(("drop",), QT_TRANSLATE_NOOP("Workbench", "Drop")),
            Row(("log",), QT_TRANSLATE_NOOP("Workbench", "Log")),
        ),
        QT_TRANSLATE_NOOP("Workbench", "More"),
    ),
)  # fmt: skip

SCRIPT = (
    Group(
        QT_TRANSLATE_NOOP("Workbench", "When"),
        (
            Row(("when", "match"), QT_TRANSLATE_NOOP("Workbench", "When")),
            Row(("after",), QT_TRANSLATE_NOOP("Workbench", "Silence")),
        ),
        (Row(("nth",), QT_TRANSLATE_NOOP("Workbench", "Only number")),),
        QT_TRANSLATE_NOOP("Workbench", "Condition"),
        "when",
    ),
    Group(QT_TRANSLATE_NOOP("Workbench", "Then"), (Row(("then",), editor="steps"),)),
)

ARRANGED = {"mock": MOCK, "script": SCRIPT}
"""By the name of the responder whose option ``rules`` it is."""

NEW: dict[str, tuple[dict[str, Any], str]] = {
    "mock": ({"path": "/"}, "path"),
    "script": ({"when": "text", "then": ["send OK"]}, "match"),
}
"""A rule to begin with, by the same name, and the option that is typed first.

It takes little, so that it does not keep what other rules answer while it is typed.
"""

SWITCH = "on"
"""The option that switches a rule on or off; it has its place in the row of the rule."""


def arrangement(responder: str, declared: Iterable[Option]) -> tuple[Group, ...]:
    """The groups for the options of one rule. What has no place of its own stands in the last group."""
    declared = tuple(declared)
    known = {option.name for option in declared}
    groups = []
    placed = {SWITCH}
    for group in ARRANGED.get(responder, ()):
        rows = [row for row in group.rows if set(row.names) <= known]
        rare = [row for row in group.rare if set(row.names) <= known]
        placed |= {name for row in (*rows, *rare) for name in row.names}
        groups.append(Group(group.title, tuple(rows), tuple(rare), group.offer, group.kinds))
    rest = tuple(Row((option.name,)) for option in declared if option.name not in placed)
    if rest:
        groups.append(Group("" if not groups else QT_TRANSLATE_NOOP("Workbench", "Other"), rest))
    return tuple(groups)


def translated(text: str, n: int = -1) -> str:
    """A text of the tables of this page in the language of the window, with its number if it has one."""
    return QCoreApplication.translate("Workbench", text, "", n) if text else ""
