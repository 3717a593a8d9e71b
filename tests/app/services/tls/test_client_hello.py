"""app.services.tls.client_hello."""

from __future__ import annotations

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.tls.client_hello import ClientHello, is_tls, parse


def hello(name: str | None = None, alpn: list[str] | None = None, newest: ssl.TLSVersion | None = None) -> bytes:
    """What Python's own client sends first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    if alpn:
        context.set_alpn_protocols(alpn)
    if newest:
        context.maximum_version = newest
    sent = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return sent.read()


def old_hello(version: int) -> bytes:
    """An offer of one version without extensions, as clients before TLS 1.3 send it."""
    body = version.to_bytes(2) + bytes(32) + b"\0" + b"\0\4\0\x2f\0\x35" + b"\1\0"
    message = b"\1" + len(body).to_bytes(3) + body
    return b"\x16\3\1" + len(message).to_bytes(2) + message


def test_reads_versions_name_and_protocols() -> None:
    found = parse(hello("post.test", ["h2", "http/1.1"]))
    assert found is not None
    assert found.versions == ("TLS 1.2", "TLS 1.3")
    assert (found.server_name, found.alpn) == ("post.test", ("h2", "http/1.1"))
    assert found.ciphers > 5


def test_a_client_may_name_neither_us_nor_protocols() -> None:
    found = parse(hello(newest=ssl.TLSVersion.TLSv1_2))
    assert found is not None
    assert (found.versions, found.server_name, found.alpn) == (("TLS 1.2",), "", ())


@pytest.mark.parametrize(("number", "version"), [(0x300, "SSL 3.0"), (0x301, "TLS 1.0"), (0x302, "TLS 1.1")])
def test_old_clients_name_only_their_newest_version(number: int, version: str) -> None:
    assert parse(old_hello(number)) == ClientHello((version,), ciphers=2)


def test_a_hello_may_come_in_several_records() -> None:
    whole = hello("post.test")
    message = whole[5:]
    parts = [message[i : i + 60] for i in range(0, len(message), 60)]
    assert parse(b"".join(b"\x16\3\1" + len(part).to_bytes(2) + part for part in parts)) == parse(whole)


def test_a_hello_tells_whether_it_is_whole() -> None:
    whole = hello("post.test")
    found = [parse(whole[:length]) for length in range(len(whole) + 1)]
    assert {one.whole for one in found[6:-1] if one} == {False}
    assert found[-1] is not None
    assert found[-1].whole


@pytest.mark.parametrize("first", [b"", b"GET / HTTP/1.1\r\n", b"\x16\3", b"\x16\3\1\0\1\2", b"\x15\3\1\0\2\2\x28"])
def test_what_is_no_hello_is_none(first: bytes) -> None:
    assert parse(first) is None


@pytest.mark.parametrize(("first", "can_be"), [(b"\x16\3\1", True), (b"", True), (b"GET", False), (b"\x16\4", False)])
def test_tls_shows_in_two_bytes(first: bytes, can_be: bool) -> None:
    assert is_tls(first) is can_be


@given(st.binary(max_size=400))
def test_no_bytes_make_it_raise(first: bytes) -> None:
    parse(first)
    parse(b"\x16\3\1" + first)
    parse(b"\x16\3\1\1\x80\1\0\1\x7c\3\3" + bytes(32) + first)


HELLO = hello("post.test", ["h2", "http/1.1"])


@given(st.data())
def test_a_hello_with_wrong_or_missing_bytes_does_not_make_it_raise(data: st.DataObject) -> None:
    whole = bytearray(HELLO)
    for at in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=8)):
        whole[at] = data.draw(st.integers(0, 255))
    parse(bytes(whole[: data.draw(st.integers(0, len(whole)))]))
