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


ABC = [["Content-Type", "multipart/form-data; boundary=abc"]]


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


def test_c21_a_line_that_goes_on_after_the_boundary_belongs_to_the_part() -> None:
    body = b'--abc\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--abcdef\r\n--abc--x\r\ny\r\n--abc--\r\n'
    (part,) = parts(body, ABC)
    assert (part.name, part.data) == ("a", b"x\r\n--abcdef\r\n--abc--x\r\ny")


def test_c21_lines_may_end_with_lf_alone() -> None:
    body = b'--abc\nContent-Disposition: form-data; name="a"\n\nx\n--abcdef\ny\n--abc\n\nz\n--abc--\n'
    assert [(part.name, part.data) for part in parts(body, ABC)] == [("a", b"x\n--abcdef\ny"), (None, b"z")]


def test_lf_alone_ends_no_line_of_a_body_with_crlf() -> None:
    (part,) = parts(b"--abc\r\n\r\nx\n--abc\ny\n--abc--\r\n--abc--", ABC)
    assert part.data == b"x\n--abc\ny\n--abc--"


def test_what_stands_before_the_first_part_and_behind_the_last_is_left_out() -> None:
    (part,) = parts(b"This is MIME\r\n--abc \t\r\nContent-Type: text/x\r\n\r\n1\r\n--abc-- \r\n--abc\r\n\r\n2", ABC)
    assert (part.kind, part.data) == ("text/x", b"1")


def test_of_a_body_that_breaks_off_the_last_part_is_what_came() -> None:
    assert [part.data for part in parts(b"--abc\r\n\r\n1\r\n--abc\r\n\r\n2\r\n--ab", ABC)] == [b"1", b"2\r\n--ab"]
    assert [part.data for part in parts(b"--abc\r\n--abc\r\n\r\n2", ABC)] == [b"", b"2"]


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


def test_parameters_that_no_program_writes_are_none() -> None:
    """``email`` raises TypeError for the first of them."""
    for boundary in ("boundary*=utf-8''%ff; boundary*0=a", "boundary*1=b; boundary*0*=x'y'%zz; boundary*x=1"):
        assert parts(b"--a\r\n\r\n1\r\n--a--", [["Content-Type", f"multipart/form-data; {boundary}"]]) == []
    body = b"--abc\r\nContent-Disposition: form-data; name*=a; name*0=b; filename*=u'v'%zz\r\n\r\n1\r\n--abc--"
    [part] = parts(body, ABC)
    assert (part.name, part.data) == (None, b"1")


def test_a_file_name_in_another_alphabet_is_read() -> None:
    body = b"--abc\r\nContent-Disposition: form-data; name=a; filename*=UTF-8''%C3%BC.txt\r\n\r\n1\r\n--abc--"
    [part] = parts(body, ABC)
    assert (part.name, part.file) == ("a", "ü.txt")
