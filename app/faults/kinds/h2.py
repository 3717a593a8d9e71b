"""``h2``: an HTTP/2 connection, or one of its streams, goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from app.faults import CONNECT, SENT, STREAMS_OF_HTTP2, FaultKind
from app.faults.hits import Hit
from app.faults.targets import ExchangeTarget
from app.options import Mistake, Option, Options

GOAWAY, RST_STREAM, NO_ACK, NO_WINDOW = "goaway", "rst-stream", "no-settings-ack", "no-window"


def _act(hit: Hit) -> str:
    how, code = hit.options["how"], hit.options["code"]
    target: Any = hit.target
    if how == NO_ACK:
        target.never_acknowledge()
        return "SETTINGS are never acknowledged"
    if how == NO_WINDOW:
        target.never_open_windows()
        return "windows are never opened"
    exchange = cast(ExchangeTarget, target)
    if how == GOAWAY:
        exchange.go_away(hit.piece, code)
        return f"GOAWAY with code {code}"
    exchange.reset_stream(hit.piece, code)
    return f"RST_STREAM with code {code}"


def _check(values: Options, protocol: str, on: str) -> Iterator[Mistake]:
    right = CONNECT if values["how"] in (NO_ACK, NO_WINDOW) else SENT
    if on != right:
        yield Mistake("on", f'must be "{right}" for how = "{values["how"]}"')


KIND = FaultKind(
    "h2",
    "Breaks an HTTP/2 connection or stream; HTTP/1 is left alone",
    _act,
    ("http",),
    (SENT, CONNECT),
    (
        Option(
            "how", str, GOAWAY,
            "GOAWAY or RST_STREAM instead of an answer; on connect, never acknowledge SETTINGS, or never open "
            "windows, so that the client cannot send a long body", choices=(GOAWAY, RST_STREAM, NO_ACK, NO_WINDOW),
        ),
        Option(
            "code", int, 2, "The error code: 0 no error, 2 internal error, 7 refused stream, 8 cancel,"
            " 11 enhance your calm", "", 0, 0xFFFFFFFF, when=("how", (GOAWAY, RST_STREAM)),
        ),
    ),
    level=STREAMS_OF_HTTP2,
    check=_check,
    tls=True,
)  # fmt: skip
