"""The rest responder: documents under their collections, without a socket."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import responders
from app.options import problems
from app.responders.rest import memory, query
from tests.app.responders.context import BareContext
from tests.app.responders.web import Client

MERGE = "application/merge-patch+json"
PEOPLE = [
    {"id": 1, "name": "Ann", "age": 30, "address": {"city": "Bern"}, "tags": ["a", "b"]},
    {"id": 2, "name": "Bob", "age": 4, "address": {"city": "Oslo"}, "tags": []},
    {"id": 3, "name": "cid", "age": 30, "gone": None, "good": True},
    {"id": "x", "name": "10", "age": 7.5},
]


@pytest.fixture
def rest() -> Client:
    return Client("rest")


@pytest.fixture
def people(rest: Client) -> Client:
    for person in PEOPLE:
        assert rest.ask("POST", "/people", person).status == 201
    return rest


# -- one document


def test_a_document_is_added_read_replaced_changed_and_deleted(rest: Client) -> None:
    added = rest.ask("POST", "/things", {"name": "a"})
    assert (added.status, added.fields["Location"], added.json) == (201, "/things/1", {"id": 1, "name": "a"})
    read = rest.ask("GET", "/things/1")
    assert (read.status, read.body) == (200, b'{"id":1,"name":"a"}\n')
    assert read.fields["Content-Type"] == "application/json"
    assert read.fields["ETag"] == added.fields["ETag"]
    put = rest.ask("PUT", "/things/1", {"name": "b", "deep": {"x": 1}})
    assert (put.status, put.json) == (200, {"id": 1, "name": "b", "deep": {"x": 1}})
    patched = rest.ask("PATCH", "/things/1", {"deep": {"x": None, "y": 2}}, Content_Type=MERGE)
    assert (patched.status, patched.json) == (200, {"id": 1, "name": "b", "deep": {"y": 2}})
    assert len({added.fields["ETag"], put.fields["ETag"], patched.fields["ETag"]}) == 3
    assert rest.ask("DELETE", "/things/1").status == 204
    assert rest.ask("GET", "/things/1").detail == "things has no document with the id 1"
    assert rest.ask("GET", "/things").json == []


def test_put_adds_what_is_not_there(rest: Client) -> None:
    assert rest.ask("PUT", "/things/7", {"a": 1}).status == 201
    assert rest.ask("GET", "/things/7").json == {"id": 7, "a": 1}
    assert rest.ask("POST", "/things", {}).json == {"id": 8}
    assert rest.ask("PUT", "/things/x%2Fy%20é".replace("é", "%C3%A9"), {}).json == {"id": "x/y é"}


def test_counting_goes_on_behind_the_largest_number(rest: Client) -> None:
    for identifier in (999_999_999_999_999, 10**30, "7x", -5):
        assert rest.ask("POST", "/a", {"id": identifier}).status == 201
    assert [rest.ask("POST", "/a", {}).json["id"] for _ in range(2)] == [10**15, 10**15 + 1]


def test_the_first_segment_is_a_collection_whatever_its_name(rest: Client) -> None:
    for name in ("..", ".", "%2e%2e", "%00", "a%2Fb", "%F0%9F%90%99", "~"):
        added = rest.ask("POST", f"/{name}", {"n": name})
        assert rest.ask("GET", added.fields["Location"]).json["n"] == name
    assert rest.ask("GET", "/").json == {"..": 2, ".": 1, "\0": 1, "a/b": 1, "\U0001f419": 1, "~": 1}


def test_an_absolute_target_is_its_path(people: Client) -> None:
    assert people.ask("GET", "http://other.example/people/2?x").json["name"] == "Bob"
    assert people.ask("GET", "http://other.example").json == {"people": 4}


def test_head_says_the_length_without_the_body(people: Client) -> None:
    for target in ("/people/1", "/people", "/", "/people/none"):
        get, head = people.ask("GET", target), people.ask("HEAD", target)
        assert head.status == get.status
        assert head.body == b""
        assert head.fields["Content-Length"] == get.fields["Content-Length"] == str(len(get.body))


@pytest.mark.parametrize(
    ("target", "allowed"),
    [
        ("/", "GET, HEAD, OPTIONS"),
        ("/people", "GET, HEAD, POST, OPTIONS"),
        ("/people/1", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
    ],
)
def test_options_and_405_say_what_is_allowed(target: str, allowed: str, rest: Client) -> None:
    said = rest.ask("OPTIONS", target)
    assert (said.status, said.fields["Allow"], said.body) == (204, allowed, b"")
    refused = rest.ask("BREW", target)
    assert (refused.status, refused.fields["Allow"]) == (405, allowed)
    assert allowed in refused.detail


def test_read_only_refuses_changes() -> None:
    rest = Client("rest", {"read_only": True})
    for method, target in (("POST", "/a"), ("PUT", "/a/1"), ("PATCH", "/a/1"), ("DELETE", "/a/1")):
        assert rest.ask(method, target, {}).fields["Allow"] == "GET, HEAD, OPTIONS"
    assert rest.ask("GET", "/a").json == []


def test_ids_may_be_uuids() -> None:
    rest = Client("rest", {"ids": "uuid"})
    added = rest.ask("POST", "/a", {})
    assert len(added.json["id"]) == 36
    assert rest.ask("GET", added.fields["Location"]).body == added.body
    assert rest.ask("PUT", "/a/7", {}).json == {"id": "7"}


def test_a_prefix_stands_before_the_collection() -> None:
    rest = Client("rest", {"prefix": "/api/v1/"})
    assert rest.ask("POST", "/api/v1/a", {}).fields["Location"] == "/api/v1/a/1"
    assert 'rel="next"' not in rest.ask("GET", "/api/v1/a?limit=1").fields["Link"]
    assert rest.ask("GET", "/a").status == rest.ask("GET", "/api/a/1").status == 404


def test_only_the_collections_named_are_there() -> None:
    rest = Client("rest", {"collections": ["a", "b"]})
    assert rest.ask("GET", "/").json == {"a": 0, "b": 0}
    assert rest.ask("POST", "/a", {}).status == 201
    assert rest.ask("POST", "/c", {}).detail == "There is no collection c, only a, b"


# -- what is refused


@pytest.mark.parametrize(
    ("method", "target", "body", "fields", "status", "words"),
    [
        ("GET", "/a/b/c", b"", {}, 404, "Nothing is here"),
        ("GET", "//a", b"", {}, 404, "Nothing is here"),
        ("GET", "/%ff", b"", {}, 400, "is not UTF-8"),
        ("PATCH", "/people/9", {}, {}, 404, "no document with the id 9"),
        ("DELETE", "/people/9", b"", {}, 404, "no document with the id 9"),
        ("POST", "/people", {"id": 1}, {}, 409, "has a document with the id 1"),
        ("POST", "/people", {"id": "1"}, {}, 409, "has a document with the id 1"),
        ("POST", "/people", {"id": True}, {}, 422, "The id must be a text"),
        ("POST", "/people", {"id": ""}, {}, 422, "The id must be a text"),
        ("POST", "/people", {"id": 1.5}, {}, 422, "The id must be a text"),
        ("POST", "/people", {"id": "x" * 256}, {}, 422, "at most 255 characters"),
        ("POST", "/people", [1], {}, 422, "must be a JSON object"),
        ("PUT", "/people/1", {"id": 2}, {}, 422, "is not 1, as in the path"),
        ("PATCH", "/people/1", {"id": 2}, {}, 422, "is not 1, as in the path"),
        ("PUT", "/people/1", {}, {"Content_Type": MERGE}, 415, "application/json"),
        ("POST", "/people", {}, {"Content_Type": "application/x-www-form-urlencoded"}, 415, "application/json"),
        ("PATCH", "/people/1", {}, {"Content_Type": "text/plain"}, 415, MERGE),
        ("POST", "/people", {}, {"Content_Type": "", "Origin": "http://evil.example"}, 415, "said to be nothing"),
        ("POST", "/people", b"\x1f\x8b", {"Content_Encoding": "gzip"}, 415, "The body is coded as gzip"),
        ("POST", "/people", b"\xef\xbb\xbf{}", {}, 400, "it begins with a byte order mark"),
        ("POST", "/people", {"id": ".."}, {}, 422, "The id must be"),
        ("POST", "/people", {"id": "."}, {}, 422, "The id must be"),
        ("PUT", "/people/%2e%2e", {}, {}, 404, ".. is not an id"),
        ("GET", "/people", b"", {"Accept": "text/html"}, 406, "application/json"),
        ("GET", "/people", b"", {"Accept": "*/*, application/json;q=0"}, 406, "application/json"),
        ("GET", "/people?limit=x", b"", {}, 400, "limit must be a whole number"),
        ("GET", "/people?offset=-1", b"", {}, 400, "offset must be a whole number"),
        ("GET", "/people?_page=1", b"", {}, 400, "_page has no effect here"),
        ("GET", "/people?" + "a=1&" * 33, b"", {}, 400, "More than 32"),
    ],
)
def test_a_problem_says_what_is_wrong(
    method: str, target: str, body: Any, fields: dict[str, str], status: int, words: str, people: Client
) -> None:
    reply = people.ask(method, target, body, **fields)
    assert reply.status == status
    assert words in reply.detail
    assert len(people.ask("GET", "/people").json) == 4


def test_415_says_what_patch_takes(people: Client) -> None:
    assert MERGE in people.ask("PATCH", "/people/1", b"x", Content_Type="text/plain").fields["Accept-Patch"]


@pytest.mark.parametrize(
    ("accept", "good"),
    [
        ("application/json", True),
        ("text/html, */*;q=0.8", True),
        ("application/*", True),
        ("APPLICATION/JSON; q=0.5", True),
        ("text/*", False),
        ("*/*;q=0", False),
        ("application/json;q=0.000, */*", False),
        (";;,", False),
    ],
)
def test_accept_is_heeded(accept: str, good: bool, people: Client) -> None:
    assert (people.ask("GET", "/people/1", Accept=accept).status == 200) is good


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "Expecting value in line 1, column 1"),
        (b"{", "in line 1, column 2"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": -Infinity}', "-Infinity is not JSON"),
        (b'{"a": 1e999}', "1e999 is larger than any number"),
        (b'{"a": 1, "a": 2}', '"a" is there twice'),
        (b'{"a": "\xff"}', "byte 7 is not UTF-8"),
        (b'{"a": "\\ud800"}', "half of a character"),
        (b'{"a": ' + b"9" * 1001 + b"}", "more than 1,000 digits"),
        (b'{"a": ' + b"[" * 100 + b"]" * 100 + b"}", "more than 100 deep"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "more than 100 deep"),
        (b'{"a": ' + b"9" * 70_000 + b"}", "more than 1,000 digits"),
    ],
)
def test_what_is_no_strict_json_is_refused(body: bytes, words: str, rest: Client) -> None:
    reply = rest.ask("POST", "/a", body)
    assert reply.status == 400
    assert words in reply.detail


def test_a_hundred_deep_is_kept(rest: Client) -> None:
    body = b'{"a":' + b"[" * 99 + b"]" * 99 + b"}"
    assert rest.ask("PUT", "/a/x", body, Content_Type="application/json").status == 201


def test_documents_and_their_bytes_are_bounded(rest: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert rest.ask("POST", "/a", {"x": "y" * (1 << 20)}).status == 413
    assert rest.ask("POST", "/a", b" " * ((1 << 20) + 1)).status == 413
    monkeypatch.setattr(memory, "MAX_DOCUMENTS", 2)
    assert [rest.ask("POST", "/a", {}).status for _ in range(3)] == [201, 201, 507]
    assert rest.ask("PUT", "/a/1", {"b": 1}).status == 200
    monkeypatch.setattr(memory, "MAX_BYTES", 60)
    assert rest.ask("PUT", "/a/1", {"b": "x" * 60}).status == 507
    assert rest.ask("GET", "/a/1").json == {"id": 1, "b": 1}
    assert rest.ask("DELETE", "/a/2").status == 204
    monkeypatch.setattr(memory, "MAX_COLLECTIONS", 1)
    assert rest.ask("POST", "/b", {}).status == 507
    assert rest.ask("POST", "/a", {}).json == {"id": 3}


def test_a_patch_may_not_make_a_document_too_large(rest: Client) -> None:
    rest.ask("PUT", "/a/1", {"x": "y" * 900_000})
    assert rest.ask("PATCH", "/a/1", {"z": "y" * 900_000}).status == 413
    assert list(rest.ask("GET", "/a/1").json) == ["id", "x"]


# -- conditions


def test_conditions_hold_or_not(people: Client) -> None:
    tag = people.ask("GET", "/people/1").fields["ETag"]
    table = [
        ("GET", "/people/1", {"If_None_Match": tag}, 304),
        ("HEAD", "/people/1", {"If_None_Match": f'"x", W/{tag}'}, 304),
        ("GET", "/people/1", {"If_None_Match": "*"}, 304),
        ("GET", "/people/1", {"If_None_Match": '"x"'}, 200),
        ("GET", "/people/1", {"If_Match": f'"x" , {tag}'}, 200),
        ("GET", "/people/1", {"If_Match": f"W/{tag}"}, 412),
        ("GET", "/people/9", {"If_Match": "*"}, 412),
        ("GET", "/people/9", {"If_None_Match": "*"}, 404),
        ("PUT", "/people/1", {"If_Match": '"x"'}, 412),
        ("PUT", "/people/1", {"If_None_Match": "*"}, 412),
        ("PATCH", "/people/1", {"If_Match": '"x"'}, 412),
        ("DELETE", "/people/1", {"If_Match": '"x"'}, 412),
        ("DELETE", "/people/1", {"If_None_Match": tag}, 412),
        ("PUT", "/people/9", {"If_Match": "*"}, 412),
        ("POST", "/people", {"If_Match": "*"}, 412),
        ("PUT", "/people/9", {"If_None_Match": "*"}, 201),
        ("PUT", "/people/1", {"If_Match": "*"}, 200),
    ]
    for method, target, fields, status in table:
        reply = people.ask(method, target, {} if method[0] == "P" else b"", **fields)
        assert (method, target, fields, reply.status) == (method, target, fields, status)
        if status == 304:
            assert (reply.body, reply.fields["ETag"]) == (b"", tag)
            assert reply.fields["Content-Length"] is None
    assert people.ask("DELETE", "/people/1", If_Match=tag).status == 412
    assert people.ask("DELETE", "/people/1", If_Match=people.ask("GET", "/people/1").fields["ETag"]).status == 204


def test_a_collection_has_a_tag_that_changes_with_it(people: Client) -> None:
    tag = people.ask("GET", "/people").fields["ETag"]
    again = people.ask("GET", "/people", If_None_Match=tag)
    assert (again.status, again.fields["X-Total-Count"]) == (304, "4")
    people.ask("PATCH", "/people/1", {"age": 31})
    assert people.ask("GET", "/people", If_None_Match=tag).status == 200


# -- lists


@pytest.mark.parametrize(
    ("target", "ids"),
    [
        ("", [1, 2, 3, "x"]),
        ("?", [1, 2, 3, "x"]),
        ("?name=Bob", [2]),
        ("?name=Bob&name=cid", [2, 3]),
        ("?name=Bob&age=30", []),
        ("?age=30", [1, 3]),
        ("?age=30.0", [1, 3]),
        ("?age=7.5", ["x"]),
        ("?age_ne=30", [2, "x"]),
        ("?age:ne=30&age:ne=4", ["x"]),
        ("?age!=30", [2, "x"]),
        ("?age>=7.5", [1, 3, "x"]),
        ("?age>7.5", [1, 3]),
        ("?age%3E7.5", [1, 3]),
        ("?age<7.5", [2]),
        ("?age<=7.5", [2, "x"]),
        ("?age_gte=5&age_lt=30", ["x"]),
        ("?name_gt=B&name_lte=Bob", [2]),
        ("?name_contains=B", [2]),
        ("?name_contains=I", [3]),
        ("?tags_contains=b", [1]),
        ("?id_in=1,x", [1, "x"]),
        ("?address.city=Oslo", [2]),
        ("?tags.1=b", [1]),
        ("?tags.7=b", []),
        ("?good=true", [3]),
        ("?gone=null", [3]),
        ("?name=10", ["x"]),
        ("?name:eq=10", ["x"]),
        ("?nothing=", []),
        ("?sort=age", [2, "x", 1, 3]),
        ("?sort=-age,-name", [3, 1, "x", 2]),
        ("?_sort=address.city", [3, "x", 1, 2]),
        ("?sort=id", [1, 2, 3, "x"]),
        ("?limit=2", [1, 2]),
        ("?limit=2&offset=3", ["x"]),
        ("?limit=0", []),
        ("?offset=9", []),
        ("?sort=-id&limit=1&offset=1", [3]),
        ("?name=A%6Em&name=A%6En", [1]),
    ],
)
def test_a_list_is_filtered_sorted_and_cut(target: str, ids: list[Any], people: Client) -> None:
    reply = people.ask("GET", f"/people{target}")
    assert [person["id"] for person in reply.json] == ids
    assert reply.fields["X-Total-Count"].isdigit()


def _links(reply: Any) -> dict[str, str]:
    parts = (part.split(">; rel=") for part in reply.fields["Link"].split(", "))
    return {relation.strip('"'): target.lstrip("<") for target, relation in parts}


def test_links_lead_through_all_pages(rest: Client) -> None:
    for number in range(7):
        rest.ask("POST", "/a", {"n": number % 2, "x": number})
    first = rest.ask("GET", "/a?n=0&sort=-x&limit=3")
    assert first.fields["X-Total-Count"] == "4"
    links = _links(first)
    assert set(links) == {"first", "next", "last"}
    assert links["next"] == links["last"] == "/a?n=0&sort=-x&offset=3&limit=3"
    last = rest.ask("GET", links["last"])
    assert [one["x"] for one in first.json + last.json] == [6, 4, 2, 0]
    assert set(_links(last)) == {"first", "prev", "last"}
    assert rest.ask("GET", _links(last)["prev"]).body == first.body
    assert rest.ask("GET", "/a").fields["Link"] is None


def test_an_answer_has_no_more_than_a_page() -> None:
    rest = Client("rest", {"page": 2})
    for _ in range(3):
        rest.ask("POST", "/a", {})
    page = rest.ask("GET", "/a?limit=50")
    assert [one["id"] for one in page.json] == [1, 2]
    assert [one["id"] for one in rest.ask("GET", _links(page)["next"]).json] == [3]


def test_a_page_ends_where_it_gets_large(rest: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query, "MAX_PAGE", 50)
    for letter in "abc":
        rest.ask("POST", "/a", {"x": letter * 20})
    page = rest.ask("GET", "/a")
    assert [one["id"] for one in page.json] == [1]
    assert [one["id"] for one in rest.ask("GET", _links(page)["next"]).json] == [2]


# -- waiting


def test_a_delay_is_kept_and_ends_when_the_client_leaves() -> None:
    rest = Client("rest", {"delay": 2.0})
    line, other = rest.line(), rest.line()
    line.send("GET", "/a")
    other.send("POST", "/a", b"{}")
    other.leave()
    rest.context.reactor.advance(1.9)
    assert line.transport.value() == b""
    rest.context.reactor.advance(0.2)
    assert line.replies("GET")[0].json == []
    line.leave()
    assert not rest.context.reactor.getDelayedCalls()


def test_pipelined_requests_are_done_in_order(rest: Client) -> None:
    line = rest.line()
    line.send("POST", "/a", b'{"n":1}')
    line.send("PATCH", "/a/1", b'{"n":2}')
    line.send("GET", "/a/1")
    line.send("DELETE", "/a/1")
    line.send("HEAD", "/a/1")
    statuses = [reply.status for reply in line.replies("POST", "PATCH", "GET", "DELETE", "HEAD")]
    assert statuses == [201, 200, 200, 204, 404]


# -- files


def _seeded(tmp_path: Path, content: str) -> Client:
    (tmp_path / "seed.json").write_text(content)
    return Client("rest", {"seed": "seed.json"}, BareContext(folder=tmp_path))


def test_a_seed_brings_the_first_documents(tmp_path: Path) -> None:
    rest = _seeded(tmp_path, json.dumps({"people": PEOPLE, "none": [], "bare": [{}, {"id": 5}, {}]}))
    assert rest.ask("GET", "/people").json == PEOPLE
    assert [one["id"] for one in rest.ask("GET", "/bare").json] == [1, 5, 6]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[]", "must be an object of arrays"),
        ('{"a": {}}', '"a" must be an array of objects'),
        ('{"a": [{"id": 1}, {"id": "1"}]}', "the id '1' is there twice"),
        ('{"a": [{"id": null}]}', "is not a text or a number"),
        ("{", "in line 1"),
    ],
)
def test_a_bad_seed_is_told_until_it_is_mended(content: str, words: str, tmp_path: Path) -> None:
    rest = _seeded(tmp_path, content)
    assert words in rest.context.logged[0][0]
    for _ in range(2):
        reply = rest.ask("GET", "/a")
        assert reply.status == 503
        assert words in reply.detail
        assert str(tmp_path) not in reply.detail
    (tmp_path / "seed.json").write_text('{"a": [{}]}')
    assert rest.ask("GET", "/a").json == [{"id": 1}]


@pytest.mark.parametrize("name", ["../x.json", "/etc/passwd", "a\0b"])
@pytest.mark.parametrize("option", ["seed", "keep"])
def test_files_are_in_the_workspaces_folder(option: str, name: str, tmp_path: Path) -> None:
    rest = Client("rest", {option: name}, BareContext(folder=tmp_path))
    assert "is not in the workspace's folder" in rest.ask("GET", "/a").detail


def test_a_link_does_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "out.json").write_text("{}")
    (inner / "link.json").symlink_to(tmp_path / "out.json")
    rest = Client("rest", {"seed": "link.json"}, BareContext(folder=inner))
    assert "is not in the workspace's folder" in rest.ask("GET", "/a").detail


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"prefix": "api"}, "must be a path"),
        ({"ids": "x"}, "Use one of number, uuid"),
        ({"collections": [""]}, "is not a name of a collection"),
        ({"page": 0}, "at least 1"),
        ({"delay": -1.0}, "at least 0"),
    ],
)
def test_options_are_checked(options: dict[str, Any], words: str) -> None:
    found = responders.find("rest")
    assert found is not None
    ((_, text),) = problems(found.options, options)
    assert words in text


# -- anything at all

_SEGMENT = st.sampled_from(["a", "b", "1", "2", "..", "%2e", "%ff", "", "x y".replace(" ", "%20")])
_BODY = st.sampled_from([b"", b"{}", b'{"id":2,"a":[1]}', b"[1]", b"{", b"\xff", b'{"a":null}'])
_ASKED = st.tuples(
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]),
    st.lists(_SEGMENT, max_size=3).map(lambda parts: "/" + "/".join(parts)),
    st.sampled_from(["", "?sort=-a", "?a>=1", "?limit=1&offset=1", "?>=", "?=&&a", "?_gt=1", "?!=1", "?sort=,"]),
    _BODY,
    st.sampled_from([{}, {"If-Match": '"x'}, {"If-None-Match": ",,*,"}, {"Accept": "*"}, {"Content-Type": "a/b"}]),
)


@given(st.lists(_ASKED, max_size=6))
def test_any_requests_are_answered_in_good_order(asked: list[Any]) -> None:
    line = Client("rest").line()
    for method, path, search, body, fields in asked:
        line.send(method, path + search, body, fields)
    for reply in line.replies(*(one[0] for one in asked)):
        assert reply.status < 500
        if reply.body:
            reply.json  # noqa: B018 - it must be JSON


# -- what strangers broke


def test_c8_an_id_keeps_its_type(rest: Client) -> None:
    rest.ask("POST", "/things", {"name": "a"})
    rest.ask("POST", "/things", {"name": "b"})
    assert rest.ask("PUT", "/things/1", {"name": "c", "id": "1"}).json == {"name": "c", "id": 1}
    assert rest.ask("PATCH", "/things/1", {"id": "1", "name": "d"}).json == {"name": "d", "id": 1}
    assert [found["id"] for found in rest.ask("GET", "/things?sort=id").json] == [1, 2]
    assert rest.ask("GET", "/things?id=1").json == [{"name": "d", "id": 1}]


def test_c8_an_id_that_is_a_text_stays_one(rest: Client) -> None:
    assert rest.ask("POST", "/things", {"id": "7"}).json == {"id": "7"}
    assert rest.ask("PUT", "/things/7", {"n": 1}).json == {"id": "7", "n": 1}
    assert rest.ask("PUT", "/things/7", {"id": 7, "n": 2}).json == {"id": "7", "n": 2}
    assert rest.ask("PATCH", "/things/7", {"id": None, "n": 3}).json == {"id": "7", "n": 3}


def test_c8_an_id_keeps_its_type_in_files_too(tmp_path: Path) -> None:
    (tmp_path / "seed.json").write_text('{"things": [{"id": "1"}, {"id": 2}]}')
    for _ in range(2):  # from the seed, then from what was kept
        client = Client("rest", {"seed": "seed.json", "keep": "kept.db"}, BareContext(folder=tmp_path))
        assert client.ask("PUT", "/things/1", {"id": 1}).json == {"id": "1"}
        assert client.ask("PUT", "/things/2", {"id": "2"}).json == {"id": 2}


@pytest.mark.parametrize(
    ("target", "ids"),
    [
        ("?phone=0666666666", [2]),
        ("?phone=666666666", [1]),
        ("?phone_in=0666666666,5", [2]),
        ("?phone_ne=0666666666", [1]),
        ("?phone_gte=0666666666", [2]),
        ("?phone_contains=0666666666", [2]),
        ("?phone=-0", []),
    ],
)
def test_c25_what_is_no_number_in_json_compares_as_text(target: str, ids: list[int], rest: Client) -> None:
    rest.ask("POST", "/things", {"phone": 666666666})
    rest.ask("POST", "/things", {"phone": "0666666666"})
    assert [found["id"] for found in rest.ask("GET", "/things" + target).json] == ids


@pytest.mark.parametrize(
    ("target", "read_only", "patched"),
    [("/people/1", False, True), ("/people", False, False), ("/", False, False), ("/people/1", True, False)],
)
def test_c25_options_says_what_patch_takes(target: str, read_only: bool, patched: bool) -> None:
    """RFC 5789 section 3.1."""
    said = Client("rest", {"read_only": read_only}).ask("OPTIONS", target).fields["Accept-Patch"]
    assert said == ("application/merge-patch+json, application/json" if patched else None)
