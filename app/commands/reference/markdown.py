"""Tables in Markdown: of declared options, and what their cells need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from app.options import Option


def options_table(declared: Iterable[Option], *, units: bool = False) -> str:
    """A row for each option; an option that holds tables has a row for each of their keys, too.

    With ``units``, defaults have theirs.
    """
    return "\n".join(["| key | default | |", "|---|---|---|", *_rows(declared, "", units=units)])


def _rows(declared: Iterable[Option], prefix: str, *, units: bool = False) -> Iterator[str]:
    for option in declared:
        words = plain(option.help)
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
    return f"`{plain(str(value))}`" if value else ""


def code(words: Iterable[str]) -> str:
    """Words as code, side by side."""
    return " ".join(f"`{word.rstrip(' {')}`" for word in words)


def plain(text: str) -> str:
    """A text as a cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ")
