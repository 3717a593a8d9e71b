"""What is said of a fault: its figures and conditions in a line. No Qt widgets."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from PyQt5.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from app import faults
from app.faults import FaultKind
from app.faults.when import CONDITIONS
from app.options import Option
from app.text.escapes import amount, one_line
from ui.looks.declared import in_words
from ui.looks.english import form_of

MOST = 40
"""Characters of a value at the most."""

UNITS = ("_ms", "_seconds", "_bytes", "_per_second")
"""Ends of the names of options, which their values say, too."""

SIDES = {
    "connect": QT_TRANSLATE_NOOP("Faults", "on connect"),
    "received": QT_TRANSLATE_NOOP("Faults", "on received"),
    "sent": QT_TRANSLATE_NOOP("Faults", "on sent"),
}


def translate(text: str, n: int = -1) -> str:
    """A text of the context ``Faults``, with its number if it has one."""
    return QCoreApplication.translate("Faults", text, "", n)


def is_number(option: Option) -> bool:
    """Whether its value is a number."""
    return option.type in (int, float)


def is_share(option: Option) -> bool:
    """Whether it is a part of a whole, from 0 to 1, which is shown in per cent."""
    return option.type is float and option.minimum == 0.0 and option.maximum == 1.0


def kind_words(kind: str, on: str) -> str:
    """``delay on sent``."""
    return f"{kind} {translate(SIDES[on])}" if on in SIDES else kind


def count_words(hits: int) -> str:
    """``1 hit``, ``1,204 hits``."""
    return translate("{count:,} hit(s)", form_of(hits)).format(count=hits)


def summary(kind: FaultKind | None, table: Mapping[str, Any]) -> str:
    """The figures and conditions of a fault that are set, and its first figure: ``200 ± 50 ms, 30 %, nth 2``."""
    own = list(_own(kind.options, table, kind.figure)) if kind is not None else []
    if zero := at_zero(kind, table):
        own.insert(0, zero)
    return ", ".join((*own, *_set(CONDITIONS, table)))


def at_zero(kind: FaultKind | None, table: Mapping[str, Any]) -> str:
    """What a fault does whose first two figures are 0; empty where one is not, or that needs no word."""
    set_ = kind is None or any(table.get(option.name) for option in kind.options[:2])
    return "" if set_ or kind is None else in_words(kind.at_zero)


def title_lines(table: Mapping[str, Any]) -> tuple[str, str]:
    """The two lines of a fault: its name, or its kind; and what it does."""
    name = str(table.get("kind", ""))
    kind = faults.find(name)
    does = kind_words(name, str(table.get("on", kind.sides[0] if kind is not None else "")))
    figures = summary(kind, table)
    return str(table.get("name") or "") or name, f"{does} · {figures}" if figures else does


def conditions(table: Mapping[str, Any], shown: Container[str] = ()) -> str:
    """The conditions that are set, without those that are ``shown`` elsewhere: ``from 20 s, until 30 s``."""
    return ", ".join(_set(tuple(option for option in CONDITIONS if option.name not in shown), table))


def spreads(options: Iterable[Option]) -> dict[str, Option]:
    """Those that say how much another one varies, by the name of that: ``jitter_ms`` for ``ms``."""
    by_name = {option.name: option for option in options}
    found = {name: by_name[f"jitter_{name}"] for name in by_name if f"jitter_{name}" in by_name}
    return found | ({next(iter(by_name)): by_name["vary"]} if "vary" in by_name else {})


def _own(options: tuple[Option, ...], table: Mapping[str, Any], figure: str) -> Iterator[str]:
    varies = spreads(options)
    for at, option in enumerate(options):
        value = table.get(option.name, option.default)
        spread = table.get(varies[option.name].name) if option.name in varies else 0
        if option in varies.values():
            continue  # stands with what it is around
        if spread and isinstance(value, int | float):
            yield f"{value:,g} ± {written(option, spread)}"
        elif figure and at < 2:
            if value:
                yield in_words(figure).format(written(option, value))
        elif (at == 0 and value) or value != option.default:
            yield _with_label(option, value, bare=at == 0 and not option.name.startswith("after"))


def _set(options: tuple[Option, ...], table: Mapping[str, Any]) -> Iterator[str]:
    for option in options:
        value = table.get(option.name, option.default)
        if value == option.default:
            continue
        if option.name == "enabled":
            yield translate("off at first")
        else:
            yield _with_label(option, value, bare=option.name == "probability")


def _with_label(option: Option, value: Any, *, bare: bool) -> str:
    shown = written(option, value)
    return shown if bare else f"{label(option)} {shown}"


LABELS = {
    "ms": QT_TRANSLATE_NOOP("Faults", "time"),
    "bytes_per_second": QT_TRANSLATE_NOOP("Faults", "rate"),
}
"""Of options whose names say their unit alone."""


def label(option: Option) -> str:
    """The name of an option without its unit: ``jitter`` for ``jitter_ms``."""
    if option.name in LABELS:
        return translate(LABELS[option.name])
    name = option.name
    for unit in UNITS:
        name = name.removesuffix(unit)
    return in_words(name.replace("_", " "))


def written(option: Option, value: Any) -> str:
    """A value with its unit, as people write it."""
    if isinstance(value, bool):
        return in_words("yes") if value else in_words("no")
    if isinstance(value, list | tuple):
        return _cut(", ".join(map(str, value)))
    if not isinstance(value, int | float):
        return _cut(one_line(str(value)))
    if is_share(option):
        return f"{value * 100:g} %"
    if option.unit == "bytes":
        return amount(value)
    if option.unit == "bytes/s":
        return f"{amount(value)}/s ({bit_rate(value)})"
    return f"{value:,.10g} {in_words(option.unit)}".rstrip()


def bit_rate(bytes_per_second: float) -> str:
    """As networks are sold: ``780 kbit/s``."""
    bits = 8 * bytes_per_second
    if bits >= 999_500:
        return f"{bits / 1e6:,.4g} Mbit/s"
    return f"{bits / 1e3:,.4g} kbit/s" if bits >= 1_000 else f"{bits:,.4g} bit/s"


def _cut(text: str) -> str:
    return text if len(text) <= MOST else text[: MOST - 1] + "…"
