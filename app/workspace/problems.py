"""What is wrong with a workspace file, each with its line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from app import options
from app.workspace import toml_lines

_ITEM = re.compile(r"number (\d+): (\w*)")
"""The start of the text of a problem with an item of a list: its number, and its key if it is a table."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a workspace: the line, the key ("" for none), and what would be right."""

    line: int
    key: str
    text: str

    def __str__(self) -> str:
        return f"{self.line}: {self.key}: {self.text}" if self.key else f"{self.line}: {self.text}"


class Problems:
    """Gathers what is wrong with a file.

    Attributes:
        found: in the order in which it was found.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self.found: list[Problem] = []

    def add(
        self,
        number: int | None,
        key: str,
        text: str,
        section: str = "",
        among: str = "service",
        inner: toml_lines.Path = (),
    ) -> None:
        """Report ``text`` of ``key``, in the table ``number`` of those called ``among``, or at the top (None).

        Args:
            section: the table in it that has the key.
            inner: leads from a list to the item; by default that which ``text`` names.
        """
        name = f"{section}.{key}" if section else key
        self.found.append(Problem(self.line(number, key, section, among, inner or _inner(text)), name, text))

    def mistake(self, i: int, mistake: options.Mistake, section: str = "", among: str = "service") -> None:
        """Report what is wrong with an option, at the line of its table, key and item."""
        inner = () if mistake.table is None else (mistake.table, mistake.key)
        item = () if mistake.item is None else (mistake.item,)
        self.add(i, mistake.option, str(mistake), section, among, (*inner, *item))

    def line(
        self, number: int | None, key: str, section: str = "", among: str = "service", inner: toml_lines.Path = ()
    ) -> int:
        """The line of ``key`` in the given service or message; where the key is missing, that of the table's header.

        For a list, the line of the item that ``inner`` leads to, as far as it does.
        """
        table = () if number is None else (among, number)
        path = (*table, section, key) if section else (*table, key)
        places = [(*path, *inner[:length]) for length in range(len(inner), -1, -1)]
        return next((self._lines[place] for place in (*places, table) if place in self._lines), 1)

    @cached_property
    def _lines(self) -> dict[toml_lines.Path, int]:
        return toml_lines.lines_of(self._source)


def _inner(text: str) -> toml_lines.Path:
    """Where in a list the item stands that ``text`` names."""
    item = _ITEM.match(text)
    return (int(item[1]) - 1, item[2]) if item else ()
