"""URLs, fields and methods as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sending import errors
from app.sending.url import field, method_problem, parse


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("tcp://127.0.0.1:9007", ("tcp", "127.0.0.1", 9007, "")),
        (" TLS://[::1]:9007/ ", ("tls", "::1", 9007, "")),
        ("udp://device.local:5000", ("udp", "device.local", 5000, "")),
        ("http://localhost", ("http", "localhost", 80, "/")),
        ("https://localhost/a b?ö=1#gone", ("https", "localhost", 443, "/a%20b?%C3%B6=1")),
        ("ws://127.0.0.1:9081/live?a%20b", ("ws", "127.0.0.1", 9081, "/live?a%20b")),
    ],
)
def test_a_url_is_taken_apart(text: str, found: tuple[str, str, int, str]) -> None:
    url = parse(text)
    assert (url.scheme, url.host, url.port, url.target) == found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it must begin with one of tcp://"),
        ("localhost:9007", "it must begin with one of tcp://"),
        ("ftp://localhost", "it must begin with one of tcp://"),
        ("tcp://localhost", "the port is missing"),
        ("tcp://:9007", "the host is missing"),
        ("tcp://localhost:0", "port 0 cannot be reached"),
        ("tcp://localhost:99999", "its host or port cannot be read"),
        ("tcp://[::1:9007", "its host or port cannot be read"),
        ("tcp://localhost:1/path", "tcp:// has no path"),
        ("http://a b/", "a b is not a host"),
        ("http://1.2.3.4.5/", "1.2.3.4.5 is not a host"),
        ("http://localhost/\udcff", r"it holds bytes that are no text: write those as %ff"),
        ("http://user:secret@localhost/", "put names and passwords into a header"),
    ],
)
def test_what_is_wrong_with_a_url_is_said(text: str, words: str) -> None:
    with pytest.raises(errors.URLError, match="is not a URL to send to") as raised:
        parse(text)
    assert words in str(raised.value)


def test_the_field_host_leaves_out_the_usual_port() -> None:
    assert parse("https://[::1]/").authority == "[::1]"
    assert parse("https://[::1]:80/").authority == "[::1]:80"
    assert parse("http://[fe80::1%eth0]:81/").authority == "[fe80::1]:81"


@given(st.text())
def test_any_text_is_a_url_or_a_url_error(text: str) -> None:
    try:
        url = parse(f"http://localhost/{text}")
    except errors.URLError:
        return
    assert url.target.isascii()
    assert url.target.isprintable()
    assert " " not in url.target


@pytest.mark.parametrize("line", ["no colon", ": x", "a b: c", "X: a\r\nB: c", "Content-Length: 3", "ü: x"])
def test_what_is_no_field_is_refused(line: str) -> None:
    with pytest.raises(errors.FieldError):
        field(line)


def test_a_field_is_a_name_and_a_value() -> None:
    assert field("X-Trace:  a:b ") == ("X-Trace", "a:b")


def test_a_method_is_one_word() -> None:
    assert method_problem("") is method_problem("PURGE") is None
    assert method_problem("GET /") is not None
