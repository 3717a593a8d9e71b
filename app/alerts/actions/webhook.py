"""``webhook URL``: JSON, by POST."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

from app.alerts import errors
from app.alerts.actions import Action
from app.alerts.means import Means
from app.alerts.told import Told
from app.errors import PostError
from app.sending.answer import Answer
from app.sending.errors import URLError
from app.sending.http import HTTPConversation
from app.sending.request import Request
from app.sending.url import URL, parse
from app.trust.asks import Ask

REDIRECTS = 3
"""Redirects that are followed, one after the other."""

MAX_ANSWER = 1 << 20
"""Bytes of an answer, which nobody reads."""

_FIELDS = (("Content-Type", "application/json"),)
_BUSY = (408, 425, 429)


async def _act(told: Told, text: str, means: Means) -> str:
    url = parse(text)
    data = json.dumps(told.as_json()).encode()
    for _ in range(REDIRECTS + 1):
        answer = await _post(url, data, means)
        if answer.status in (307, 308):
            url = _next(url, answer)
            continue
        if 200 <= answer.status < 300:
            return f"{url.address} answered {answer.status}"
        if answer.status >= 500 or answer.status in _BUSY:
            raise errors.BusyError(address=url.address, status=answer.status)
        advice = "Check the address in the alert." if answer.status < 400 else "Its own log may say why."
        raise errors.RefusedError(address=url.address, status=answer.status, advice=advice)
    raise errors.RedirectError(address=url.address, target=url.text, reason=f"more than {REDIRECTS} in a row")


async def _post(url: URL, data: bytes, means: Means) -> Answer:
    """Post once. Raises UnreachedError where no answer came."""
    conversation = HTTPConversation(Request(url, "POST", _FIELDS), means.sender)
    answers: list[Answer] = []
    size = 0

    def on_received(part: bytes) -> None:
        nonlocal size
        size += len(part)
        if size > MAX_ANSWER:
            conversation.abort()

    conversation.answered.connect(answers.append)
    conversation.received.connect(on_received)
    try:
        await conversation.connect()
        await conversation.send(data)
    finally:
        if answers:
            conversation.close()
        else:
            conversation.abort()
    if not answers:
        closed = conversation.closed
        # What sending advises, not to check certificates, is no choice here.
        reason = closed.reason.partition(" To send anyway")[0] if closed else f"{url.address} did not answer in time."
        raise errors.UnreachedError(reason=reason)
    return answers[0]


def _next(url: URL, answer: Answer) -> URL:
    """Where a redirect leads, if that is the same host. Raises RedirectError."""
    location = next((value for name, value in answer.fields if name.lower() == "location"), "")
    try:
        target = parse(urljoin(url.text, location))
    except (PostError, ValueError) as e:
        raise errors.RedirectError(address=url.address, target=location[:200], reason="that is not an address") from e
    if target.scheme not in ("http", "https") or target.host.lower() != url.host.lower():
        raise errors.RedirectError(address=url.address, target=target.address, reason="that is another host")
    if url.scheme == "https" and target.scheme == "http":
        raise errors.RedirectError(address=url.address, target=target.address, reason="it is without TLS")
    return target


def _check(text: str) -> str | None:
    try:
        url = parse(text)
    except URLError as e:
        return f"cannot send there: {e.fields['reason']}"
    return None if url.scheme in ("http", "https") else "needs a URL that begins with http:// or https://"


def _asks(text: str, _: Any) -> Iterator[Ask]:
    yield Ask("reach", "", text, f"sends to {text}")


ACTION = Action(
    "webhook",
    "POST the alert and its last event as JSON, without payload and headers",
    _act,
    "URL",
    "https://example.org/hook",
    check=_check,
    asks=_asks,
    resolves=True,
    far=True,
)
