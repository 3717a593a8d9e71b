"""Faults on the command line of ``listening-post send``."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from app.commands.errors import SendUsageError
from app.commands.send.fault_words import tables
from tests.helpers import run_bytes

RIGHT: list[tuple[str, str, dict[str, Any]]] = [
    ("kind=reset", "tcp", {"kind": "reset"}),
    ("kind=reset, nth=2, match=PAY", "tcp", {"kind": "reset", "nth": 2, "match": "PAY"}),
    (' kind = delay,ms=1.5 , jitter_ms="2" ', "http", {"kind": "delay", "ms": 1.5, "jitter_ms": 2.0}),
    (r'kind=close, match="a, \"b\" \x00"', "tcp", {"kind": "close", "match": r'a, "b" \x00'}),
    ("kind=close, match=a=b", "tcp", {"kind": "close", "match": "a=b"}),
    ("kind=lose, peer=10.0.0.1 ::1", "udp", {"kind": "lose", "peer": ["10.0.0.1", "::1"]}),
    ("kind=lose, enabled=false", "udp", {"kind": "lose", "enabled": False}),
    ("kind=refuse, how=reset", "websocket", {"kind": "refuse", "how": "reset"}),
    ("kind=close, match=", "tcp", {"kind": "close", "match": ""}),
]


@pytest.mark.parametrize(("text", "protocol", "table"), RIGHT)
def test_a_fault_in_words(text: str, protocol: str, table: dict[str, Any]):
    assert tables([text], protocol) == (table,)


WRONG = [
    ("", "tcp", "it is not NAME=VALUE"),
    ("reset", "tcp", "reset is not NAME=VALUE. Separate the options by commas"),
    ("kind=reset nth=2", "tcp", 'kind "reset nth=2" is unknown'),
    ("nth=2", "tcp", "kind is missing"),
    ("kind=bogus", "tcp", 'kind "bogus" is unknown. Use one of close, '),
    ("kind=lose", "tcp", 'kind "lose" is not for tcp'),
    ("kind=rate", "udp", 'kind "rate" is not for udp'),
    ("kind=reset, nth=two", "tcp", "nth must be a whole number"),
    ("kind=delay, ms=", "tcp", "ms must be a number"),
    ("kind=delay, ms=-1", "tcp", "ms must be at least 0"),
    ("kind=delay, ms=nan", "tcp", "ms must be a finite number"),
    ("kind=lose, enabled=yes", "udp", "enabled must be true or false"),
    ("kind=delay, delay=3", "tcp", "delay is unknown. delay has name, kind, on, ms, "),
    ("kind=refuse", "tcp", "refuse is for services: it acts on their port; how=reset is for clients"),
    ("kind=refuse", "udp", "refuse is for services: it acts on their port"),
    ('kind=close, match="a', "tcp", 'match="a is not NAME=VALUE'),
    ("kind=cut, on=received", "tcp", "on "),
]


@pytest.mark.parametrize(("text", "protocol", "said"), WRONG)
def test_what_is_wrong_is_said(text: str, protocol: str, said: str):
    with pytest.raises(SendUsageError) as e:
        tables([text], protocol)
    assert str(e.value).startswith(f"--fault {text}: {said}")


def test_two_of_one_name():
    with pytest.raises(SendUsageError, match='name "a" is already the name of fault number 1'):
        tables(["kind=reset, name=a", "kind=close, name=a"], "tcp")


def test_a_server_meets_a_client_that_resets():
    seen: list[bytes | str] = []

    def serve() -> None:
        peer, _ = listening.accept()
        with peer:
            peer.settimeout(30)
            try:
                while data := peer.recv(100):
                    seen.append(data)
                seen.append("closed")
            except ConnectionResetError:
                seen.append("reset")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        url = f"tcp://127.0.0.1:{listening.getsockname()[1]}"
        done = run_bytes("send", "-v", "--fault", "kind=cut, bytes=3, then=reset, name=break", url, "hello")
        thread.join(30)
    assert seen == [b"hel", "reset"]
    assert done.returncode == 0
    said = done.stderr.decode()
    assert "* fault break: cut after 3 bytes, then reset" in said
    assert "* Reset on purpose, by a fault." in said


def test_what_is_delayed_leaves_though_nobody_waits_so_long():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(20)
        url = f"udp://127.0.0.1:{server.getsockname()[1]}"
        done = run_bytes(
            "send", "--wait", "0.1", "--fault", "kind=delay, ms=600", "--fault", "kind=duplicate", url, "x"
        )
        assert [server.recv(10), server.recv(10)] == [b"x", b"x"]
    assert done.returncode == 0, done.stderr


def test_a_wrong_one_is_wrong_usage():
    done = run_bytes("send", "--fault", "kind=nonsense", "tcp://127.0.0.1:9", "x")
    assert done.returncode == 2
    assert done.stderr.startswith(b'listening-post: --fault kind=nonsense: kind "nonsense" is unknown. ')
