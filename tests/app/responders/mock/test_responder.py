"""The mock responder: which rule answers, and what it answers, without a socket."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from pathlib import Path
from time import process_time
from typing import Any

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import responders
from app.options import problems
from app.responders.mock import exchange
from app.responders.mock.rules import RULE, plain
from app.text.templates import Template
from tests.app.responders.context import BareContext
from tests.app.responders.web import Client


def mock(*rules: dict[str, Any], folder: Path | str = ".", **options: Any) -> Client:
    given = {"rules": list(rules), **options}
    found = responders.find("mock")
    assert found is not None
    assert not list(problems(found.options, given))
    return Client("mock", given, BareContext(folder=folder))


# -- which rule answers


@pytest.mark.parametrize(
    ("rule", "method", "target", "body", "fields", "takes"),
    [
        ({}, "BREW", "/a/b?c", b"x", {}, True),
        ({"method": "GET"}, "GET", "/", b"", {}, True),
        ({"method": "GET"}, "POST", "/", b"", {}, False),
        ({"method": "get, POST"}, "POST", "/", b"", {}, True),
        ({"path": "/a"}, "GET", "/a?b=c", b"", {}, True),
        ({"path": "/a"}, "GET", "/a/", b"", {}, False),
        ({"path": "/a"}, "GET", "/A", b"", {}, False),
        ({"path": "/a b/é"}, "GET", "/a%20b/%C3%A9", b"", {}, True),
        ({"path": "/"}, "GET", "/", b"", {}, True),
        ({"path": "/a"}, "GET", "http://h.example/a", b"", {}, True),
        ({"path": "/u/{id}"}, "GET", "/u/7", b"", {}, True),
        ({"path": "/u/{id}"}, "GET", "/u/a%2Fb", b"", {}, True),
        ({"path": "/u/{id}"}, "GET", "/u/", b"", {}, False),
        ({"path": "/u/{id}"}, "GET", "/u/7/x", b"", {}, False),
        ({"path": "/{a}/x/{b}"}, "GET", "/1/x/2", b"", {}, True),
        ({"path": "/f/{rest*}"}, "GET", "/f/a/b/", b"", {}, True),
        ({"path": "/f/{rest*}"}, "GET", "/f", b"", {}, True),
        ({"path": "/f/{rest*}"}, "GET", "/g", b"", {}, False),
        ({"path": "/{rest*}"}, "GET", "/", b"", {}, True),
        ({"path": r"~^/v\d+/"}, "GET", "/v2/x", b"", {}, True),
        ({"path": r"~^/v\d+/"}, "GET", "/vx/x", b"", {}, False),
        ({"query": ["page"]}, "GET", "/?page", b"", {}, True),
        ({"query": ["page"]}, "GET", "/?pages=1", b"", {}, False),
        ({"query": ["page=2", "size~^[0-9]+$"]}, "GET", "/?size=10&page=2", b"", {}, True),
        ({"query": ["page=2"]}, "GET", "/?page=1&page=2", b"", {}, True),
        ({"query": ["page=2"]}, "GET", "/?page=22", b"", {}, False),
        ({"query": ["q=a b=c"]}, "GET", "/?q=a+b%3Dc", b"", {}, True),
        ({"query": ["q="]}, "GET", "/?q", b"", {}, True),
        ({"fields": ["X-A: 1"]}, "GET", "/", b"", {"x_a": "1"}, True),
        ({"fields": ["x-a"]}, "GET", "/", b"", {"X_A": ""}, True),
        ({"fields": ["x-a"]}, "GET", "/", b"", {}, False),
        ({"fields": ["Authorization~^Bearer .+"]}, "GET", "/", b"", {"Authorization": "Bearer x"}, True),
        ({"fields": ["Authorization~^Bearer .+"]}, "GET", "/", b"", {"Authorization": "Basic x"}, False),
        ({"body_is": "é"}, "POST", "/", "é".encode(), {}, True),
        ({"body_is": "é"}, "POST", "/", b"e", {}, False),
        ({"body_regex": "b+"}, "POST", "/", b"abbc", {}, True),
        ({"body_regex": "^b+"}, "POST", "/", b"abbc", {}, False),
        ({"body_json": ["$.a = 1", "$.b"]}, "POST", "/", b'{"a": 1, "b": null}', {}, True),
        ({"body_json": ["$.a = 1", "$.c"]}, "POST", "/", b'{"a": 1, "b": null}', {}, False),
        ({"body_json": ["$"]}, "POST", "/", b"{", {}, False),
        ({"body_json": ["$"]}, "GET", "/", b"", {}, False),
    ],
)
def test_a_rule_takes_what_it_asks_for(
    rule: dict[str, Any], method: str, target: str, body: bytes, fields: dict[str, str], takes: bool
) -> None:
    reply = mock({**rule, "body": "mine"}).ask(method, target, body, **fields)
    assert (reply.status == 200) is takes
    assert (reply.body == b"mine") is takes


def test_the_first_rule_wins_wherever_its_path_begins() -> None:
    client = mock(
        {"path": "/a/1", "body": "1"},
        {"path": "/{any}/2", "body": "2"},
        {"path": "/a/{x}", "body": "3"},
        {"path": "/b/{rest*}", "body": "4"},
        {"body": "5"},
    )
    targets = ("/a/1", "/a/2", "/a/3", "/b/2", "/b", "/c/2", "/c", "*")
    found = [client.ask("GET", target).body.decode() for target in targets]
    assert found == ["1", "2", "3", "2", "4", "2", "5", "5"]


def test_it_fails_twice_then_succeeds() -> None:
    client = mock({"path": "/pay", "status": 503, "times": 2}, {"path": "/pay", "body": "paid"})
    assert [client.ask("POST", "/pay").status for _ in range(4)] == [503, 503, 200, 200]


def test_only_the_call_of_a_number_is_answered() -> None:
    client = mock({"path": "/a", "call": 2, "body": "second"}, {"body": "other {{call}}", "template": True})
    assert [client.ask("GET", "/a").body for _ in range(3)] == [b"other 1", b"second", b"other 2"]


def test_counting_begins_anew_with_the_service() -> None:
    rules = {"rules": [{"times": 1, "body": "x"}]}
    for _ in range(2):
        client = Client("mock", rules)
        assert [client.ask("GET", "/").status for _ in range(2)] == [200, 404]


@pytest.mark.parametrize(
    ("method", "target", "words"),
    [
        ("GET", "/a/1", "Nearest is number 2, GET /a/{id}: the query has no page=2"),
        ("POST", "/a/1?page=2", "Nearest is number 2, GET /a/{id}: the method is not GET"),
        ("GET", "/once", "Nearest is number 3, any method /once: it answers only once, and has done so"),
    ],
)
def test_where_no_rule_answers_the_nearest_says_why(method: str, target: str, words: str) -> None:
    client = mock(
        {"path": "/b"},
        {"method": "GET", "path": "/a/{id}", "query": ["page=2"]},
        {"path": "/once", "times": 1},
        otherwise=501,
    )
    client.ask("GET", "/once")
    reply = client.ask(method, target)
    assert reply.status == 501
    assert words in reply.detail
    assert reply.json["rules"] == ["1: any method /b", "2: GET /a/{id}", "3: any method /once"]


def test_without_rules_it_says_so_and_many_are_not_all_listed() -> None:
    assert "There are no rules" in mock().ask("GET", "/").detail
    reply = mock(*[{"path": f"/{n}"} for n in range(50)]).ask("GET", "/")
    assert len(reply.json["rules"]) == 21
    assert reply.json["rules"][-1] == "and 30 more"


def test_large_bodies_have_no_text_for_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "MAX_LOOK", 3)
    client = mock({"body_regex": "a", "status": 201}, {"body_json": ["$"], "status": 202}, {"body_is": "aaaa"})
    assert [client.ask("POST", "/", body).status for body in (b"aaa", b"[1]", b"aaaa", b"[11]")] == [201, 202, 200, 404]


def test_a_regular_expression_takes_linear_time() -> None:
    client = mock({"path": "/slow", "body_regex": "(a+)+$"}, {"path": "/slow", "query": ["q~(a+)+$"]}, {"path": "/b"})
    for target in ("/slow", "/slow?q=" + "a" * 40 + "b"):
        reply = client.ask("POST", target, b"a" * 40 + b"b" if target == "/slow" else b"")
        assert reply.status == 404
    assert client.ask("POST", "/b", b"a" * 40 + b"b").status == 200


def test_a_regular_expression_cannot_take_for_ever() -> None:
    client = mock({"body_regex": "(a+)+$"}, {"query": ["q~(a+)+$"]}, {"body": "other"})
    assert client.ask("POST", "/?q=" + "a" * 60 + "b", b"a" * 1_000_000 + b"b").body == b"other"


# -- what it answers


def test_status_reason_fields_and_body_are_as_set() -> None:
    client = mock(
        {
            "status": 418,
            "reason": "I'm a teapot",
            "answer_fields": ["Set-Cookie: a=1", "Set-Cookie: b=2", "Content-Type: text/x-tea", "X-E: é"],
            "body": "short",
        }
    )
    line = client.line()
    line.send("GET", "/")
    assert line.transport.value().startswith(b"HTTP/1.1 418 I'm a teapot\r\n")
    (reply,) = line.replies("GET")
    assert reply.fields.get_all("Set-Cookie") == ["a=1", "b=2"]
    assert reply.fields.get_all("Content-Type") == ["text/x-tea"]
    assert reply.body == b"short"


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        ({"body": "{}"}, "application/json"),
        ({"body": "{x}"}, "text/plain; charset=utf-8"),
        ({"body": "[{{call}}]", "template": True}, "application/json"),
        ({"body": "{{call}} {{now}}", "template": True}, "text/plain; charset=utf-8"),
        ({"body": "hi"}, "text/plain; charset=utf-8"),
        ({"file": "a.html"}, "text/html; charset=utf-8"),
        ({"file": "a.json"}, "application/json"),
        ({"file": "a.png"}, "image/png"),
        ({"file": "a"}, "application/octet-stream"),
    ],
)
def test_the_content_type_is_guessed(rule: dict[str, Any], kind: str, tmp_path: Path) -> None:
    for name in ("a.html", "a.json", "a.png", "a"):
        (tmp_path / name).write_text("x")
    assert mock(rule, folder=tmp_path).ask("GET", "/").fields["Content-Type"] == kind


@pytest.mark.parametrize("status", [204, 205, 304])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_statuses_without_body_have_none(method: str, status: int) -> None:
    client = mock({"path": "/none", "status": status, "answer_fields": ["X-A: 1"]}, {"body": "next"})
    line = client.line()
    line.send(method, "/none")
    line.send("GET", "/next")
    none, following = line.replies(method, "GET")
    assert (none.status, none.body, none.fields["X-A"], following.body) == (status, b"", "1", b"next")


def test_head_has_the_fields_of_get() -> None:
    client = mock({"body": "four", "chunks": 2})
    assert (client.ask("HEAD", "/").fields["Content-Length"], client.ask("HEAD", "/").body) == ("4", b"")


def test_templates_are_filled_in() -> None:
    body = (
        r'{"id": "{{path.id}}", "page": {{query.page | default 1}}, "agent": "{{field.user-agent}}", '
        r'"name": "{{json.user.name}}", "tags": {{json.user.tags}}, "one": "{{json.user.tags.0}}", '
        r'"captured": "{{1}}", "call": {{call}}, "escape": "\n", "braces": "\{{x}}", "none": "{{query.none}}"}'
    )
    client = mock(
        {
            "path": "/u/{id}",
            "body_regex": r'"(\w+)": \{',
            "template": True,
            "body": body,
            "answer_fields": ["Location: /u/{{path.id}}/{{json.user.name}}"],
            "log": "{{method}} {{path}}",
        }
    )
    reply = client.ask("POST", "/u/a%20b", {"user": {"name": "é\r\nx", "tags": ["t", True]}}, User_Agent="curl")
    assert reply.status == 200
    found = json.loads(reply.body.replace(b"\r\n", b""))
    assert found == {
        "id": "a b", "page": 1, "agent": "curl", "name": "éx", "tags": ["t", True], "one": "t", "captured": "user",
        "call": 1, "escape": "\n", "braces": "{{x}}", "none": "",
    }  # fmt: skip
    assert "\n" not in reply.fields["Location"]
    assert client.context.logged == [("POST /u/a%20b", {})]


def test_a_variable_is_filled_in_as_it_is_now() -> None:
    client = mock({"body": "{{var.a}}", "template": True})
    client.context.variables = {"a": "1"}
    assert client.ask("GET", "/").body == b"1"
    client.context.variables = {"a": "2"}
    assert client.ask("GET", "/").body == b"2"
    client.context.variables = {"b": "3"}
    reply = client.ask("GET", "/")
    assert (reply.status, "there is no value var.a here" in reply.detail) == (500, True)
    assert "path, var.b" in reply.detail


def test_without_template_braces_are_text() -> None:
    assert mock({"body": "{{x}}"}).ask("GET", "/").body == b"{{x}}"


def test_a_value_that_is_not_there_is_told() -> None:
    client = mock({"body": "{{nonsense}}", "template": True})
    reply = client.ask("GET", "/")
    assert reply.status == 500
    assert "Rule number 1 cannot answer: At character 1: there is no value nonsense" in reply.detail
    assert client.context.logged


def test_a_file_is_read_anew_and_may_be_a_template(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(r"{{counter}} {{method}} \n")
    client = mock({"path": "/t", "file": "a.txt", "template": True}, {"file": "a.txt"}, folder=tmp_path)
    assert [client.ask("GET", "/t").body for _ in range(2)] == [rb"1 GET \n", rb"2 GET \n"]
    (tmp_path / "a.txt").write_bytes(b"\xff")
    assert client.ask("GET", "/x").body == b"\xff"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../secret", "is not in the workspace's folder"),
        ("/etc/passwd", "is not in the workspace's folder"),
        ("none", "there is no such file"),
        (".", "it is not a file"),
        ("pipe", "it is not a file"),
        ("link", "is not in the workspace's folder"),
    ],
)
def test_a_file_that_cannot_be_sent_is_told(name: str, words: str, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "in-beside").mkdir()
    (folder / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(folder / "pipe")
    reply = mock({"file": name}, folder=folder).ask("GET", "/")
    assert reply.status == 500
    assert words in reply.detail


# -- when it answers


def test_a_delay_is_kept_and_ends_when_the_client_leaves() -> None:
    client = mock({"delay": 5.0, "body": "late"})
    line, gone = client.line(), client.line()
    line.send("GET", "/")
    gone.send("GET", "/")
    gone.leave()
    client.context.reactor.advance(4.9)
    assert line.transport.value() == b""
    client.context.reactor.advance(0.1)
    assert line.replies("GET")[0].body == b"late"
    line.leave()
    assert not client.context.reactor.getDelayedCalls()


def test_a_body_comes_in_parts() -> None:
    client = mock({"body": "abcdefg", "chunks": 3, "pause": 1.0})
    line = client.line()
    line.send("GET", "/")
    sizes = []
    for _ in range(3):
        sizes.append(line.transport.value().count(b"\r\n2\r\n") + line.transport.value().count(b"\r\n3\r\n"))
        client.context.reactor.advance(1.0)
    assert sizes == [1, 2, 3]
    (reply,) = line.replies("GET")
    assert (reply.body, reply.fields["Transfer-Encoding"]) == (b"abcdefg", "chunked")


def test_a_body_has_no_more_parts_than_bytes_and_they_stop_when_the_client_leaves() -> None:
    client = mock({"body": "ab", "chunks": 1000, "pause": 1.0})
    line = client.line()
    line.send("GET", "/")
    line.leave()
    assert not client.context.reactor.getDelayedCalls()
    line = client.line()
    line.send("GET", "/")
    client.context.reactor.advance(1.0)
    assert line.replies("GET")[0].body == b"ab"


def test_a_connection_is_closed_reset_or_left_hanging_without_an_answer() -> None:
    client = mock(*[{"path": f"/{how}", "drop": how} for how in ("close", "reset", "hang")])
    for how in ("close", "reset", "hang"):
        line = client.line()
        line.send("GET", f"/{how}")
        assert line.transport.value() == b""
        transport = line.transport
        assert (transport.disconnecting, transport.disconnected) == (how != "hang", how == "reset")
        line.leave()


# -- the options


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        ([{}, {"path": "users"}], "number 2: path must begin with / or, for a regular expression, with ~"),
        ([{"path": "~("}], "number 1: path is not a regular expression: "),
        ([{"path": "/a{id}"}], "number 1: path has braces in a{id}"),
        ([{"path": "/{id}/{id}"}], "number 1: path has {id} twice"),
        ([{"path": "/{id}/{id*}"}], "number 1: path has {id} twice"),
        ([{"path": "/{rest*}/x"}], "number 1: path has something after {rest*}"),
        ([{"method": "GET POST"}], "number 1: method must be methods with commas"),
        ([{"query": ["=x"]}], 'number 1: query has "=x"'),
        ([{"query": ["a~("]}], "number 1: query is not a regular expression"),
        ([{"fields": ["a b: c"]}], 'number 1: fields has "a b: c"'),
        ([{"body_regex": "["}], "number 1: body_regex is not a regular expression"),
        ([{"body_json": ["$.a", "a"]}], "number 1: body_json must begin with $"),
        ([{"status": 199}], "number 1: status must be at least 200"),
        ([{"reason": "a\nb"}], "number 1: reason must be one line"),
        ([{"answer_fields": ["nothing"]}], 'number 1: answer_fields has "nothing". Write Name: value'),
        ([{"answer_fields": ["A: b\r\nC: d"]}], "number 1: answer_fields has"),
        ([{"answer_fields": ["Content-length: 1"]}], "which the service sets itself"),
        ([{"drop": "explode"}], 'number 1: drop "explode" is unknown'),
        ([{"body": "x", "file": "y"}], "number 1: body and file cannot both be the answer"),
        ([{"status": 204, "body": "x"}], "number 1: status 204 has no body"),
        ([{"body": "{{", "template": True}], "number 1: body is not a template: at character 3"),
        ([{"nonsense": 1}], "number 1: nonsense is unknown"),
        ([{}] * 1001, "must be at most 1,000 rules"),
    ],
)
def test_a_bad_rule_is_told_with_its_number(rules: list[dict[str, Any]], text: str) -> None:
    found = responders.find("mock")
    assert found is not None
    ((key, said),) = problems(found.options, {"rules": rules})
    assert key == "rules"
    assert text in said


@given(st.text(alphabet="\\{}ab\n", max_size=12))
def test_outside_of_braces_every_character_is_itself(text: str) -> None:
    if "{{" not in text:
        assert Template(plain(text)).render({}) == text.encode()


_ODD = st.text(alphabet="/{}*~=:$.[]()ab1 \\\"|'\r\n\0é,", max_size=10)
_GOOD = {
    "method": st.sampled_from(["GET", "post, put", "HEAD"]),
    "path": st.sampled_from(["/a", "/{id}", "/a/{rest*}", "~^/(a|b)"]),
    "query": st.lists(st.sampled_from(["q", "q=1", "q~^(.)"]), max_size=2),
    "fields": st.lists(st.sampled_from(["Host", "Host: x", "host~(x)"]), max_size=2),
    "body_json": st.lists(st.sampled_from(["$", "$.a = 1", "$..a > 0"]), max_size=2),
    "status": st.sampled_from([200, 204, 205, 304, 404, 599]),
    "body": st.sampled_from(["", "x", '{"a": "{{path.id}}"}', "{{1}}{{body}}", "{{nothing}}"]),
    "answer_fields": st.lists(st.sampled_from(["A: b", "Content-Type: x/{{query.q}}", "B: {{body}}"]), max_size=2),
    "template": st.booleans(),
    "chunks": st.integers(0, 3),
    "times": st.integers(0, 2),
    "call": st.integers(0, 2),
    "log": st.sampled_from(["", "{{json}}"]),
}


def _values(key: str) -> st.SearchStrategy[Any]:
    kind = next(option.type for option in RULE if option.name == key)
    odd: dict[type, st.SearchStrategy[Any]] = {str: _ODD, list: st.lists(_ODD, max_size=2), int: st.integers(-1, 999)}
    return st.one_of(_GOOD[key], _GOOD[key], odd.get(kind, st.booleans()))


_RULES = st.lists(st.fixed_dictionaries({}, optional={key: _values(key) for key in _GOOD}), max_size=4)
_ASKED = st.tuples(
    st.sampled_from(["GET", "HEAD", "POST", "BREW"]),
    st.sampled_from(["/", "/a", "/a/b?q=1", "/b?q", "*", "/%ff", "/a?q=%0d%0a", "//"]),
    st.sampled_from([b"", b"{}", b'{"a": 1}', b"\xff\r\nA: b", b'{"a": "\\ud800"}']),
)


@given(_RULES, st.lists(_ASKED, min_size=1, max_size=4))
def test_any_table_of_rules_is_told_off_or_answers_any_requests(rules: list[Any], asked: list[Any]) -> None:
    found = responders.find("mock")
    assert found is not None
    told = list(problems(found.options, {"rules": rules}))
    if told:
        assert all(key == "rules" and text for key, text in told)
        return
    line = Client("mock", {"rules": rules}).line()
    for method, target, body in asked:
        line.send(method, target, body)
    for reply in line.replies(*(one[0] for one in asked)):
        assert 200 <= reply.status <= 599
        assert set(reply.fields.keys()) <= {
            "Server", "Date", "Content-Type", "Content-Length", "Transfer-Encoding", "A", "B",
        }  # fmt: skip


# -- what strangers broke


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "br", "gzip, br", "identity"])
def test_c9_a_coded_body_is_decoded_for_conditions_and_templates(coding: str) -> None:
    body = json.dumps({"user": "Müller"}).encode()
    for name in coding.split(", "):
        body = {"deflate": zlib.compress, "br": brotli.compress, "identity": bytes}.get(name, gzip.compress)(body)
    client = mock(
        {"path": "/json", "body_json": ['$.user = "Müller"'], "template": True, "body": "{{json.user}} {{body}}"},
        {"path": "/regex", "body_regex": "(M.*ller)"},
        {"path": "/is", "body_is": '{"user": "M\\u00fcller"}'},
    )
    assert client.ask("POST", "/json", body, Content_Encoding=coding).body == 'Müller {"user": "M\\u00fcller"}'.encode()
    for target in ("/regex", "/is"):
        assert client.ask("POST", target, body, Content_Encoding=coding).status == 200, target


def test_c9_a_body_is_read_in_its_charset() -> None:
    client = mock(
        {"path": "/r", "body_regex": "^name=(.üller)$", "template": True, "body": "{{1}}"},
        {"path": "/j", "body_json": ['$.name = "Müller"']},
        {"path": "/i", "body_is": "Müller"},
    )
    latin = {"Content_Type": 'text/plain; charset="ISO-8859-1"'}
    assert client.ask("POST", "/r", "name=Müller".encode("latin-1"), **latin).body == "Müller".encode()
    assert client.ask("POST", "/i", "Müller".encode("latin-1"), **latin).status == 200
    for charset in ("utf-16", "utf-8", "cp1252"):
        fields = {"Content_Type": f"application/json; charset={charset}"}
        assert client.ask("POST", "/j", '{"name": "Müller"}'.encode(charset), **fields).status == 200
    assert client.ask("POST", "/r", "name=Müller".encode("latin-1")).status == 404


@pytest.mark.parametrize(
    ("body", "fields", "words"),
    [
        (b"{}", {"Content_Encoding": "zstd"}, "it is said to be coded as zstd, and cannot be decoded"),
        (b"{}", {"Content_Encoding": "gzip"}, "it is said to be coded as gzip, and cannot be decoded"),
        (gzip.compress(bytes(2 << 20)), {"Content_Encoding": "gzip"}, "decoded it is longer than 1 MiB"),
        (bytes((1 << 20) + 1), {}, "it is longer than 1 MiB"),
        (b"{}", {"Content_Type": "application/json; charset=klingon"}, "its charset klingon is unknown"),
        (b"", {}, "it is empty"),
        (b'{"a": 1,}', {}, "in line 1, column"),
        (b'{"a": 1, "a": 2}', {}, '"a" is there twice in one object'),
    ],
)
def test_c9_where_a_body_cannot_be_looked_at_the_answer_says_why(
    body: bytes, fields: dict[str, str], words: str
) -> None:
    detail = mock({"body_json": ["$.a"]}).ask("POST", "/", body, **fields).detail
    assert "the body is not JSON with $.a: " in detail
    assert words in detail
    if "JSON" not in words and "column" not in words and "twice" not in words and "empty" not in words:
        assert words in mock({"body_regex": "abc"}).ask("POST", "/", body, **fields).detail


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("/api/spaces/", "number 4, any method /api/spaces: the path is not /api/spaces: the slash at its end"),
        ("/API/spaces", "number 4, any method /api/spaces: the path is not /api/spaces: large and small letters"),
        ("/api/space", "Nearest is number 4"),
        ("/api/psaces", "Nearest is number 4"),
        ("/usres/7", "Nearest is number 3"),
        ("/users", "Nearest is number 3"),
        ("/users/7/more", "Nearest is number 3"),
        ("/foo", "None has a similar path"),
        ("/foo/7", "None has a similar path"),
        ("/", "None has a similar path"),
        ("//", "None has a similar path"),
        ("/files", "Nearest is number 5, POST /files/{rest*}: the method is not POST"),
        ("/fils/a/b/c", "Nearest is number 5"),
    ],
)  # fmt: skip
def test_c16_the_nearest_rule_is_the_one_whose_path_is(target: str, words: str) -> None:
    client = mock(
        {"path": "/hello"}, {"path": "/slow", "method": "GET"}, {"path": "/users/{id}"}, {"path": "/api/spaces"},
        {"path": "/files/{rest*}", "method": "POST"}, {"path": "~^/v[0-9]+/"},
    )  # fmt: skip
    assert words in client.ask("GET", target).detail


def test_c16_a_rule_for_any_path_is_nearer_than_one_for_another_path() -> None:
    client = mock({"path": "/hello"}, {"fields": ["X-Key"]}, {"path": "/key"})
    assert "Nearest is number 2, any method any path: it has no header X-Key" in client.ask("GET", "/foo").detail
    assert "Nearest is number 3" in client.ask("GET", "/key/").detail


def test_c16_a_very_long_path_takes_no_time() -> None:
    client = mock(*[{"path": f"/a{n}/b"} for n in range(1000)])
    began = process_time()
    assert client.ask("GET", "/a" * 8000).status == 404
    assert process_time() - began < 2


@pytest.mark.parametrize(
    ("template", "body", "rendered"),
    [
        ("{{json.x}}", '{"x": null}', "null"),
        ("{{json.x | default 1}}", '{"x": null}', "1"),
        ("{{json.y | default 1}}", '{"x": null}', "1"),
        ("{{json.y}}", '{"x": null}', ""),
        ("{{json.a}} {{json.b}} {{json.c}}", '{"a": 1.10, "b": 1e3, "c": -0}', "1.10 1e3 -0"),
        ("{{json.a}} {{json.b}}", '{"a": "text", "b": 1E400}', "text 1E400"),
        ("{{json.a}} {{json.b}}", '{"a": [1.10, {"x": 1E400}, "é", true], "b": 1}', '[1.10,{"x":1E400},"é",true] 1'),
        ("{{json.a.1}}", '{"a": [1, %s]}' % ("9" * 2000), "9" * 2000),
        ("{{json.a}} {{json.b}}", '{"a": 1, "b": ["\\ud800"]}', '1 ["\\ud800"]'),
    ],
)
def test_c24_values_of_json_are_as_written(template: str, body: str, rendered: str) -> None:
    client = mock({"template": True, "body": template})
    assert client.ask("POST", "/", body.encode()).body.decode() == rendered


def test_c24_conditions_compare_numbers_however_they_are_written() -> None:
    client = mock({"body_json": ["$.a = 1.1", "$.b = 1000", "$.c > 5", "$[?@ == 1.10]"]})
    assert client.ask("POST", "/", b'{"a": 1.10, "b": 1e3, "c": 1E400}').status == 200


def test_c25_a_byte_that_is_no_utf_8_stays_that_byte() -> None:
    client = mock(
        {"path": "/caf/{name}", "template": True, "body": "{{path.name}} {{query.q}} {{field.x}}"},
        {"path": "/q", "query": ["q~^(.+)$"], "template": True, "body": "{{1}}"},
        {"path": "/b", "body_regex": "^(.+)$", "template": True, "body": "{{1}}{{body}}"},
    )
    assert client.ask("GET", "/caf/%E9?q=%FF", X="\xe9").body == b"\xe9 \xff \xe9"
    assert client.ask("GET", "/q?q=a%E9").body == b"a\xe9"
    assert client.ask("GET", "/q?q=%C3%A9").body == "é".encode()
    assert client.ask("POST", "/b", b"\xe9").body == b"\xe9\xe9"


def test_c25_a_header_in_utf_8_is_written_as_it_came() -> None:
    client = mock({"fields": ["X: é"], "template": True, "body": "{{field.x}}"})
    assert client.ask("GET", "/", X="é".encode().decode("latin-1")).body == "é".encode()
    assert client.ask("GET", "/", X="é").body == b"\xe9"
