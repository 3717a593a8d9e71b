"""Forms, queries and cookies taken apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.http.forms import MAX_PARTS, cookies, pairs, parts, query, set_cookies

MULTIPART = (
    b"--XX\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nA picture\r\n"
    b"--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a b.png\"\r\nContent-Type: image/png\r\n\r\n"
    b"\x89PNG\r\n\r\n--X\r\n--XX--\r\n"
)  # fmt: skip


def test_a_form_is_pairs_in_order() -> None:
    assert pairs("name=Mara+L%C3%B6w&empty=&flag&name=2") == [
        ("name", "Mara Löw"), ("empty", ""), ("flag", ""), ("name", "2"),
    ]  # fmt: skip


def test_a_query_ends_before_the_fragment() -> None:
    assert query("/a?x=1&y=%20#z=3") == [("x", "1"), ("y", " ")]
    assert query("/a") == []


def test_cookies_of_both_sides() -> None:
    assert cookies([["Cookie", 'a=1; b="2"'], ["cookie", "c=x=y"]]) == [("a", "1"), ("b", '"2"'), ("c", "x=y")]
    assert list(set_cookies([["Set-Cookie", "sid=1; Path=/; HttpOnly"], ["SET-COOKIE", "b=2"]])) == [
        ("sid", "1", ["Path=/", "HttpOnly"]), ("b", "2", []),
    ]  # fmt: skip


def test_a_multipart_body_has_parts() -> None:
    title, file = parts(MULTIPART, [["Content-Type", "multipart/form-data; boundary=XX"]])
    assert (title.name, title.file, title.kind, title.data) == ("title", None, "", b"A picture")
    assert (file.name, file.file, file.kind, file.data) == ("file", "a b.png", "image/png", b"\x89PNG\r\n\r\n--X")


def test_without_a_boundary_there_are_no_parts() -> None:
    assert parts(MULTIPART, [["Content-Type", "multipart/form-data"]]) == []
    assert parts(MULTIPART, [["Content-Type", "text/plain; boundary=XX"]]) == []


def test_there_is_an_end_to_what_is_looked_at() -> None:
    assert len(pairs("a=1&" * 10_000)) == MAX_PARTS
    assert len(cookies([["Cookie", "a=1;" * 10_000]])) == MAX_PARTS
    many = b"--XX\r\n\r\nx\r\n" * 10_000
    assert len(parts(many, [["Content-Type", "multipart/mixed; boundary=XX"]])) == MAX_PARTS


@given(st.binary(max_size=300), st.text(max_size=60), st.text(max_size=60))
def test_anything_can_be_taken_apart(data: bytes, kind: str, text: str) -> None:
    parts(b"--XX\r\n" + data, [["Content-Type", "multipart/x; boundary=XX"]])
    parts(data, [["content-type", f"multipart/{kind}"]])
    pairs(text)
    cookies([["cookie", text]])
    list(set_cookies([["set-cookie", text]]))
