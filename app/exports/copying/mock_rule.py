"""An exchange as a rule of the responder ``mock``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from app.exports.copying.request import headers_of
from app.responders.mock.rules import BODILESS, split_field

if TYPE_CHECKING:
    from app.capture.reading.exchange_at import Exchanged


def as_rule(found: Exchanged) -> tuple[dict[str, Any], list[str]]:
    """The rule of the responder ``mock`` that answers this request so, and what it leaves out."""
    rule: dict[str, Any] = {}
    left: list[str] = []
    if found.request is not None:
        rule["method"] = str(found.request.detail.get("method", ""))
        rule["path"] = _pattern(str(found.request.detail.get("target", "/")))
    response = found.response
    if response is None:
        return rule, ["There was no answer to take over."]
    status = response.detail.get("status")
    rule["status"] = status if isinstance(status, int) and 200 <= status <= 599 else 200
    rule["answer_fields"] = [text for name, value in headers_of(response) if (text := _answer_field(name, value))]
    content = found.answered
    if content is None or not content.data or rule["status"] in BODILESS:
        if content is None and response.size:
            left.append("The body of the answer is not in the capture.")
        return rule, left
    try:
        rule["body"] = content.data.decode()
    except UnicodeDecodeError:
        left.append("The body of the answer is not UTF-8 text: save it, and name the file in the rule.")
    if content.cut:
        left.append("The body of the answer is cut.")
    return rule, left


def _pattern(target: str) -> str:
    """The path as a rule has it: decoded, or where that would mean something else, as an expression."""
    path = re.sub(r"^[a-z]+://[^/?]*", "", target.partition("?")[0], flags=re.IGNORECASE) or "/"
    plain = unquote(path)
    same_parts = plain.startswith("/") and plain.count("/") == path.count("/")
    if same_parts and plain.isprintable() and not set(plain) & {*"{}\ufffd"}:
        return plain
    return f"~^{re.escape(path)}$"


def _answer_field(name: str, value: str) -> str:
    """As the rule has it; empty for what the service sets, or what belongs to a body that is not coded any more."""
    if name.lower() in ("server", "content-encoding"):
        return ""
    try:
        split_field(f"{name}: {value}")
    except ValueError:
        return ""
    return f"{name}: {value}"
