"""app.outposts.places: where the services of an outpost can be reached from here."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from app.outposts import protocol as p
from app.outposts.places import locate
from app.outposts.ways.carrier import Connected, Lost
from app.responders.relay.errors import UpstreamAwayError
from app.responders.relay.outposts import Located

SOCKET, PI, ROUTER = "/run/lab/control", "pi@bench-3", "wss://router.lab:8443/ws"


def outpost(words: str = "127.0.0.1:9407", status: str = "listening", protocol: str = "tcp") -> Any:
    """One that has told of its service ``echo``."""
    echo = p.Service("echo", protocol, "echo", status, words, 0, 0, 0, 0)
    carrier = SimpleNamespace(way=Connected())
    told = SimpleNamespace(news=3, by_name={"echo": echo})
    return SimpleNamespace(name="rack", carrier=carrier, problem="", told=told)


@pytest.mark.parametrize(
    ("target", "listens", "host"),
    [
        (SOCKET, "127.0.0.1:9407", "127.0.0.1"), (SOCKET, "127.0.0.2:9407", "127.0.0.2"),
        (SOCKET, "0.0.0.0:9407", "127.0.0.1"), (SOCKET, "[::]:9407", "::1"), (SOCKET, "[::1]:9407", "::1"),
        ("./control", "192.168.1.5:9407", "192.168.1.5"),
        (PI, "0.0.0.0:9407", "bench-3"), (PI, "[::]:9407", "bench-3"),
        (PI, "10.0.0.9:9407", "bench-3"),  # it chooses no host
        ("bench-3", "0.0.0.0:9407", "bench-3"), ("ssh://pi@bench-3:2222", "0.0.0.0:9407", "bench-3"),
        ("ssh://pi@[fd00::3]:2222", "[::]:9407", "fd00::3"), ("pi@[fd00::3]", "[::]:9407", "fd00::3"),
        ("me@localhost", "127.0.0.1:9407", "127.0.0.1"),
        (ROUTER, "10.0.0.9:9407", "10.0.0.9"), (ROUTER, "[fd00::9]:9407", "fd00::9"),
    ],
)  # fmt: skip
def test_where_it_listens_as_seen_from_here(target: str, listens: str, host: str):
    assert locate(outpost(listens), target, "echo") == Located(host, 9407, news=3)


@pytest.mark.parametrize("tls", [None, False, True])
def test_whether_it_speaks_tls(tls: bool | None):
    there = outpost()
    there.told.by_name["echo"] = replace(there.told.by_name["echo"], tls=tls)
    assert locate(there, SOCKET, "echo").tls is tls


@pytest.mark.parametrize("protocol", ["http", "udp"])
def test_which_protocol_it_has(protocol: str):
    found = locate(outpost(protocol=protocol), SOCKET, "echo")
    assert (found.protocol, found.datagrams) == (protocol, protocol == "udp")


@pytest.mark.parametrize(
    ("target", "listens", "words"),
    [
        (PI, "127.0.0.1:9407", "listens on 127.0.0.1:9407 there, which only that machine can reach"),
        (PI, "[::1]:9407", "which only that machine can reach"),
        (ROUTER, "127.0.0.1:9407", "which only that machine can reach"),
        (ROUTER, "0.0.0.0:9407", "have it listen on the one by which others reach that machine"),
        (ROUTER, "169.254.169.254:80", "which address leads to it is not known"),
        (ROUTER, "elsewhere.example:80", "listens on something that is not an address: elsewhere.example:80"),
        (SOCKET, "", "that is not an address"), (SOCKET, "127.0.0.1:99999", "that is not an address"),
        (SOCKET, "a\nb", "something that is not an address: a\\\\nb"),
    ],
)  # fmt: skip
def test_one_that_cannot_be_reached_from_here_says_why(target: str, listens: str, words: str):
    with pytest.raises(UpstreamAwayError, match=words):
        locate(outpost(listens), target, "echo")


def test_one_of_udp_takes_datagrams():
    assert locate(outpost(protocol="udp"), SOCKET, "echo").datagrams


@pytest.mark.parametrize("status", ["stopped", "starting", "stopping", "failed", "waiting", "held"])
def test_one_that_does_not_listen_is_away(status: str):
    with pytest.raises(UpstreamAwayError, match=f"rack/echo is not reachable: its status there is {status}"):
        locate(outpost("", status), SOCKET, "echo")


def test_one_that_the_outpost_does_not_have_is_away():
    with pytest.raises(UpstreamAwayError, match="rack has no service of that name"):
        locate(outpost(), SOCKET, "ohce")


def test_of_one_that_is_lost_nothing_is_known():
    lost = outpost()
    lost.told.by_name, lost.problem, lost.carrier.way = None, "bench-3 hung up.", Lost("bench-3 hung up.")
    with pytest.raises(UpstreamAwayError, match=r"rack/echo is not reachable: bench-3 hung up\. It is skipped"):
        locate(lost, SOCKET, "echo")
    lost.carrier.way = Connected()
    with pytest.raises(UpstreamAwayError, match="it is being connected"):
        locate(lost, SOCKET, "echo")
