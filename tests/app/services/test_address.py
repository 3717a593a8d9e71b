"""Addresses as they are written, and why one cannot be listened on."""

from __future__ import annotations

import errno
import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.error import CannotListenError

from app.services import address, errors, settings


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:9007", "127.0.0.1", 9007),
        (" 127.0.0.1:0 ", "127.0.0.1", 0),
        ("[::1]:9007", "::1", 9007),
        ("[fe80::1%eth0]:65535", "fe80::1%eth0", 65535),
        ("localhost:80", "localhost", 80),
        ("my-host.example.:80", "my-host.example.", 80),
        ("_srv.example:80", "_srv.example", 80),
    ],
)
def test_parses(text: str, host: str, port: int) -> None:
    assert address.parse(text) == (host, port)


@pytest.mark.parametrize(
    "text",
    [
        *("", ":", "9007", "127.0.0.1", "127.0.0.1:", ":9007", "::1:9007", "[::1]", "[localhost]:1", "[]:1"),
        *("1.2.3:80", "256.1.1.1:80", "1.2.3.4:65536", "1.2.3.4:-1", "1.2.3.4:+1", "1.2.3.4:8o", "1.2.3.4:²"),
        *("a b:80", "a/b:80", "-a:80", "a..b:80", "ä:80", "x" * 64 + ":80", "http://a:80", "a:80/", "[::1:80"),
        *("a\n:80", "127.0.0.1:" + "9" * 6000),
    ],
)
def test_refuses(text: str) -> None:
    with pytest.raises(errors.InvalidAddressError, match="is not an address to listen on"):
        address.parse(text)


@given(st.text())
def test_any_text_is_an_address_or_an_invalid_one(text: str) -> None:
    try:
        host, port = address.parse(text)
    except errors.InvalidAddressError:
        return
    assert address.parse(address.join(host, port)) == (host, port)


@given(st.ip_addresses(), st.integers(0, 65535))
def test_every_number_can_be_written_and_read(ip: object, port: int) -> None:
    assert address.parse(address.join(str(ip), port)) == (str(ip), port)


@pytest.mark.parametrize(
    ("host", "exposed"),
    [
        *((host, False) for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost", "localhost.")),
        *((host, True) for host in ("0.0.0.0", "::", "192.168.1.2", "example.org")),
    ],
)
def test_knows_what_others_can_reach(host: str, exposed: bool) -> None:
    assert address.is_exposed(host) is exposed


def test_writes_addresses_of_twisted() -> None:
    assert address.written(IPv4Address("TCP", "127.0.0.1", 80)) == "127.0.0.1:80"
    assert address.written(IPv6Address("TCP", "::1", 80)) == "[::1]:80"
    assert address.written(UNIXAddress("/run/x")) == "/run/x"


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(errors.UnknownHostError, match="no-such-host"):
        address.look_up("no-such-host.invalid")
    with pytest.raises(errors.UnknownHostError):
        address.look_up("x" * 70 + ".invalid")


def test_a_name_becomes_a_number() -> None:
    assert address.look_up("localhost") in ("127.0.0.1", "::1")


@pytest.mark.parametrize(
    ("number", "port", "kind", "words"),
    [
        (errno.EADDRINUSE, 1, errors.AddressInUseByOtherError, "Port 1 is in use by another program."),
        (errno.EACCES, 80, errors.PrivilegedPortError, "Port 80 is reserved for administrators."),
        (errno.EPERM, 80, errors.PrivilegedPortError, "Choose one from 1024 up."),
        (errno.EACCES, 9007, errors.ListenError, "Cannot listen on 127.0.0.1:9007: Permission denied."),
        (errno.EADDRNOTAVAIL, 9007, errors.AddressNotHereError, "127.0.0.1 is not an address of this machine."),
        (errno.EAFNOSUPPORT, 9007, errors.AddressNotHereError, "127.0.0.1 is not an address of this machine."),
        (errno.EMFILE, 9007, errors.ListenError, "Too many open files. Choose another address or port."),
    ],
)
@pytest.mark.parametrize("wrapped", [True, False])
def test_says_why_not(number: int, port: int, kind: type, words: str, wrapped: bool) -> None:
    cause = OSError(number, os.strerror(number))
    error = CannotListenError("127.0.0.1", port, cause) if wrapped else cause
    why = address.why_not(error, "127.0.0.1", port, "tcp")
    assert type(why) is kind
    assert words in str(why)


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_finds_the_owner_of_a_port(kind: socket.SocketKind, family: socket.AddressFamily, host: str) -> None:
    transport = "tcp" if kind == socket.SOCK_STREAM else "udp"
    with socket.socket(family, kind) as holder:
        holder.bind((host, 0))
        if kind == socket.SOCK_STREAM:
            holder.listen()
        port = holder.getsockname()[1]
        owner = address.owner_of(port, transport)
        assert owner is not None
        assert owner.startswith("another service")
    assert address.owner_of(port, transport) is None


@pytest.mark.parametrize("name", ["", "a b", "*", "a..b", "*.*.test", "1.2.3", "http://x", "-x", "x" * 300, "ä" * 70])
def test_names_that_no_certificate_can_have_are_told(name: str) -> None:
    assert not address.is_certifiable(name)
    [names] = [option for option in settings.TLS if option.name == "names"]
    assert names.problem([name]) == f'"{name}" is neither a host name nor an address'


@given(st.text())
def test_no_name_makes_it_raise(name: str) -> None:
    address.is_certifiable(name)
