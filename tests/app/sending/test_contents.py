"""From what is written in a message to its bytes, and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sending.contents import as_written, content, form_pairs, headers_for, json_problem, problem
from app.sending.errors import DataUnreadableError
from app.text.errors import UnknownVariableError

FORM, JSON = "application/x-www-form-urlencoded", "application/json"


def sent(form: str, data: str, number: int = 1, **given: str) -> bytes:
    return content(form, data, Path(), given)(number)


@pytest.mark.parametrize(
    ("form", "data", "wanted"),
    [
        ("plain", 'a\\n"\n\tü{{x}}\\{{y}}', 'a\\n"\n\tü7{{y}}'.encode()),
        ("json", '{"a": "\\u00fc {{x}}", "n": {{x}}}', b'{"a": "\\u00fc 7", "n": 7}'),
        ("form", "a={{x}}&\nb c=d=e\n# off=1\n\nempty=", b"a=7%26&b+c=d%3De&empty="),
        ("template", "{{x}}\\x00{{number}}", b"7\0001"),
        ("text", "{{x}}\\n", b"{{x}}\n"),
        ("hex", "00 ff", b"\0\xff"),
    ],
)
def test_each_form_has_its_bytes(form: str, data: str, wanted: bytes) -> None:
    assert sent(form, data, x="7") == wanted


def test_what_is_filled_in_may_differ_from_message_to_message() -> None:
    each = content("json", '{"n": {{number}}, "c": {{counter 5}}}', Path())
    assert [each(1), each(2)] == [b'{"n": 1, "c": 5}', b'{"n": 2, "c": 6}']


@pytest.mark.parametrize("form", ["plain", "json", "form", "template"])
def test_an_unknown_variable_is_told_before_anything_is_sent(form: str) -> None:
    with pytest.raises(UnknownVariableError):
        content(form, "a={{nothing}}", Path())
    assert "no variable nothing" in (problem(form, "a={{nothing}}") or "")
    assert problem(form, "a={{nothing}}", {"nothing": ""}) is None


def test_what_is_no_json_is_told_of_what_is_filled_in() -> None:
    assert json_problem('{"a": {{x}}}', {"x": "1"}) is None
    assert "line 1" in (json_problem('{"a": {{x}}}', {"x": "oh"}) or "")
    assert json_problem("{{unknown}}") is None  # ``problem`` tells that


def test_forms_with_a_media_type_bring_it_unless_one_is_given() -> None:
    assert headers_for("json", "1", [("X", "1")]) == (("X", "1"), ("Content-Type", JSON))
    assert headers_for("form", "a", [("content-type", "text/plain")]) == (("content-type", "text/plain"),)
    assert headers_for("plain", "x", []) == headers_for("json", "", []) == ()


@pytest.mark.parametrize(
    ("data", "kind", "form"),
    [
        (b"", "", "text"),
        (b"hello\r\n\x00", "", "text"),
        (b"\x00\x01\xff\xfe\x80\x81", "", "hex"),
        (b'{"a": "\\n"}\n', JSON, "json"),
        (b'{"a": 1}', "application/hal+json", "json"),
        (b"a\r\nb", "text/plain", "text"),
        ("nb\u00a0sp".encode(), "text/plain", "text"),
        (b"{{mustache}}", "text/html", "plain"),
        (b"a=1&b=x+y&c=%26", FORM, "form"),
        (b"a=1&b=x%20y", FORM, "plain"),
        (b"a=%0A", FORM, "plain"),
        (bytes(range(256)), "image/png", "hex"),
    ],
)
def test_bytes_are_shown_in_the_form_that_reads_best(data: bytes, kind: str, form: str) -> None:
    found = as_written(data, kind=kind)
    assert found is not None
    assert found[0] == form
    assert content(*found, Path())(1) == data


@given(
    st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from(["", JSON, FORM, "text/plain", "image/png"]),
    st.booleans(),
)
def test_what_is_shown_of_bytes_is_sent_as_the_same_bytes(data: bytes, kind: str, binary: bool) -> None:
    found = as_written(data, kind=kind, binary=binary)
    assert found is not None
    assert content(*found, Path())(1) == data


def test_more_than_a_form_can_hold_is_not_shown() -> None:
    assert as_written(bytes(101), most=100) is None
    assert as_written(b"\xff" * 60, most=100) is None


def test_lines_of_a_form_that_are_off_are_not_sent() -> None:
    assert form_pairs("a=1\n# b=2\nc") == [("a", "1"), ("c", "")]


def test_a_form_with_files_is_what_a_parser_that_is_not_ours_reads(tmp_path: Path) -> None:
    from email.parser import BytesParser
    from email.policy import HTTP

    (tmp_path / "p.png").write_bytes(bytes(range(256)))
    lines = 'who={{x}}\nquo"te=1\n# off=2\npicture=@{{file}}'
    [(_, kind)] = headers_for("multipart", lines, [])
    body = content("multipart", lines, tmp_path, {"x": "Ann", "file": "p.png"})(1)
    parsed = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
    parts = [
        (part.get_param("name", header="content-disposition"), part.get_filename(), part.get_payload(decode=True))
        for part in parsed.iter_parts()  # type: ignore[attr-defined]
    ]
    assert parts == [
        ("who", None, b"Ann"), ("quo%22te", None, b"1"), ("picture", "p.png", bytes(range(256)))
    ]  # fmt: skip
    assert b"Content-Type: image/png\r\n" in body
    with pytest.raises(DataUnreadableError):
        content("multipart", "a=@none", tmp_path)
    for form, data in (("multipart", "a=@~nobody-is-called-so/x"), ("file", "~nobody-is-called-so/x")):
        with pytest.raises(DataUnreadableError):
            content(form, data, tmp_path)
    assert problem("multipart", "a=@none") is None  # whether a file is there shows when it is sent
    assert "no variable no" in (problem("multipart", "a=@{{no}}") or "")
