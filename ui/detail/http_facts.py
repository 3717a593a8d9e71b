"""The page HTTP: the line, headers, query, cookies, form, timing and body of a request or response."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from app import events
from app.http import forms
from app.http.contents import Content
from app.text import encodings
from ui.detail.facts import MAX_FACTS, Fact, shortened, written_duration, written_size, written_time
from ui.detail.page import Subject, fields_of
from ui.detail.pages.facts import FactsPage
from ui.detail.sheet import visible

MAX_PART = 200
"""Characters of the value of a multipart part that are shown."""


class HTTPPage(FactsPage):
    key, title = "http", "HTTP"
    content_name = "BODY"

    @staticmethod
    def fits(subject: Subject) -> bool:
        return subject.is_http

    def facts(self, subject: Subject) -> list[Fact]:
        asks = subject.event.kind == events.HTTP_REQUEST
        found = list(_request(subject) if asks else _response(subject))
        return found if len(found) <= MAX_FACTS else [*found[:MAX_FACTS], Fact("…", "and more")]


def _request(subject: Subject) -> Iterator[Fact]:
    detail = subject.event.detail
    yield Fact("request", _line(detail.get("method"), detail.get("target"), detail.get("version")))
    if subject.exchange is not None and (answer := subject.exchange.response) is not None:
        yield Fact("answer", f"{_line(answer.detail.get('status'), answer.detail.get('reason'))}  (event {answer.id})")
    elif subject.read:
        yield Fact("answer", "none, or not yet")
    fields = fields_of(subject.event)
    yield from _section("headers", fields)
    yield from _section("query", forms.query(str(detail.get("target", ""))))
    yield from _section("cookies", forms.cookies(fields))
    yield from _form(subject.content, fields)
    yield from _headed("timing", _timing(subject))


def _response(subject: Subject) -> Iterator[Fact]:
    detail = subject.event.detail
    yield Fact("answer", _line(detail.get("status"), detail.get("reason")))
    for name in ("refused", "cut"):
        if name in detail:
            yield Fact(name, visible(str(detail[name])))
    if subject.exchange is not None and (request := subject.exchange.request) is not None:
        asked = request.detail
        yield Fact("to", f"{_line(asked.get('method'), asked.get('target'))}  (event {request.id})")
    fields = fields_of(subject.event)
    yield from _section("headers", fields)
    set_ = ((name, "; ".join([value, *attributes])) for name, value, attributes in forms.set_cookies(fields))
    yield from _section("cookies set", set_)
    yield from _headed("timing", _timing(subject))


def _line(*words: object) -> str:
    return shortened(visible(" ".join(str(word) for word in words if word is not None)))


def _section(name: str, pairs: Iterable[Iterable[str]]) -> Iterator[Fact]:
    yield from _headed(name, (Fact(visible(key), shortened(visible(value)), 1) for key, value in pairs))


def _headed(name: str, facts: Iterable[Fact]) -> Iterator[Fact]:
    """Facts below a heading; without facts there is no heading."""
    found = list(facts)
    if found:
        yield Fact(name, None)
        yield from found


def _form(content: Content, fields: list[list[str]]) -> Iterator[Fact]:
    if content.kind == "application/x-www-form-urlencoded":
        yield from _section("form", forms.pairs(content.data[: 1 << 20].decode("utf-8", "replace")))
    elif content.kind.startswith("multipart/") and content.data:
        found = forms.parts(content.data, fields)
        yield from _section("parts", [(part.name or "(without a name)", _part(part)) for part in found])


def _part(part: forms.Part) -> str:
    size = written_size(len(part.data))
    if part.file is not None or not encodings.of_text(part.data):
        return ", ".join(
            word for word in (f"file {part.file}" if part.file is not None else "", part.kind, size) if word
        )
    text = part.data[: MAX_PART * 4].decode("utf-8", "replace")
    return text if len(text) <= MAX_PART else f"{text[:MAX_PART]}… ({size})"


def _timing(subject: Subject) -> Iterator[Fact]:
    event, exchange = subject.event, subject.exchange
    request = exchange.request if exchange is not None else None
    response = exchange.response if exchange is not None else None
    if request is not None or event.kind == events.HTTP_REQUEST:
        yield Fact("asked", written_time((request or event).time), 1)
    if exchange is not None and request is not None and exchange.first_byte is not None:
        yield Fact("first byte", f"after {written_duration((exchange.first_byte - request.time) / 1e9)}", 1)
    if response is None and event.kind == events.HTTP_RESPONSE:
        response = event
    if response is None:
        return
    seconds = response.detail.get("seconds")
    if request is not None:
        yield Fact("answered", f"after {written_duration((response.time - request.time) / 1e9)}", 1)
    elif isinstance(seconds, int | float):
        yield Fact("answered", f"after {written_duration(seconds)}", 1)
