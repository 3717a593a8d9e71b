"""``status``: another answer than the responder's. ``quota``: no answer for who asks too often."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from math import ceil
from typing import cast

from app.faults import RECEIVED, SENT, STREAMS, FaultKind
from app.faults.hits import Hit
from app.faults.targets import ExchangeTarget
from app.options import Mistake, Option, Options

PEER, SERVICE, FIELD = "peer", "service", "field"

MAX_COUNTED = 10_000
"""Peers, or values of a header, that a quota counts for at once; the one that began first is forgotten."""


LONGEST = 128
"""Characters of a value that is kept as it is; of a longer one, what is made of it by BLAKE2."""


def _status(hit: Hit) -> str:
    status = hit.options["status"]
    target = cast(ExchangeTarget, hit.target)
    target.answer(hit.piece, status, hit.options["body"], hit.options["retry_after"])
    return f"answered {status}"


def _quota(hit: Hit) -> str:
    most, seconds, by = hit.options["requests"], hit.options["per_seconds"], hit.options["by"]
    whose = hit.course.peer if by == PEER else ""
    target = cast(ExchangeTarget, hit.target)
    if by == FIELD:
        whose = target.field(hit.options["field"])
        if len(whose) > LONGEST:
            whose = blake2b(whose.encode("utf-8", "surrogateescape")).hexdigest()
    counted = hit.fault.kept
    began, count = counted.get(whose, (hit.now, 0))
    if hit.now >= began + seconds:
        began, count = hit.now, 0
        counted.pop(whose, None)
    counted[whose] = (began, count + 1)
    if len(counted) > MAX_COUNTED:
        del counted[next(iter(counted))]
    if count < most:
        return ""
    words = f"number {count + 1:,} of {most:,} in {seconds:g} s"
    if target.protocol_name != "http":
        hit.piece.withhold()
        return f"{words}, withheld"
    target.answer(hit.piece, hit.options["status"], "", ceil(began + seconds - hit.now))
    return f"{words}, answered {hit.options['status']}"


def _check_quota(values: Options, protocol: str, on: str) -> Iterator[Mistake]:
    if values["by"] == FIELD and protocol != "http":
        yield Mistake("by", f'"{FIELD}" is for http: messages have no headers')
    elif values["by"] == FIELD and not values["field"]:
        yield Mistake("field", f'is missing: by = "{FIELD}" counts by a header')


KINDS = (
    FaultKind(
        "status",
        "Answers with a status of its own instead of the responder",
        _status,
        ("http",),
        (SENT,),
        (
            Option("status", int, 503, "Status code", "", 200, 599),
            Option("retry_after", int, 0, "Seconds in a header Retry-After; 0: no such header", "s", 0, 86_400),
            Option("body", str, "", "Body; empty: the status in words", multiline=True),
        ),
    ),
    FaultKind(
        "quota",
        "Answers only a number of requests in a time, and further ones with a status; further messages are discarded",
        _quota,
        STREAMS,
        (RECEIVED,),
        (
            Option("requests", int, 10, "Number of requests or messages that pass in that time", "", 0, 1_000_000),
            Option(
                "per_seconds", float, 60.0,
                "Length of the time, which begins with the first of them", "s", 0.1, 86_400.0,
            ),
            Option("by", str, PEER,
            "What is counted separately: each address, the whole service, or each value of a header",
                choices=(PEER, SERVICE, FIELD)),
            Option(
                "field", str, "", "Name of the header, such as X-Api-Key", protocols=("http",), when=("by", (FIELD,)),
            ),
            Option("status", int, 429, "Status code of further requests", "", 200, 599, protocols=("http",)),
        ),
        ends=True,
        check=_check_quota,
    ),
)  # fmt: skip
