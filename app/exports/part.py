"""A part of a capture: the same condition on events, and on HTTP exchanges."""

from __future__ import annotations

from dataclasses import dataclass

from app.capture.filters.fields import FIELDS
from app.capture.filters.language import EVERYTHING, Filter, named, parse
from app.capture.reading.exchange_rows import EXCHANGE_FIELDS
from app.events import HTTP_REQUEST, HTTP_RESPONSE

OF_EVENTS = frozenset({"kind", "direction", "payload"}) | {
    name for name, known in FIELDS.items() if not set(known.kinds) <= {HTTP_REQUEST, HTTP_RESPONSE}
}
"""Fields that exchanges do not have."""


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a capture is meant.

    Attributes:
        where: the condition on events.
        exchanges: the same on exchanges; None where the condition is about what only events have. Then an
            exchange fits if one of its events does.
    """

    where: Filter = EVERYTHING
    exchanges: Filter | None = EVERYTHING

    @classmethod
    def typed(cls, typed: str) -> Part:
        """What a filter means that somebody typed. Raises FilterError."""
        fields, text = named(typed)
        return cls(parse(typed), None if text or fields & OF_EVENTS else parse(typed, EXCHANGE_FIELDS))

    def __and__(self, other: Filter) -> Part:
        """``other`` is about what both have: service, connection, time."""
        return Part(self.where & other, None if self.exchanges is None else self.exchanges & other)


WHOLE = Part()
"""All of it."""
