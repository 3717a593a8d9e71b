"""What a request says: its path, its parameters, its fields."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.web.http_headers import Headers

from app.http.problem_json import Problem
from app.http.request_parts import accepts_json, decoded, media_type, parameters, path_of


class Request:
    def __init__(self, uri: bytes = b"/", **fields: str) -> None:
        self.uri, self.path = uri, uri.partition(b"?")[0]
        self.requestHeaders = Headers({name.replace("_", "-"): [value] for name, value in fields.items()})


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        (b"/a%20b?c", b"/a%20b"),
        (b"//a", b"//a"),
        (b"http://h.example:80/a", b"/a"),
        (b"HTTPS://h.example", b"/"),
        (b"*", b"*"),
        (b"h.example:443", b"h.example:443"),
    ],
)
def test_the_path_is_that_of_the_target(uri: bytes, path: bytes) -> None:
    assert path_of(Request(uri)) == path


def test_parameters_come_in_order_and_decoded() -> None:
    found = parameters(Request(b"/?b=1+2&a=%C3%A9=x&&b&=y"))
    assert found == [("b", "1 2"), ("a", "é=x"), ("b", ""), ("", "y")]


def test_what_is_not_utf_8_is_a_problem() -> None:
    with pytest.raises(Problem, match="is not UTF-8"):
        decoded(b"%ff")


@given(st.text(alphabet="*/,;=q.01 json", max_size=30))
def test_any_accept_is_yes_or_no(text: str) -> None:
    request: Any = Request(Accept=text)
    assert accepts_json(request) in (True, False)


def test_a_media_type_is_without_its_parameters() -> None:
    assert media_type(Request(Content_Type="Application/JSON ; charset=utf-8")) == "application/json"
    assert media_type(Request()) == ""
