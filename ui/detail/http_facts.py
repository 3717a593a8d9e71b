"""The facts of a request or response: headers, query, cookies, form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from PyQt5.QtCore import QCoreApplication

from app import events
from app.events import Event
from app.http import forms
from app.http.contents import Content
from ui.detail.facts import MAX_FACTS, Fact, shortened
from ui.detail.page import fields_of
from ui.detail.sheet import visible


def line_of(event: Event) -> str:
    """The start line of a request or response."""
    detail = event.detail
    names = ("method", "target", "version") if event.kind == events.HTTP_REQUEST else ("status", "reason")
    return shortened(visible(" ".join(str(detail[name]) for name in names if detail.get(name) is not None)))


def http_facts(event: Event, content: Content | None) -> list[Fact]:
    """What there is to say of a request or response beside its start line and its body, at most ``MAX_FACTS``."""
    found = list(_request(event, content) if event.kind == events.HTTP_REQUEST else _response(event))
    if len(found) > MAX_FACTS:
        found[MAX_FACTS:] = [Fact("…", QCoreApplication.translate("http_facts", "and more"))]
    return found


def _request(event: Event, content: Content | None) -> Iterator[Fact]:
    fields = fields_of(event)
    yield from _section("headers", fields)
    yield from _section("query", forms.query(str(event.detail.get("target", ""))))
    yield from _section("cookies", forms.cookies(fields))
    if content is not None and content.kind == "application/x-www-form-urlencoded":
        yield from _section("form", forms.pairs(content.data[: 1 << 20].decode("utf-8", "replace")))


def _response(event: Event) -> Iterator[Fact]:
    for name in ("refused", "cut"):
        if name in event.detail:
            yield Fact(name, visible(str(event.detail[name])))
    fields = fields_of(event)
    yield from _section("headers", fields)
    set_ = ((name, "; ".join([value, *attributes])) for name, value, attributes in forms.set_cookies(fields))
    yield from _section(QCoreApplication.translate("Facts", "cookies set"), set_)


def _section(name: str, pairs: Iterable[Iterable[str]]) -> Iterator[Fact]:
    """Facts below a heading; without facts there is no heading."""
    found = [Fact(visible(key), shortened(visible(value)), 1) for key, value in pairs]
    if found:
        yield Fact(name, None)
        yield from found
