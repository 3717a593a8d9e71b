"""What an outpost does with its services when a console asks to see, add, change or remove them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from app import responders
from app.options import Option
from app.outposts.errors import RefusedError
from app.post import Post
from app.services import settings
from app.services.config import ServiceConfig
from app.services.protocols import PROTOCOLS
from app.text.escapes import one_line
from app.workspace import reading, saving

_VERSION = re.compile(r"^\s*version\s*=", re.MULTILINE)
"""The first line of a whole workspace."""

MOST_PROBLEMS = 10
"""Mistakes of what is put that are told."""

MOST_WORDS = 500
"""Characters of each."""

_SECTIONS = ("options", *settings.SECTIONS)


def table_of(config: ServiceConfig) -> tuple[str, tuple[str, ...]]:
    """The table ``[[service]]`` of a service in TOML, without its secrets; and what these are called."""
    without, left_out = config, []
    for section, given in _sections(config):
        found = _secrets(config, section) & set(given)
        if found:
            left_out += [f"{section}.{key}" for key in sorted(found)]
            rest = {key: value for key, value in given.items() if key not in found}
            without = replace(without, **{section: rest})  # type: ignore[arg-type]
    text = saving.as_text(reading.Workspace((without,))).decode()
    return _VERSION.sub("", text, count=1).split("\n", 1)[1].strip("\n") + "\n", tuple(left_out)


def services_in(toml: str) -> dict[str, ServiceConfig]:
    """The services of tables ``[[service]]``, by name. Raises RefusedError, with what is wrong."""
    whole = _VERSION.search(toml) is not None
    asked, problems = reading.parse(toml if whole else f"version = {reading.VERSION}\n{toml}")
    if problems:
        lines = [f"line {replace(problem, line=problem.line - (not whole))}" for problem in problems[:MOST_PROBLEMS]]
        if more := len(problems) - len(lines):
            lines.append(f"and {more:,} more")
        raise RefusedError(reason="; ".join(one_line(line[:MOST_WORDS]) for line in lines))
    if not asked.services or replace(asked, services=()) != reading.Workspace():
        raise RefusedError(reason="Put takes services alone: tables that begin with [[service]]")
    return {config.name: config for config in asked.services}


async def put(post: Post, given: Mapping[str, ServiceConfig], *, start: bool, keep: bool) -> None:
    """Add these services, or have those of the same names be so; ``keep``: with the secrets that they have.

    It is not the user's own word: what asks for more than was allowed before is held.
    """
    state = post.state()
    if taken := given.keys() & {program.name for program in state.programs}:
        raise RefusedError(reason=f"A program is called {', '.join(sorted(taken))}. Give each service its own name")
    if keep:
        old = {config.name: config for config in state.services}
        given = {name: _with_secrets(new, old[name]) if name in old else new for name, new in given.items()}
    kept = [given.get(config.name, config) for config in state.services]
    added = [config for name, config in given.items() if name not in post.services]
    names = [config.name for config in added] if start else ()
    await post.become(replace(state, services=(*kept, *added)), start=names, by_user=False)


def _sections(config: ServiceConfig) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for section in _SECTIONS:
        if given := getattr(config, section):
            yield section, given


def _secrets(config: ServiceConfig, section: str) -> set[str]:
    """The keys of the secret options that a section of this service may have."""
    return {option.name for option in _declared(config, section) if option.secret}


def _declared(config: ServiceConfig, section: str) -> Iterable[Option]:
    if section != "options":
        return settings.declared(section, config.protocol)
    found = responders.find(config.responder)
    return (*PROTOCOLS[config.protocol].options, *(found.options_for(config.protocol) if found is not None else ()))


def _with_secrets(new: ServiceConfig, old: ServiceConfig) -> ServiceConfig:
    """``new`` with the secrets of ``old`` that it may have and does not give. A responder has none of another's."""
    if new.protocol != old.protocol:
        return new
    for section, had in _sections(old):
        given = getattr(new, section)
        if given is None:
            continue  # it has no TLS any more
        both = _secrets(new, section) & _secrets(old, section)
        if section == "options" and new.responder != old.responder:
            both &= {option.name for option in PROTOCOLS[new.protocol].options}
        kept = {key: had[key] for key in both & set(had) - set(given)}
        if kept:
            new = replace(new, **{section: {**given, **kept}})  # type: ignore[arg-type]
    return new
