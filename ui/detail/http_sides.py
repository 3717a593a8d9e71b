"""Request and answer of HTTP."""

from __future__ import annotations

from app import events
from app.events import Event
from ui.detail.facts import written_duration
from ui.detail.http_facts import http_facts, line_of
from ui.detail.page import Subject
from ui.detail.sides import BETWEEN, Side, Sides, by_rules, no_answer, reading, translate
from ui.looks.statuses import role_of_status
from ui.looks.times import clock


def http_sides(subject: Subject) -> Sides:
    """Both sides of the exchange of a request or response, as far as it was read."""
    event, exchange = subject.event, subject.exchange
    request, response = (event, None) if event.kind == events.HTTP_REQUEST else (None, event)
    raw: tuple[tuple[int, int] | None, tuple[int, int] | None] = (None, None)
    ended = ""
    if exchange is not None:
        request, response = request or exchange.request, response or exchange.response
        raw, ended = (exchange.raw_asked, exchange.raw_answered), exchange.ended
    outgoing = bool(event.detail.get("outgoing"))
    ways = ("sent", "received") if outgoing else ("received", "sent")
    title = translate("Exchange", "Request")
    if request is not None:
        asked = _side(title, ways[0], request, subject, raw[0])
    else:
        asked = Side(title, ways[0], words=_why_no_request(subject), raw=raw[0])
    title = translate("Exchange", "Answer")
    if response is not None:
        answered = _side(title, ways[1], response, subject, raw[1])
    else:
        answered = Side(title, ways[1], words=no_answer(ended) if subject.read else reading(), raw=raw[1])
    return Sides(asked, answered, _timing(subject, request, response))


def _why_no_request(subject: Subject) -> str:
    if not subject.read:
        return reading()
    if "refused" in subject.event.detail:
        return translate("Exchange", "The request was refused before it was read")
    return translate("Exchange", "The request is not in the capture, or too far away to be found")


def _side(title: str, way: str, event: Event, subject: Subject, raw: tuple[int, int] | None) -> Side:
    shown = Subject(event, subject.exchange, subject.read)
    return Side(
        title,
        way,
        line_of(event),
        "" if event.kind == events.HTTP_REQUEST else _role(event.detail.get("status")),
        facts=http_facts(event, shown.content),
        shown=None if shown.empty and not shown.content.data else shown,
        name=translate("Exchange", "BODY"),
        event=event,
        raw=raw,
    )


def _role(status: object) -> str:
    if not isinstance(status, int):
        return ""
    role = role_of_status(status)
    return "error" if role == "bad" else role


def _timing(subject: Subject, request: Event | None, response: Event | None) -> str:
    exchange, parts = subject.exchange, []
    if request is not None:
        outgoing = request.detail.get("outgoing")
        text = translate("Exchange", "Sent {time}") if outgoing else translate("Exchange", "Received {time}")
        parts.append(text.format(time=clock(request.time, 3)))
    if response is not None:
        text = translate("Exchange", "answered {time}") if parts else translate("Exchange", "Answered {time}")
        parts.append(text.format(time=clock(response.time, 3)))
    words = ["  →  ".join(parts)]
    seconds = response.detail.get("seconds") if response is not None else None
    if response is not None and request is not None:
        seconds = (response.time - request.time) / 1e9
    if isinstance(seconds, int | float):
        words.append(translate("Exchange", "after {time}").format(time=written_duration(seconds)))
    if exchange is not None and request is not None and exchange.first_byte is not None:
        first = written_duration((exchange.first_byte - request.time) / 1e9)
        words.append(translate("Exchange", "first byte after {time}").format(time=first))
    if response is not None:
        words += by_rules([response])
    return BETWEEN.join(words)
