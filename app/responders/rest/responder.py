"""Serves collections of JSON documents: clients list, read, add, change and delete them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.errors import PostError
from app.files import confined as files
from app.responders import Context, Option, Options, Responder


def _http(options: Options, context: Context) -> Any:
    from app.responders.rest.resource import Rest

    return Rest(options, context)


def _names_problem(names: Any) -> str | None:
    wrong = next((name for name in names if not 0 < len(name) <= 255 or "/" in name), None)
    return None if wrong is None else f'"{wrong[:40]}" is not a name of a collection, such as things'


def _seed_problem(seed: Any, folder: Path) -> str | None:
    """Why this file cannot be used as the seed, or None. Blocks."""
    from app.responders.rest.storage import load

    try:
        load(folder, seed, None)
    except PostError as e:
        return f"is of no use: {e}"
    return None


def _matches(pattern: str, problem: str) -> Callable[[Any], str | None]:
    return lambda value: None if re.fullmatch(pattern, value) else problem


RESPONDER = Responder(
    "rest",
    "Keeps JSON documents in collections, with GET, POST, PUT, PATCH and DELETE",
    {"http": _http},
    (
        Option("collections", list, [], "Names of the allowed collections; empty: any", check=_names_problem),
        Option(
            "prefix", str, "", "Path before the collection's name, such as /api",
            check=_matches(r"(/[A-Za-z0-9._~-]+)*/?", "must be a path such as /api"),
        ),
        Option(
            "seed", str, "", "JSON file with the first documents, as {\"things\": [{\"id\": 1}]}",
            path="file", confined=True, missing=_seed_problem,
        ),
        Option(
            "keep", str, "", "SQLite file that keeps the documents; empty: memory only",
            path="new file", confined=True, missing=files.outside,
        ),
        Option("ids", str, "number", "Kind of id for new documents that have none", choices=("number", "uuid")),
        Option("page", int, 1000, "Documents per page; the Link header leads to the next page", "", 1, 100_000),
        Option("delay", float, 0.0, "Time to wait before each answer", "s", 0, 3600),
        Option("read_only", bool, False, "Refuse every change"),
    ),
    guarded=True,
)  # fmt: skip
