"""The two sides of an exchange, as they are shown: request and answer, or what came and what was sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from PyQt5.QtCore import QCoreApplication

from app.events import ARROWS, Event
from app.http.contents import Content, kind_of
from ui.detail.facts import Fact
from ui.detail.page import Shown

translate = QCoreApplication.translate

BETWEEN = "   ·   "


@dataclass(frozen=True)
class Joined:
    """The bytes of several events, as they followed each other."""

    data: bytes
    noun: str = "payload"
    problem: str = ""

    @property
    def content(self) -> Content:
        return Content(self.data, len(self.data))

    @property
    def kind(self) -> str:
        return kind_of(self.content) if self.data else ""


@dataclass(frozen=True)
class Item:
    """One of several messages of a side. ``event`` is None for all of them together."""

    cells: tuple[str, ...]
    shown: Shown
    event: Event | None = None


@dataclass(frozen=True)
class Side:
    """One side of an exchange.

    Attributes:
        title: what it is: the request, the answer, what was received.
        way: ``received`` or ``sent``.
        line: its start line, or in words what it consists of; ``role`` is its colour.
        words: why there is nothing to show; empty if there is something.
        facts: what stands above the body.
        shown: the body, None if there is none; ``name`` is its heading.
        event: the event that it is.
        raw: first and last event of its bytes.
        items: its messages, if there are several; ``current`` is the one that is shown at first.
    """

    title: str
    way: str = ""
    line: str = ""
    role: str = ""
    words: str = ""
    facts: list[Fact] = field(default_factory=list)
    shown: Shown | None = None
    name: str = ""
    event: Event | None = None
    raw: tuple[int, int] | None = None
    items: Sequence[Item] = ()
    current: int = 0

    @property
    def heading(self) -> str:
        return f"{ARROWS[self.way]} {self.title.upper()}" if self.way else self.title.upper()


@dataclass(frozen=True)
class Sides:
    """Both sides, and in one line what lies between them."""

    asked: Side
    answered: Side
    timing: str


def reading() -> str:
    return translate("Exchange", "Reading…")


def no_answer(ended: str) -> str:
    """Why there is no answer. ``ended``: why the connection ended, if it did."""
    if not ended:
        return translate("Exchange", "No answer yet")
    return translate("Exchange", "There was no answer. The connection ended: {reason}").format(reason=ended)


def by_rules(found: Iterable[Event]) -> list[str]:
    """By which rules these events were sent, in words; none where no event says so."""
    numbers = dict.fromkeys(rule for event in found if type(rule := event.detail.get("rule")) is int)
    if not numbers:
        return []
    text = translate("Exchange", "by rule(s) {rule}", "", len(numbers))
    return [text.format(rule=", ".join(map(str, numbers)))]
