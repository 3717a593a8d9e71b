"""The responders banner, discard, line and int32."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.testing import StringTransport

from app.text import errors
from app.workspace.service_checks import option_mistakes
from tests.app.responders.context import BareContext, build


def connected(name: str, wire: StringTransport, **options: Any) -> Any:
    protocol = build(name, "tcp", options).buildProtocol(None)
    protocol.makeConnection(wire)
    return protocol


@pytest.fixture
def wire() -> StringTransport:
    return StringTransport()


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[i : i + size] for i in range(0, len(data), size)]


def test_discard_says_nothing(wire: StringTransport) -> None:
    connected("discard", wire).dataReceived(b"anything")
    assert wire.value() == b""
    assert not wire.disconnecting


def test_banner_speaks_first_and_stays(wire: StringTransport) -> None:
    protocol = connected("banner", wire)
    assert wire.value() == b"220 ready\r\n"
    protocol.dataReceived(b"EHLO x\r\n")
    assert wire.value() == b"220 ready\r\n"
    assert not wire.disconnecting


def test_banner_says_any_bytes_and_closes_if_it_is_to(wire: StringTransport) -> None:
    connected("banner", wire, text=r"\x00\xff\\n", close=True)
    assert wire.value() == b"\x00\xff\\n"
    assert wire.disconnecting


def test_banner_with_a_wrong_escape_says_what_would_be_right() -> None:
    assert "is not an escape. Use" in next(
        mistake.text for mistake in option_mistakes("banner", "tcp", {"text": r"\q"})
    )
    with pytest.raises(errors.EscapeError, match=r"\\q is not an escape"):
        build("banner", "tcp", {"text": r"\q"})


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_line_answers_whole_lines_however_they_come(wire: StringTransport, size: int) -> None:
    protocol = connected("line", wire)
    for piece in pieces(b"one\r\ntwo\n\nhalf", size):
        protocol.dataReceived(piece)
    assert wire.value() == b"welcome\none\r\ntwo\n\n"


def test_line_need_not_welcome(wire: StringTransport) -> None:
    connected("line", wire, welcome="")
    assert wire.value() == b""


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_int32_answers_each_string_reversed_however_it_comes(wire: StringTransport, size: int) -> None:
    protocol = connected("int32", wire)
    for piece in pieces(b"\0\0\0\3abc\0\0\0\0\0\0\0\2\0\1\0\0\0\7", size):
        protocol.dataReceived(piece)
    assert wire.value() == b"\0\0\0\3cba\0\0\0\0\0\0\0\2\1\0"


@pytest.mark.parametrize(
    ("name", "fits", "too_long"),
    [
        ("line", b"x" * 9 + b"\n", b"x" * 10),
        ("fragile", b"x" * 9 + b"\n", b"x" * 10),
        ("int32", b"\0\0\0\x09" + b"x" * 9, b"\0\0\0\x0a"),
        ("int32", b"\0\0\0\0", b"\xff\xff\xff\xff"),
    ],
)
def test_a_message_that_is_too_long_is_told_of_and_ends_the_connection(
    wire: StringTransport, name: str, fits: bytes, too_long: bytes
) -> None:
    context = BareContext()
    protocol = build(name, "tcp", {"max_message": 9}, context).buildProtocol(None)
    protocol.makeConnection(wire)
    protocol.dataReceived(fits)
    assert not wire.disconnecting
    answered = wire.value()
    protocol.dataReceived(too_long)
    protocol.dataReceived(fits)
    assert wire.disconnecting
    assert wire.value() == answered
    [(summary, _)] = context.logged
    said = "" if name != "int32" else f": the length {too_long.hex(' ').upper()} says {int.from_bytes(too_long):,}"
    assert summary == f"a message is longer than 9 bytes{said}"
