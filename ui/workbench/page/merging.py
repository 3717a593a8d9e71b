"""Brings together what was typed on a page and what was changed elsewhere meanwhile. No Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from app.services.config import ServiceConfig

_ABSENT = object()


def merged(base: ServiceConfig, mine: ServiceConfig, theirs: ServiceConfig) -> ServiceConfig:
    """``theirs`` with what ``mine`` changed of ``base``. Where both changed the same, ``theirs`` holds."""
    if (base.protocol, base.responder) != (theirs.protocol, theirs.responder):
        return theirs
    if base.responder != mine.responder and base.options != theirs.options:
        return theirs  # the options of one responder are none of another
    names = [field.name for field in fields(ServiceConfig)]
    return replace(theirs, **{name: _value(*(getattr(one, name) for one in (base, mine, theirs))) for name in names})


def _value(base: Any, mine: Any, theirs: Any) -> Any:
    if mine == base:
        return theirs
    if theirs == base:
        return mine
    found = (base, mine, theirs)
    if all(isinstance(one, Mapping) for one in found):
        keys = dict.fromkeys((*theirs, *mine))
        both = {key: _value(*(one.get(key, _ABSENT) for one in found)) for key in keys}
        return {key: value for key, value in both.items() if value is not _ABSENT}
    if all(isinstance(one, list | tuple) for one in found):
        return type(theirs)(_items(*map(list, found)))
    return theirs


def _items(base: list[Any], mine: list[Any], theirs: list[Any]) -> list[Any]:
    if len(base) == len(mine) == len(theirs):
        return [_value(*items) for items in zip(base, mine, theirs, strict=True)]
    (start, end), (from_, to) = _changed(base, mine), _changed(base, theirs)
    of_mine, of_theirs = _between(base, mine, start, end), _between(base, theirs, from_, to)
    if to <= start:
        return [*base[:from_], *of_theirs, *base[to:start], *of_mine, *base[end:]]
    if end <= from_:
        return [*base[:start], *of_mine, *base[end:from_], *of_theirs, *base[to:]]
    return theirs


def _changed(base: Sequence[Any], other: Sequence[Any]) -> tuple[int, int]:
    """The part of ``base`` that ``other`` has something else for."""
    most = min(len(base), len(other))
    start = next((at for at in range(most) if base[at] != other[at]), most)
    kept = next((at for at in range(most - start) if base[-1 - at] != other[-1 - at]), most - start)
    return start, len(base) - kept


def _between(base: Sequence[Any], other: Sequence[Any], start: int, end: int) -> Sequence[Any]:
    return other[start : len(other) - (len(base) - end)]
