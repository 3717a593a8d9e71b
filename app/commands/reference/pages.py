"""Pages with blocks that are made from code, between ``<!-- name -->`` and ``<!-- end -->``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

Blocks = Mapping[str, Callable[[], str]]
"""What writes each block, by its name."""


def refreshed(page: str, blocks: Blocks) -> str:
    """The text ``page`` with each of ``blocks`` that it has replaced by the current one."""
    for name, write in blocks.items():
        block = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        page = block.sub(lambda match, write=write: f"{match[1]}{write()}\n{match[2]}", page)  # type: ignore[misc]
    return page


def refresh(names: Iterable[str], blocks: Blocks) -> None:
    """Write ``blocks`` anew into the files ``names``."""
    for name in names:
        page = Path(name)
        page.write_text(refreshed(page.read_text("utf-8"), blocks), "utf-8")
