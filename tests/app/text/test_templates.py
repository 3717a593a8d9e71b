"""app.text.templates."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.text import errors
from app.text.template_filters import FILTERS
from app.text.template_functions import FUNCTIONS
from app.text.templates import MAX_EXPRESSIONS, MAX_OUTPUT, Template, problem

NOON = 1_795_176_000.25  # 2026-11-20T12:00:00.250Z


def render(text: str, **values: Any) -> bytes:
    numbered = {name.lstrip("_"): value for name, value in values.items()}
    return Template(text, clock=lambda: NOON, random=Random(7)).render(numbered)


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("", b""),
        (r"a\r\n\x00\xffü", b"a\r\n\x00\xff\xc3\xbc"),
        ("{{1}} and {{ name }}", b"one and \xc3\xbc"),
        ("{{raw}}{{number}}{{nothing}}", b"\xff\x007"),
        (r"\{{1}}", b"{{1}}"),
        ("} }} {", b"} }} {"),
        ("""{{"a\\x00 }} | '"}}{{'"'}}""", b"a\x00 }} | '\""),
        ("{{1 | upper}}{{name | upper}}{{raw | upper}}", b"ONE\xc3\x9c\xff\x00"),
        ("{{' x ' | trim}}{{1 | reverse}}{{name | length}}", b"xeno2"),
        ("{{raw | hex}} {{number | hex}} {{'ff 00' | unhex}}", b"ff00 7 \xff\x00"),
        ("{{raw | base64}} {{'/wA=' | unbase64}}", b"/wA= \xff\x00"),
        (r"""{{'a"\n\\' | json}}""", rb"a\"\n\\"),
        ("{{'258' | u16be}}{{'0x102' | u16le}}{{number | u8}}", b"\1\2\2\1\7"),
        ("{{'-1' | u32be}}{{'1' | u32le}}{{number | u32be}}", b"\xff\xff\xff\xff\1\0\0\0\0\0\0\7"),
        ("{{none | default 'x'}}{{nothing | default 'y'}}{{1 | default 'z'}}", b"xyone"),
        ("{{none | upper | default x}}", b"x"),
        ('{{pad 1 6 "0"}}{{1 | pad -5 .}}{{pad "7" 3}}', b"000oneone..  7"),
        ("{{path.id}}", b"42"),
    ],
)
def test_renders(text: str, rendered: bytes) -> None:
    values = {
        "_1": "one", "name": "ü", "raw": b"\xff\0", "number": 7, "nothing": None, "path.id": "42",
    }  # fmt: skip
    assert render(text, **values) == rendered


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("123456789{{crc16}}", b"1234567897K"),
        ("123456789{{crc16 | hex}}", b"1234567894b37"),
        ("123456789{{crc16 ccitt}}", b"123456789\x29\xb1"),
        ('123456789{{crc16 "ccitt" | u16le}}', b"123456789\xb1\x29"),
        ("x123456789{{crc16 modbus 1 | hex | upper}}", b"x1234567894B37"),
        ("123456789{{crc16 genibus | hex}}", b"123456789d64e"),
        ("123456789{{crc crc-16/modbus}}", b"1234567897K"),
        ("x123456789{{crc CRC-8/MAXIM-DOW 1 | hex}}", b"x123456789a1"),
        ("123456789{{crc crc32c | hex}}", b"123456789e3069283"),
        ("{{m | crc CRC64-XZ | hex}} {{m | crc crc-5/usb | hex}}", b"995dc9bbdf1939fa 19"),
        ("123456789{{crc32}}", b"123456789\xcb\xf4\x39\x26"),
        ("$GP,1{{xor8 1 | hex}}", b"$GP,10a"),
        ("ab{{sum8}}{{lrc8}}", b"ab\xc3z"),
        ("{{m | crc16 | hex}} {{m | xor8 | hex}}", b"4b37 31"),
    ],
)
def test_checksums_are_over_what_was_rendered_before_them_or_over_a_value(text: str, rendered: bytes) -> None:
    assert render(text, m=b"123456789") == rendered


def test_time_is_utc_unless_local_is_asked_for() -> None:
    assert render("{{now}} {{unix}} {{unix_ms}}") == b"2026-11-20T12:00:00.250Z 1795176000 1795176000250"
    assert render('{{now "%d.%m.%Y %H:%M:%S"}}') == b"20.11.2026 12:00:00"
    there = datetime.fromisoformat(render("{{now '' local}}").decode())
    assert there.timestamp() == NOON
    assert there.utcoffset() == datetime.fromtimestamp(NOON, UTC).astimezone().utcoffset()


def test_what_is_random_keeps_its_bounds() -> None:
    for _ in range(50):
        assert 1 <= int(render("{{random 1 6}}")) <= 6
    assert re.fullmatch(rb"[0-9a-f]{7}", render("{{random_hex 7}}"))
    assert re.fullmatch(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", render("{{uuid}}"))
    assert {render(f"{{{{pick a 'b c'}}}}{'.' * i}")[:-i] for i in range(1, 3)} <= {b"a", b"b c"}


def test_each_template_counts_on_by_itself() -> None:
    template, other = Template("{{counter}} {{counter 100 5}} {{counter 3 -1}}"), Template("{{counter}}")
    assert [template.render({}) for _ in range(3)] == [b"1 100 3", b"2 105 2", b"3 110 1"]
    assert other.render({}) == b"1"


def test_a_template_knows_the_values_that_it_needs() -> None:
    text = "{{a}} {{pad b 8}} {{'c'}} {{d | default x}} {{uuid}} {{e.f | hex}} {{pad 'g' 8}} {{pick h}}"
    assert Template(text).names == {"a", "b", "e.f"}


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("{{", 3, "}} is missing"),
        ("ab{{ x", 7, "}} is missing"),
        ("{{x}", 4, "}} is missing"),
        ("a{{}}", 4, "something is missing before this"),
        ("{{x | | upper}}", 7, "something is missing before this"),
        ('{{"x}}', 3, "a closing quotation mark is missing"),
        ("{{x{y}}", 4, "{ cannot stand here"),
        (r"ab\q", 3, r"\q is not an escape"),
        (r'{{"\q"}}', 3, r"\q is not an escape"),
        ("{{x | nope}}", 1, "nope is not a filter. Use one of upper"),
        ("{{nope 1}}", 1, "nope is not a function. Use one of counter"),
        ("{{random 1}}", 1, "random takes 2 words after it, and got 1"),
        ("{{uuid 1}}", 1, "uuid takes no words after it"),
        ("{{counter 1 2 3}}", 1, "counter takes 0 to 2 words"),
        ("{{random 6 1}}", 1, "must not be greater"),
        ("{{random a 1}}", 1, "“a” is not a whole number"),
        ("{{random_hex 0}}", 1, "0 must be from 1 to 4096"),
        ("{{now '%Q'}}", 1, "is not a format of time"),
        ("{{now '' mars}}", 1, "the zone is utc or local"),
        ("{{crc16 nope}}", 1, "nope is not a CRC-16. Use modbus"),
        ("{{crc nope}}", 1, "nope is not a CRC of the catalogue, such as crc-16/modbus"),
        ("{{crc crc16}}", 1, "crc16 is not a CRC of the catalogue"),
        ("{{crc16 gen ibus}}", 1, "gen ibus is not a CRC-16"),
        ("{{crc32 nope}}", 1, "crc32 takes no more words"),
        ("{{x | pad 3 ab}}", 1, "a single character"),
    ],
)
def test_what_is_no_template_is_said_in_words_with_its_place(text: str, position: int, reason: str) -> None:
    said = problem(text)
    assert said is not None
    assert said.startswith(f"At character {position}: ")
    assert reason in said
    with pytest.raises(errors.TemplateError, match=re.escape(reason)):
        Template(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("..{{nope}}", "At character 3: there is no value nope here. Values are: 1, big, time"),
        ("{{1 | u8}}", "“one” is not a whole number"),
        ("{{'256' | u8}}", "256 does not fit into 8 bits"),
        ("{{'-129' | u8}}", "-129 does not fit into 8 bits"),
        ("{{'xyz' | unhex}}", "hex needs pairs"),
        ("{{'%' | unbase64}}", "not base64"),
        ("{{big}}", "more than 1,048,576 bytes"),
        ("{{big | hex}}", "too much"),
        ("{{1 | pad 1000000}}{{1 | pad 1000000}}", "more than 1,048,576 bytes"),
        ("{{time}}", "cannot be written"),
    ],
)
def test_what_cannot_be_rendered_is_said_in_words(text: str, reason: str) -> None:
    with pytest.raises(errors.TemplateError, match=re.escape(reason)):
        render(text, _1="one", big=bytes(MAX_OUTPUT + 1), time=10**5000)


def test_the_length_of_something_big_can_be_told() -> None:
    assert render("{{big | length}}", big=bytes(16 << 20)) == b"16777216"


def test_work_is_bounded_however_often_it_is_asked_for() -> None:
    data = bytes(MAX_OUTPUT)
    for filters in ("crc16 | length", "hex | length", "crc32 | length"):
        with pytest.raises(errors.TemplateError, match="too much"):
            render(f"{{{{m | {filters}}}}}" * 10, m=data)
    with pytest.raises(errors.TemplateError, match="more than 10,000 expressions"):
        Template("{{m}}" * (MAX_EXPRESSIONS + 1))
    with pytest.raises(errors.TemplateError, match="more than 1,048,576 bytes"):
        Template("x" * (MAX_OUTPUT + 1))


def test_a_time_of_no_calendar_is_an_error_in_words() -> None:
    with pytest.raises(errors.TemplateError, match="cannot be written"):
        Template("{{now}}", clock=lambda: 1e300).render({})


@given(st.text())
def test_text_without_braces_and_backslashes_is_itself(text: str) -> None:
    text = text.replace("{{", "").replace("\\", "")
    if "{{" not in text:
        assert Template(text).render({}) == text.encode("utf-8", "replace")


_NAMES = [*FUNCTIONS, *FILTERS, "x", "1", "none"]
_WORDS = st.sampled_from([*_NAMES, "0", "-3", "8", "'%Y'", '"\\x00"', "ccitt", '"0"'])
_EXPRESSIONS = st.lists(st.lists(_WORDS, max_size=4).map(" ".join), max_size=4).map("|".join)
_PIECES = st.one_of(
    st.text(max_size=10), _EXPRESSIONS.map("{{{{{}}}}}".format), st.sampled_from(["{{", "}}", "\\", '"'])
)
_VALUES = st.one_of(st.none(), st.binary(max_size=20), st.text(max_size=20), st.integers(), st.floats(), st.booleans())


@given(st.lists(_PIECES, max_size=6).map("".join), _VALUES, _VALUES)
@example("{{now '%\ud800'}}", None, None)
@example("{{'\x00' | upper | u8}}", None, None)
def test_any_text_is_a_template_or_says_why_not_and_renders_or_says_why_not(text: str, x: object, one: object) -> None:
    said, rendered = problem(text), None
    try:
        rendered = Template(text).render({"x": x, "1": one})
    except errors.TemplateError as e:
        said = said or str(e)
    assert (said is None) is (rendered is not None)
    assert len(rendered or b"") <= MAX_OUTPUT


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("$PMTK001,{{cmd}},3*{{nmea}}", b"$PMTK001,600,3*36"),
        ("$PMTK001,{{cmd}},3*{{xor8 1 1 | hex | upper}}", b"$PMTK001,600,3*36"),
        ("!AIVDM,1,1,,A,14eG;o@034o8sd<L9i:a;WF>062D,0*{{nmea}}", b"!AIVDM,1,1,,A,14eG;o@034o8sd<L9i:a;WF>062D,0*7D"),
        (
            r"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*{{nmea}}\r\n$PMTK010,001*{{nmea}}",
            b"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n$PMTK010,001*2E",
        ),
        ("$a{{nmea}}", b"$a61"),
        ("abcd{{sum8 1 2 | hex}}", b"abcd62"),
        ("abcd{{crc16 modbus 1 1 | hex}}{{crc16 0 4 | hex}}", b"abcdf9681d97"),
        ("ab{{sum8 5 5 | hex}}", b"ab00"),
        ("ab{{crc crc-8/smbus 1 | hex}}", b"ab29"),
    ],
)
def test_c11_a_checksum_leaves_out_what_frames_it(text: str, rendered: bytes) -> None:
    assert render(text, cmd="600") == rendered


def test_c11_nmea_says_what_it_lacks() -> None:
    with pytest.raises(errors.TemplateError, match=r"nmea needs a \$ or ! before it"):
        render("GPGGA*{{nmea}}")
    assert problem("{{nmea 1}}") == "At character 1: nmea takes no words after it, and got 1."
