"""What a rule of a mock is for and what it answers, in a few words."""

from __future__ import annotations

from typing import Any

from app.http.bodies import value_of
from app.http.contents import media_type
from app.options import Options, with_defaults
from app.responders.mock.rules import BODILESS, RULE

_KINDS = {"json": "json", "html": "html", "xml": "xml", "css": "css", "javascript": "javascript", "plain": "text"}


def title(rule: Options) -> tuple[str, str]:
    """As ``("GET /users/{id}", "200 json")``. The rule may be wrong."""
    filled = with_defaults(RULE, rule)
    return _asks(filled), _answers(filled)


def _asks(rule: dict[str, Any]) -> str:
    words = [f"{rule['method']} {rule['path']}".strip() or "any"]
    words += [f"?{text}" for text in _list(rule["query"])]
    words += [f"[{text}]" for text in _list(rule["fields"])]
    if rule["body_is"]:
        words.append(f"= {rule['body_is']}")
    if rule["body_regex"]:
        words.append(f"~ {rule['body_regex']}")
    words += _list(rule["body_json"])
    if rule["call"]:
        words.append(f"call {rule['call']}")
    return " ".join(words)


def _answers(rule: dict[str, Any]) -> str:
    words = []
    if rule["drop"]:
        words.append("no answer" if rule["drop"] == "hang" else str(rule["drop"]))
    else:
        words.append(" ".join(word for word in (str(rule["status"]), _kind(rule)) if word))
    if rule["delay"]:
        words.append(f"after {rule['delay']} s")
    if rule["chunks"]:
        words.append(f"in {rule['chunks']} parts")
    if rule["times"]:
        words.append("once" if rule["times"] == 1 else f"{rule['times']} times")
    return ", ".join(words)


def _kind(rule: dict[str, Any]) -> str:
    """What the body is, as ``json``; for a file its name; where there is no body, the place of a redirect."""
    if rule["status"] in BODILESS:
        return ""
    if rule["file"]:
        return str(rule["file"])
    pairs = [text.partition(":") for text in _list(rule["answer_fields"])]
    headers = [(name.strip().lower(), value.strip()) for name, _, value in pairs]
    body = str(rule["body"]).lstrip()
    if not body:
        location = value_of(headers, "location")
        return f"to {location}" if location else ""
    kind = media_type(headers)[0]
    if not kind:
        return "json" if body[:1] in ("{", "[") and not body.startswith("{{") else "text"
    last = kind.rpartition("/")[2].rpartition("+")[2]
    return _KINDS.get(last, kind)


def _list(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []
