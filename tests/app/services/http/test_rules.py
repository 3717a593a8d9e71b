"""What is a host, and what a first line may be; the words for all else stand in ``test_http``."""

from __future__ import annotations

import pytest

from app.services.http import rules as http_rules

HOSTS = [b"", b"x", b"x:", b"x:80", b"a_b.example", b"127.0.0.1:8080", b"[::1]", b"[::1]:80", b"[v1.a:b]:1", b"%C3%A9"]
NO_HOSTS = [b"x/y", b"me@x", b"x:http", b"a b", b"::1", b"[::1", b"x:1:2", b"\xc3\xa9", b"%zz", b'"', b"x?y", b"x#y"]


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_is_a_name_or_an_address_with_or_without_a_port(host: bytes) -> None:
    assert http_rules.is_host(host)


@pytest.mark.parametrize("host", NO_HOSTS)
def test_anything_else_is_no_host(host: bytes) -> None:
    assert not http_rules.is_host(host)


def test_only_http_1_1_must_have_a_host() -> None:
    assert http_rules.of_host(b"HTTP/1.0", []) == ""
    assert http_rules.of_host(b"HTTP/1.1", [b"x"]) == ""
    assert http_rules.of_host(b"HTTP/1.1", [])


@pytest.mark.parametrize("version", [b"HTTP/1.2", b"HTTP/1.9"])
def test_later_versions_of_http_1_are_right(version: bytes) -> None:
    assert http_rules.of_request_line(b"GET / " + version) is None


def test_what_was_wrong_is_shown_on_one_line_and_not_at_length() -> None:
    broken = http_rules.of_request_line(b"G\x1b[31mT" + b"x" * 10_000 + b" / HTTP/1.1")
    assert broken is not None
    assert broken[1].isprintable()
    assert len(broken[1]) < 100


@pytest.mark.parametrize("target", [b"abc", b"localhost:80", b"?a", b"http:/x"])
def test_c25_a_target_begins_with_a_slash_or_a_scheme(target: bytes) -> None:
    line = b"GET " + target + b" HTTP/1.1"
    assert not http_rules.REQUEST_LINE.fullmatch(line)
    status, words = http_rules.of_request_line(line) or (0, "")
    assert status == 400
    assert words == f"the target must begin with a slash, or with a scheme as http://: “{target.decode()}”"


@pytest.mark.parametrize("asked", [b"GET /", b"GET http://a/b", b"OPTIONS *", b"CONNECT a:443", b"GET //x?y"])
def test_c25_all_forms_of_targets_are_known(asked: bytes) -> None:
    assert http_rules.REQUEST_LINE.fullmatch(asked + b" HTTP/1.0")
    assert http_rules.of_request_line(asked + b" HTTP/1.2") is None
