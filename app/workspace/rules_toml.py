"""Rules of a service as text, to be copied and pasted: tables of TOML, as a workspace has them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from app import responders
from app.options import Mistake, Option, Options
from app.text.escapes import amount
from app.workspace import errors, toml_lines
from app.workspace.toml_lines import Path

HEADER = "[[service.options.rules]]"

MAX_SIZE = 4_000_000
"""Characters of a text that is looked at."""

MAX_PROBLEMS = 3
"""Problems that are told at once."""


def rules_to_toml(rules: Sequence[Options]) -> str:
    """The rules as tables ``[[service.options.rules]]``, with the keys that they have."""
    return tables_to_toml(HEADER, rules)


def tables_to_toml(header: str, tables: Sequence[Options]) -> str:
    """Tables below each other, each with this header."""
    return "\n".join(f"{header}\n{''.join(_pairs(table))}" for table in tables)


def rules_from_toml(source: str, responder: str, protocol: str) -> tuple[dict[str, Any], ...]:
    """The rules in a text, checked for the responder on ``protocol``.

    They may be tables ``[[service.options.rules]]``, ``[[rules]]``, all of a workspace, or the keys of one rule alone.
    Raises RulesUnreadableError, with line, key and words for what is wrong.
    """
    if len(source) > MAX_SIZE:
        raise errors.RulesUnreadableError(problems=f"The text is larger than {amount(MAX_SIZE)}.")
    found = responders.find(responder)
    declared = found.options_for(protocol) if found is not None else ()
    option = next((o for o in declared if o.name == "rules" and o.of), None)
    if option is None:
        raise errors.RulesUnreadableError(problems=f"{responder} has no rules on {protocol}.")
    try:
        data = toml_lines.loads(source)
    except toml_lines.NotTOMLError as e:
        raise errors.RulesUnreadableError(problems=f"Line {e.line}: {e}.") from e
    places = list(_tables(data))
    if not places:
        raise errors.RulesUnreadableError(problems=f"There are none in the text: write {HEADER} before each.")
    rules = [table for _, table in places]
    wrong = _problems(option, rules, [path for path, _ in places], source)
    if wrong:
        raise errors.RulesUnreadableError(problems=" ".join(wrong))
    return tuple(rules)


def _tables(data: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Each rule, with the path that leads to it."""
    if "service" not in data and "options" not in data and "rules" not in data:
        if data:
            yield (), data
        return
    yield from _among((), data)
    yield from _within(("options",), data.get("options"))
    services = data.get("service")
    for i, service in enumerate(services if isinstance(services, list) else [services]):
        path: Path = ("service", i) if isinstance(services, list) else ("service",)
        if isinstance(service, dict):
            yield from _within((*path, "options"), service.get("options"))


def _within(path: Path, options: Any) -> Iterator[tuple[Path, Any]]:
    if isinstance(options, dict):
        yield from _among(path, options)


def _among(path: Path, options: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    rules = options.get("rules", [])
    for i, rule in enumerate(rules if isinstance(rules, list) else [rules]):
        yield (*path, "rules", i), rule


def _problems(option: Option, rules: list[Any], paths: list[Path], source: str) -> list[str]:
    """What is wrong, each as a sentence with its line."""
    lines = toml_lines.lines_of(source)
    no_table = [i for i, rule in enumerate(rules) if not isinstance(rule, dict)]
    if no_table:
        return [f"Line {lines.get(paths[no_table[0]], 1)}: a rule is a table: write {HEADER} before its keys."]
    told = [(_line(mistake, paths, lines), mistake) for mistake in option.mistakes(rules)]
    told.sort(key=lambda pair: pair[0])
    words = [f"Line {line}: {f'{mistake.key} {mistake.text}'.strip().rstrip('.')}." for line, mistake in told]
    if len(words) > MAX_PROBLEMS:
        words[MAX_PROBLEMS:] = [f"And {len(words) - MAX_PROBLEMS:,} more."]
    return words


def _line(mistake: Mistake, paths: list[Path], lines: dict[Path, int]) -> int:
    if mistake.table is None:
        return 1
    path = paths[mistake.table]
    places = ((*path, mistake.key, mistake.item), (*path, mistake.key), path)
    return next((lines[place] for place in places if place in lines), 1)  # type: ignore[index]


# -- writing


def _pairs(rule: Options) -> Iterator[str]:
    for key, value in rule.items():
        yield f"{key} = {_value(value)}\n"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        items = [_value(item) for item in value]
        one = f"[{', '.join(items)}]"
        return one if len(one) <= 100 else "[\n" + "".join(f"    {item},\n" for item in items) + "]"
    return _text(value) if isinstance(value, str) else repr(value)


def _text(text: str) -> str:
    """A text of TOML: as it stands where that can be, so that JSON and backslashes stay readable."""
    text = text.encode("utf-8", "replace").decode()
    plain = all(character.isprintable() or character in "\n\t" for character in text)
    if plain and "\n" in text and "'''" not in text and not text.endswith("'"):
        return f"'''\n{text}'''"
    if plain and "\n" not in text and "'" not in text and ('"' in text or "\\" in text):
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
