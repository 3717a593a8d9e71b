"""What came on a connection and what was sent in answer, or the other way round where we made the connection."""

from __future__ import annotations

from app import events
from app.capture.reading.turns import Turn, is_received
from app.events import Event
from app.text.escapes import preview
from ui.detail.facts import written_duration, written_size
from ui.detail.page import Subject
from ui.detail.sheet import visible
from ui.detail.sides import BETWEEN, Item, Joined, Side, Sides, by_rules, no_answer, reading, translate
from ui.looks.times import clock

PREVIEW = 200
"""Bytes of a message that its row shows."""

_STREAM = (events.DATA_RECEIVED, events.DATA_SENT)


def turn_sides(subject: Subject) -> Sides:
    """Both sides of the turn of an event, as far as it was read."""
    event, turn = subject.event, subject.turn
    if turn is None:
        turn = Turn((event,), ()) if is_received(event) else Turn((), (event,))
    ways = ("sent", "received") if turn.outgoing else ("received", "sent")
    if turn.asked:
        asked = _side(ways[0], turn.asked, event)
    else:
        asked = Side(_title(ways[0]), ways[0], words=_nothing_before(ways[0]) if subject.read else reading())
    if turn.answered:
        answered = _side(ways[1], turn.answered, event)
    else:
        answered = Side(_title(ways[1]), ways[1], words=no_answer(turn.ended) if subject.read else reading())
    return Sides(asked, answered, _timing(turn, ways))


def _title(way: str) -> str:
    return translate("Exchange", "Received") if way == "received" else translate("Exchange", "Sent")


def _nothing_before(way: str) -> str:
    if way == "received":
        return translate("Exchange", "Nothing was received before this")
    return translate("Exchange", "Nothing was sent before this")


def _side(way: str, found: tuple[Event, ...], current: Event) -> Side:
    size, rules = sum(len(event.payload or b"") for event in found), by_rules(found)
    name = translate("Exchange", "PAYLOAD")
    one = found[0]
    if len(found) == 1:
        opcode = one.detail.get("opcode")
        line = BETWEEN.join([*([visible(str(opcode))] if opcode is not None else []), written_size(size), *rules])
        return Side(_title(way), way, line, "dim", shown=Subject(one), name=name, event=one)
    items = [Item(_cells(event), Subject(event), event) for event in found]
    at = next((at for at, event in enumerate(found) if event.id == current.id), 0)
    if one.kind in _STREAM:  # where one piece ends means nothing
        joined = Joined(b"".join(event.payload or b"" for event in found))
        every, together = translate("Exchange", "all"), translate("Exchange", "all together")
        items.insert(0, Item((every, "", "", f"{size:,}", together), joined))
        count, at = translate("Exchange", "%n piece(s)", "", len(found)), 0
    else:
        count = translate("Exchange", "%n message(s)", "", len(found))
    line = BETWEEN.join([count, written_size(size), *rules])
    return Side(_title(way), way, line, "dim", shown=items[at].shown, name=name, items=items, current=at)


def _cells(event: Event) -> tuple[str, ...]:
    rule, payload = event.detail.get("rule"), event.payload or b""
    return (
        str(event.id),
        clock(event.time, 3),
        str(rule) if type(rule) is int else "",
        f"{len(payload):,}",
        preview(payload[:PREVIEW], len(payload)),
    )


def _timing(turn: Turn, ways: tuple[str, str]) -> str:
    parts = []
    for way, half in zip(ways, (turn.asked, turn.answered), strict=True):
        if half:
            text = (
                translate("Exchange", "received {time}") if way == "received" else translate("Exchange", "sent {time}")
            )
            parts.append(text.format(time=clock(half[0].time, 3)))
    text = "  →  ".join(parts)
    words = [text[:1].upper() + text[1:]]
    if turn.asked and turn.answered and (waited := turn.answered[0].time - turn.asked[-1].time) >= 0:
        words.append(translate("Exchange", "after {time}").format(time=written_duration(waited / 1e9)))
    words += by_rules((*turn.asked, *turn.answered))
    if turn.cut:
        words.append(translate("Exchange", "not all is shown here; Follow stream shows all"))
    return BETWEEN.join(words)
