"""app.failures.fingerprint."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.failures.fingerprint import fingerprint, generalised, own_frames
from app.failures.record import FailureRecord, Frame

TWISTED = Frame("/venv/lib/python3.11/site-packages/twisted/internet/tcp.py", 250, "_dataReceived")
OUTER = Frame("/home/a/plugins/meter.py", 10, "dataReceived", ((10, "    self.handle(data)"),))
INNER = Frame("/home/a/plugins/meter.py", 20, "handle", ((20, "    raise ValueError(data)"),))


def failure(*frames: Frame, kind: str = "ValueError", message: str = "no 1") -> FailureRecord:
    return FailureRecord(kind, message, frames)


ONE = fingerprint(failure(TWISTED, OUTER, INNER))


def test_messages_line_numbers_and_folders_do_not_count() -> None:
    moved = Frame("/srv/b/plugins/meter.py", 99, "handle", ((99, "raise ValueError(data)  "),))
    assert fingerprint(failure(TWISTED, OUTER, moved, message="no 2")) == ONE


def test_frames_of_libraries_do_not_count_beside_ones_own() -> None:
    assert fingerprint(failure(OUTER, INNER, TWISTED)) == ONE


@pytest.mark.parametrize(
    "other",
    [
        failure(TWISTED, OUTER, INNER, kind="KeyError"),
        failure(TWISTED, OUTER),
        failure(TWISTED, OUTER, Frame(INNER.file, 20, "other", INNER.source)),
        failure(TWISTED, OUTER, Frame(INNER.file, 20, "handle", ((20, "return 1 / 0"),))),
        failure(TWISTED, OUTER, Frame("/home/a/plugins/scale.py", 20, "handle", INNER.source)),
    ],
)
def test_type_function_source_and_file_do_count(other: FailureRecord) -> None:
    assert fingerprint(other) != ONE


def test_only_the_innermost_frames_count() -> None:
    many = [Frame("/a/x.py", n, f"f{n}") for n in range(5)]
    assert fingerprint(failure(*many)) == fingerprint(failure(*many[2:]))
    assert own_frames(failure(*many)) == tuple(many[2:])


def test_without_own_frames_the_innermost_of_all_counts() -> None:
    assert own_frames(failure(TWISTED)) == (TWISTED,)
    assert fingerprint(failure(TWISTED)) != fingerprint(failure())


def test_without_any_frame_the_message_counts_generally() -> None:
    assert fingerprint(failure(message="no 1")) == fingerprint(failure(message="no 77"))
    assert fingerprint(failure(message="no 1")) != fingerprint(failure(message="yes 1"))


@pytest.mark.parametrize(
    ("message", "general"),
    [
        ("invalid literal for int() with base 10: 'x y'", "invalid literal for int() with base <number>: '…'"),
        ("<Thing at 0x7f00ab> died", "<Thing at <address>> died"),
        ("id 123e4567-e89b-12d3-a456-426614174000", "id <uuid>"),
        ("at 12:03:04, -5.5 volts", "at <number>, <number> volts"),
        ("utf8 codec", "utf8 codec"),
        ("first\nsecond 2", "first"),
    ],
)
def test_a_message_is_generalised(message: str, general: str) -> None:
    assert generalised(message) == general


@given(st.text(max_size=200))
def test_any_message_can_be_generalised(message: str) -> None:
    assert "\n" not in generalised(message)
