"""The inspector responder, without a socket; tests/app/services/http/test_port.py has it on one."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.responders.inspector import describe, to_json
from tests.app.responders.context import build


class Request:
    method, uri, path, clientproto, peer = b"GET", b"/a", b"/a", b"HTTP/1.1", "127.0.0.1:1"

    def __init__(self, body: bytes = b"", **more: Any) -> None:
        self.content = BytesIO(body)
        self.fields: list[tuple[bytes, bytes]] = []
        self.headers: list[Any] = []
        self.__dict__.update(more)

    def setHeader(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))


@given(st.binary(), st.lists(st.tuples(st.binary(), st.binary())))
def test_every_request_can_be_described(body: bytes, fields: list[tuple[bytes, bytes]]) -> None:
    described = describe(Request(body, fields=fields))
    assert json.loads(to_json(described)) == described
    assert described["fields"] == [[n.decode("latin-1"), v.decode("latin-1")] for n, v in fields]


def test_a_field_has_a_line_of_its_own() -> None:
    text = to_json(describe(Request(b"\xff", fields=[(b"A", b"1"), (b"B", b"2")])))
    assert '\n    ["A", "1"],\n    ["B", "2"]\n' in text
    assert '"body_base64": "/w=="' in text


@pytest.mark.parametrize(
    ("more", "hello"),
    [
        ({"path": b"/hello"}, True),
        ({"path": b"/hello", "method": b"HEAD"}, True),
        ({"path": b"/hello", "method": b"POST"}, False),
        ({"path": b"/hello/"}, False),
        ({}, False),
    ],
)
def test_hello_is_for_get_and_head(more: dict[str, Any], hello: bool) -> None:
    answer = build("inspector", "http", {}).render(Request(**more))
    assert (answer == b"Hello, World!") is hello
