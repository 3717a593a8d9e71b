"""app.text.escapes."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.text import errors
from app.text import escapes as text


@given(st.binary())
def test_what_escape_shows_can_be_typed_again(data):
    assert text.unescape(text.escape(data)) == data


@given(st.binary())
def test_escaped_text_is_one_line_without_control_characters(data):
    assert text.escape(data).isprintable()


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"plain", "plain"),
        (b"a\r\n\t\0\x1b[0m", r"a\r\n\t\0\e[0m"),
        (b"back\\slash", r"back\\slash"),
        ("Grüße 🙂".encode(), "Grüße 🙂"),
        (b"\xff\xfe", r"\xff\xfe"),
        ("\u202edrow".encode(), r"\xe2\x80\xaedrow"),
        ("a\u2028b\u00a0c".encode(), r"a\xe2\x80\xa8b\xc2\xa0c"),
        (b"", ""),
    ],
)
def test_escape(data, shown):
    assert text.escape(data) == shown


@pytest.mark.parametrize("typed", ["\\", "a\\", r"\q", r"\x", r"\x4", r"\xg0", "\\\n", r"\u0041"])
def test_an_unknown_escape_is_refused_in_words(typed):
    with pytest.raises(errors.EscapeError, match="is not an escape"):
        text.unescape(typed)


def test_bytes_of_the_command_line_that_are_no_text_stay_as_they_are():
    typed = os.fsdecode(b"a\xff\xfe") + "\\n\ud800"
    assert text.unescape(typed) == b"a\xff\xfe\n?"


def test_unescape_takes_quotes_and_utf8():
    assert text.unescape(r"\"\'ü\x41") == b"\"'\xc3\xbcA"


@given(st.text(st.characters()))
def test_unescape_gives_bytes_or_an_escape_error(typed):
    try:
        assert isinstance(text.unescape(typed), bytes)
    except errors.EscapeError:
        assert "\\" in typed


@given(st.text(st.characters()))
def test_one_line_keeps_what_shows_and_no_more(any_text):
    line = text.one_line(any_text)
    assert line.isprintable()
    if any_text.isprintable():
        assert line == any_text


@given(st.text(), st.integers(0, 40))
def test_preview_never_shows_half_a_character(whole, cut):
    data = whole.encode()
    shown = text.preview(data[:cut], len(data))
    if cut < len(data):
        assert shown.endswith("…")
        assert text.escape(data).startswith(shown[:-1])
    else:
        assert shown == text.escape(data)


@pytest.mark.parametrize("typed", ["48 65 6c", "48656C", "0x48,0x65,0x6c", "48:65:6c", " 48\n65\t6c "])
def test_unhex_takes_the_usual_ways_to_write_hex(typed):
    assert text.unhex(typed) == b"Hel"


@pytest.mark.parametrize("typed", ["4", "4g", "hello", "48 6", "٤٨", "0x"[:1]])
def test_unhex_refuses_the_rest_in_words(typed):
    with pytest.raises(errors.EscapeError, match="pairs of digits"):
        text.unhex(typed)


@given(st.binary())
def test_unhex_reads_what_python_writes(data):
    assert text.unhex(data.hex(" ")) == data


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"), (999, "999 B"), (999.6, "1.0 kB"), (1000, "1.0 kB"), (4100, "4.1 kB"), (99_940, "99.9 kB"),
        (99_960, "100 kB"), (999_499, "999 kB"), (999_600, "1.0 MB"), (1_234_567, "1.2 MB"), (2e9, "2.0 GB"),
        (5e12, "5000 GB"),
    ],
)  # fmt: skip
def test_amounts_in_words(count, words):
    assert text.amount(count) == words
