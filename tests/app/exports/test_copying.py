"""Exchanges to paste elsewhere: what curl and Python make of them is what was asked."""

from __future__ import annotations

import json
import shlex
import sys
from base64 import b64decode
from collections.abc import Iterator
from tempfile import NamedTemporaryFile
from typing import Any

import pytest
import pytest_twisted
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import ensureDeferred
from twisted.internet.utils import getProcessOutputAndValue

from app import events
from app.capture.reading.exchange_at import Exchanged
from app.events import Event
from app.exports import copying
from app.exports.copying.curl import _quoted
from app.http.contents import Content
from app.options import problems
from app.responders.mock.rules import RULES, Rules
from tests.app.services.helpers import Desk, address


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    from twisted.internet import reactor

    desk = Desk(reactor, monkeypatch)
    yield desk
    pytest_twisted.blockon(ensureDeferred(desk.close()))


HOST = "127.0.0.1:9080"


def event(kind: int, host: str = HOST, **detail: Any) -> Event:
    more = {"host": host, "detail": detail}
    return Event(1, 10**18, kind, "web", 1, "127.0.0.1:5", detail.get("body"), "", **more)


def exchanged(
    method: str = "GET",
    target: str = "/",
    fields: Any = (),
    body: bytes = b"",
    host: str = "127.0.0.1:9080",
    **more: Any,
) -> Exchanged:
    pairs = [["Host", more.pop("named", host)], *([name, value] for name, value in fields)]
    version = more.pop("version", "HTTP/1.1")
    asked = event(
        events.HTTP_REQUEST, host, method=method, target=target, version=version, fields=pairs, body=len(body)
    )
    content = more.pop("content", Content(body, len(body)))
    return Exchanged(asked, asked=content, **more)


def answered(body: bytes | None = b"", **detail: Any) -> dict[str, Any]:
    response = event(events.HTTP_RESPONSE, **({"status": 200, "reason": "OK", "fields": [], "body": 3} | detail))
    return {"response": response, "answered": None if body is None else Content(body, len(body))}


def curl(found: Exchanged, **more: Any) -> str:
    request = copying.asked(found, secure=more.pop("secure", False))
    assert request is not None
    return copying.as_curl(request)


def python(found: Exchanged, **more: Any) -> str:
    request = copying.asked(found, secure=more.pop("secure", False))
    assert request is not None
    return copying.as_python(request)


async def run(desk: Desk, program: str, script: str) -> bytes:
    """What a script writes: from a file, since some are too long for a command line."""
    with NamedTemporaryFile("w", encoding="utf-8") as file:
        file.write(script)
        file.flush()
        out, err, code = await getProcessOutputAndValue(program, [file.name], reactor=desk.reactor)
    assert code == 0, err.decode()
    return out


def body_of(description: dict[str, Any]) -> bytes:
    text = description.get("body")
    return text.encode() if text is not None else b64decode(description["body_base64"])


BODIES = [
    b"", b'{"a": "it\'s"}', b"@/etc/hostname", "Göteborg\n$HOME `id`\n".encode(), b"a\r\nb\tc", bytes(range(256)),
    b"-d x", b"\xff\xfe text", b"long " * 40_000,
]  # fmt: skip
TARGETS = [
    "/", "/orders?dry_run=1&x='y'", "/a[1]{2,3}?b=[4-5]", "/../a/./b", "/a#b", "*", "/a%20b%2f",
    "/$HOME`id`\"",
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES)
@pytest_twisted.ensureDeferred
async def test_curl_sends_the_same_body(desk: Desk, body: bytes) -> None:
    host = ":".join(map(str, address(await desk.start("http", "inspector"))))
    fields = [("Content-Type", "x/y")] if body else []
    found = exchanged("PUT", "/x", fields, body, host)
    said = json.loads(await run(desk, "bash", curl(found)))
    assert (said["method"], body_of(said)) == ("PUT", body)


@pytest.mark.parametrize("target", TARGETS)
@pytest_twisted.ensureDeferred
async def test_curl_sends_the_same_target(desk: Desk, target: str) -> None:
    host = ":".join(map(str, address(await desk.start("http", "inspector"))))
    await run(desk, "bash", curl(exchanged("OPTIONS", target, host=host)))
    [noted] = desk.tape.all("http.request")
    assert noted.detail["target"] == target


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "BREW"])
@pytest_twisted.ensureDeferred
async def test_curl_sends_the_same_method_and_fields_and_none_of_its_own(desk: Desk, method: str) -> None:
    host = ":".join(map(str, address(await desk.start("http", "inspector"))))
    fields = [
        ["X-Sent-By", "it's \"me\" $HOME"], ["Cookie", "a=b; c=d"], ["X-E", ""], ["X-Sent-By", "caf\xc3\xa9"],
        ["X-Sent-By", "\xff\x01"[:1]], ["Accept-Encoding", "identity"],
    ]  # fmt: skip
    said = json.loads(await run(desk, "bash", curl(exchanged(method, "/x", fields, b"body", host))))
    assert said["method"] == method
    own = [field for field in said["fields"] if field[0] not in ("Host", "Content-Length")]
    assert own == fields


@pytest_twisted.ensureDeferred
async def test_curl_asks_for_the_head_only_and_with_another_host_than_it_goes_to(desk: Desk) -> None:
    host = ":".join(map(str, address(await desk.start("http", "inspector"))))
    out = await run(desk, "bash", curl(exchanged("HEAD", "/hello", host=host, named="shop.example")))
    assert out.startswith(b"HTTP/1.1 200")
    [noted] = desk.tape.all("http.request")
    assert noted.detail["method"] == "HEAD"
    assert ["Host", "shop.example"] in noted.detail["fields"]


@pytest_twisted.ensureDeferred
async def test_curl_and_python_reach_a_service_with_tls(desk: Desk, tmp_path: Any) -> None:
    desk.surroundings = type(desk.surroundings)(tmp_path, tmp_path, {})
    host = ":".join(map(str, address(await desk.start("http", "inspector", tls={"certificate": "auto"}))))
    found = exchanged("POST", "/x", [], b"body", host)
    said = json.loads(await run(desk, "bash", curl(found, secure=True)))
    assert (said["version"], said["body"]) == ("HTTP/1.1", "body")
    out = await run(desk, sys.executable, python(found, secure=True))
    assert out.startswith(b"200 OK\n")


@pytest.mark.parametrize("body", BODIES)
@pytest_twisted.ensureDeferred
async def test_python_sends_the_same(desk: Desk, body: bytes) -> None:
    host = ":".join(map(str, address(await desk.start("http", "inspector"))))
    fields = [("X-Sent-By", 'it\'s "me"\\'), ("Content-Type", "x/y")]
    program = python(exchanged("PUT", "/x?y='\"", fields, body, host)).replace(
        "print(response.read())", "import sys; sys.stdout.flush(); sys.stdout.buffer.write(response.read())"
    )
    out = await run(desk, sys.executable, program)
    assert out.startswith(b"200 OK")
    said = json.loads(out[out.index(b"\n\n") :])
    assert (said["method"], said["target"], body_of(said)) == ("PUT", "/x?y='\"", body)
    assert ["X-Sent-By", 'it\'s "me"\\'] in said["fields"]


@pytest_twisted.ensureDeferred
async def test_python_shows_an_answer_that_is_an_error(desk: Desk) -> None:
    host = ":".join(map(str, address(await desk.start("http", "mock"))))
    assert (await run(desk, sys.executable, python(exchanged(host=host)))).startswith(b"404 ")


@given(st.binary(max_size=60).filter(lambda data: b"\0" not in data))
def test_a_quoted_word_is_one_word_of_the_shell(data: bytes) -> None:
    quoted = _quoted(data)
    assert "\r" not in quoted
    if not quoted.startswith("$"):
        assert shlex.split(quoted) == [data.decode()]


def test_a_service_that_is_named_in_the_url_needs_no_host_field() -> None:
    assert curl(exchanged(host="127.0.0.1:80", named="localhost:80")).startswith("curl http://localhost:80/")
    assert "-H 'Host: shop.example'" in curl(exchanged(named="shop.example"))


def test_what_we_asked_ourselves_goes_to_the_name_that_we_used() -> None:
    detail = {"method": "GET", "target": "/", "fields": [["Host", "example.org"]], "outgoing": True}
    request = Event(1, 1, events.HTTP_REQUEST, "", 1, "93.184.215.14:80", 0, "", "10.0.0.1:5", None, detail)
    assert "http://example.org/" in curl(Exchanged(request))


def test_a_coded_body_is_sent_without_its_coding() -> None:
    content = Content(b"plain", 30, coding="gzip")
    text = curl(exchanged("POST", fields=[("Content-Encoding", "gzip")], content=content))
    assert "--data-raw plain" in text
    assert "ncoding" not in text


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"content": Content(b"x", 10**7, cut=True)}, "# The body is cut: it has 10,000,000 bytes."),
        ({"content": None, "body": b"xyz"}, "# The body of 3 bytes is missing: it is not"),
    ],
)
def test_what_is_missing_is_said_in_a_remark(more: Any, words: str) -> None:
    assert curl(exchanged("POST", **more)).startswith(words)
    assert python(exchanged("POST", **more)).startswith(words)


def test_http_2_is_asked_for() -> None:
    assert "--http2-prior-knowledge" in curl(exchanged(version="HTTP/2"))
    assert "--http2 " in curl(exchanged(version="HTTP/2"), secure=True).replace("\n", " ")


def test_nothing_can_be_made_of_an_answer_without_a_request() -> None:
    assert copying.asked(Exchanged(**answered()), secure=False) is None


def test_text_has_both_messages_with_escapes_for_what_is_none() -> None:
    found = exchanged(
        "POST", "/x", [("A", "caf\xc3\xa9")], b"a\r\n\x00\xff", **answered("é\n".encode(), fields=[["B", "1"]])
    )
    assert copying.as_text(found) == (
        "POST /x HTTP/1.1\nHost: 127.0.0.1:9080\nA: café\n\na\n\\0\\xff\n\nHTTP/1.1 200 OK\nB: 1\n\né\n\n"
    )


# -- a rule of a mock


def test_a_rule_answers_with_status_fields_and_body() -> None:
    fields = [["Content-Type", "text/plain"], ["Server", "x"], ["Content-Length", "3"], ["X-A", "1"]]
    rule, left = copying.as_rule(exchanged("PUT", "/a%20b?c=d", **answered(b"{{x}}", status=201, fields=fields)))
    assert rule == {
        "method": "PUT", "path": "/a b", "status": 201, "answer_fields": ["Content-Type: text/plain", "X-A: 1"],
        "body": "{{x}}",
    }  # fmt: skip
    assert left == []


@pytest.mark.parametrize("status", [204, 304, 101, 999])
def test_a_rule_is_one_that_a_workspace_may_have(status: int) -> None:
    rule, _ = copying.as_rule(exchanged("GET", "/x{y}", **answered(b"body", status=status)))
    assert not list(problems((RULES,), {"rules": [rule]}))
    Rules([{**{option.name: option.default for option in RULES.of}, **rule}])


@pytest.mark.parametrize("target", ["*", "/x{y}", "/a%2Fb", "example.org:443", "/%ff", "/", "http://x.example/y?z", ""])
def test_a_rule_can_be_made_for_any_target(target: str) -> None:
    rule, _ = copying.as_rule(exchanged("GET", target, **answered()))
    assert not list(problems((RULES,), {"rules": [rule]})), rule


def test_a_rule_says_what_it_leaves_out() -> None:
    assert "not UTF-8" in copying.as_rule(exchanged(**answered(b"\xff")))[1][0]
    assert "not in the capture" in copying.as_rule(exchanged(**answered(None)))[1][0]
    assert "no answer" in copying.as_rule(exchanged())[1][0]
