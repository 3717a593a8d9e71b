"""The fragile responder."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.testing import StringTransport

from tests.app.responders.context import build


@pytest.fixture
def wire() -> StringTransport:
    return StringTransport()


@pytest.fixture
def protocol(wire: StringTransport) -> Any:
    protocol = build("fragile", "tcp", {}).buildProtocol(None)
    protocol.makeConnection(wire)
    return protocol


def test_echoes_lines_with_lf_or_crlf(protocol: Any, wire: StringTransport) -> None:
    protocol.dataReceived(b"one\ntwo\r\n\nhalf a ")
    assert wire.value() == b"one\ntwo\r\n\n"
    protocol.dataReceived(b"line\n")
    assert wire.value().endswith(b"half a line\n")


@pytest.mark.parametrize("line", [b"fail\n", b"fail\r\n", b" fail \n"])
def test_breaks_on_one(line: bytes, protocol: Any, wire: StringTransport) -> None:
    with pytest.raises(ValueError, match=r"^Processing failed$"):
        protocol.dataReceived(b"before\n" + line)
    assert wire.value() == b"before\n"


@pytest.mark.parametrize("line", [b"failing\n", b"do not fail\n", b"FAIL\n"])
def test_does_not_break_on_others(line: bytes, protocol: Any, wire: StringTransport) -> None:
    protocol.dataReceived(line)
    assert wire.value() == line
