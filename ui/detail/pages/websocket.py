"""The page WebSocket: the opening handshake, a message, or the close."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from PyQt5.QtCore import QCoreApplication

from app import events
from app.websocket.close_codes import OPCODES, meaning
from ui.detail.facts import NOTHING, Fact, detail_facts, shortened, written_size
from ui.detail.page import Subject
from ui.detail.pages.facts import FactsPage
from ui.detail.sheet import visible


class WebSocketPage(FactsPage):
    key, title = "websocket", "WebSocket"
    content_name = "PAYLOAD"

    @staticmethod
    def fits(subject: Subject) -> bool:
        return subject.event.kind in (events.WS_OPENED, events.WS_MESSAGE, events.WS_CLOSED)

    def facts(self, subject: Subject) -> list[Fact]:
        event = subject.event
        if event.kind == events.WS_OPENED:
            return detail_facts(replace(event, detail={**event.detail, "extensions": _extensions(event.detail)}))
        return list(_message(subject) if event.kind == events.WS_MESSAGE else _closed(event.detail))


def _extensions(detail: dict[str, Any]) -> list[str]:
    """The negotiated extensions, in the syntax of the header (RFC 7692, section 7.1)."""
    found = detail.get("extensions")
    return [_extension(str(one)) for one in found] if isinstance(found, list) else []


def _extension(text: str) -> str:
    """Convert autobahn's ``PerMessageDeflate(is_server = True, server_max_window_bits = 12, ...)`` to that syntax.

    Any other text is returned unchanged.
    """
    match = re.fullmatch(r"PerMessageDeflate\((.*)\)", text)
    if match is None:
        return text
    words = ["permessage-deflate"]
    for pair in match[1].split(", "):
        name, _, value = pair.partition(" = ")
        if name.startswith(("server_", "client_")) and value != "False":
            words.append(name if value == "True" else f"{name}={value}")
    return "; ".join(words)


def _message(subject: Subject) -> Iterator[Fact]:
    detail = subject.event.detail
    opcode = str(detail.get("opcode", ""))
    number = f"  ({OPCODES[opcode]:#x})" if opcode in OPCODES else ""
    yield Fact("opcode", f"{visible(opcode) or NOTHING}{number}")
    yield Fact("direction", visible(str(detail.get("direction", NOTHING))))
    yield Fact("size", written_size(len(subject.event.payload or b"")))
    yield Fact(
        "payload",
        QCoreApplication.translate("WebSocketPage", "the message itself: unmasked, decompressed, its frames joined"),
    )


def _closed(detail: dict[str, Any]) -> Iterator[Fact]:
    both = None not in (detail.get("their_code"), detail.get("our_code"))
    if detail.get("clean"):
        how = QCoreApplication.translate("WebSocketPage", "cleanly: both sides sent a close frame")
    elif both:
        how = QCoreApplication.translate("WebSocketPage", "broke the rules of the protocol")
    else:
        how = QCoreApplication.translate("WebSocketPage", "without a closing handshake")
    yield Fact("closed", how)
    yield from _code("code", detail.get("code"), detail.get("reason"))
    for side, words in (
        ("their", QCoreApplication.translate("WebSocketPage", "the client said")),
        ("our", QCoreApplication.translate("WebSocketPage", "we said")),
    ):
        yield Fact(words, None)
        yield from _code("code", detail.get(f"{side}_code"), detail.get(f"{side}_reason"), 1)


def _code(name: str, code: object, reason: object, depth: int = 0) -> Iterator[Fact]:
    if not isinstance(code, int):
        yield Fact(name, NOTHING, depth)
    else:
        yield Fact(name, str(code), depth)
        yield Fact("meaning", meaning(code), depth)
    if reason:
        yield Fact("reason", shortened(visible(str(reason))), depth)
