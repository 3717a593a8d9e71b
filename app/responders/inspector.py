"""Answers every HTTP request with a description of the request, in JSON."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from app.responders import Context, Options, Responder

# json.dumps would make an encoder for each call, and take three times as long.
_json = json.JSONEncoder(ensure_ascii=False).encode


def describe(request: Any) -> dict[str, Any]:
    """The parts of ``request``: headers in the order and case received; the body as text
    if it is UTF-8, else in base64."""
    body = request.content.read()
    description = {
        "method": request.method.decode("latin-1"),
        "target": request.uri.decode("latin-1"),
        "version": request.clientproto.decode("latin-1"),
        "fields": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in request.fields],
        "peer": request.peer,
        "body": None,
    }
    try:
        description["body"] = body.decode()
    except UnicodeDecodeError:
        del description["body"]
        description["body_base64"] = b64encode(body).decode()
    return description


def to_json(description: dict[str, Any]) -> str:
    """The description as JSON that is easy to read: one line for each entry, and for each header."""
    entries = []
    for key, value in description.items():
        if key == "fields" and value:
            lines = ",\n    ".join(_json(pair) for pair in value)
            entries.append(f'  "fields": [\n    {lines}\n  ]')
        else:
            entries.append(f"  {_json(key)}: {_json(value)}")
    return "{\n" + ",\n".join(entries) + "\n}\n"


def _http(options: Options, context: Context) -> Any:
    from twisted.web.resource import Resource

    class Inspector(Resource):
        isLeaf = True
        parses_forms = False

        def render(self, request: Any) -> bytes:
            if request.method in (b"GET", b"HEAD") and request.path == b"/hello":
                request.setHeader(b"Content-Type", b"text/plain; charset=utf-8")
                return b"Hello, World!"
            request.setHeader(b"Content-Type", b"application/json")
            return to_json(describe(request)).encode()

    return Inspector()


RESPONDER = Responder("inspector", "Describes each request in JSON; GET /hello answers Hello, World!", {"http": _http})
