"""A relay before three nginx, and before three socat: one of them goes away and comes back, and no request fails."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from tests import real_servers as real
from tests.app.services.helpers import Desk, Peer, Tape
from tests.helpers import kept_port, until
from tests.real_servers import running

ROUNDS = 40
"""Requests before the second server goes, while it is away, and after it has come back."""


def nginx(stack: ExitStack, folder: Path, name: str, port: int) -> None:
    """An nginx that answers everything with its name."""
    answer = f'location / {{ return 200 "{name}"; }}'
    stack.enter_context(real.nginx(folder / name, port, f"server {{ listen 127.0.0.1:{port}; {answer} }}"))


def socat(stack: ExitStack, folder: Path, name: str, port: int) -> None:
    """A socat that says its name to each client."""
    stack.enter_context(
        running(port, "socat", f"TCP-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr", f"SYSTEM:printf {name}")
    )


async def asked(relay: Any, number: int) -> str:
    """The name of the nginx that answered; every second request is one that may not be repeated."""
    peer = Peer(relay)
    method = b"POST" if number % 2 else b"GET"
    await peer.send(b"%b / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % method)
    got = await peer.end()
    assert got.startswith(b"HTTP/1.1 200 "), got
    return got[-1:].decode()


async def told(relay: Any, number: int) -> str:
    return (await Peer(relay).end()).decode()


@pytest.mark.parametrize(
    ("protocol", "start", "ask", "scheme"), [("http", nginx, asked, "http://"), ("tcp", socat, told, "")]
)
@pytest_twisted.ensureDeferred
async def test_no_request_fails_while_a_server_is_away(
    desk: Desk, tape: Tape, tmp_path: Path, protocol: str, start: Any, ask: Any, scheme: str
):
    with ExitStack() as all_of_them, ExitStack() as second:
        ports = [all_of_them.enter_context(kept_port()) for _ in range(3)]
        start(all_of_them, tmp_path, "1", ports[0])
        start(all_of_them, tmp_path, "3", ports[2])
        start(second, tmp_path, "2", ports[1])
        options = {"upstreams": [f"{scheme}127.0.0.1:{port}" for port in ports], "retry_seconds": 0.1}
        relay = await desk.start(protocol, "relay", options=options)
        before = Counter([await ask(relay, number) for number in range(ROUNDS)])
        second.close()
        away = Counter([await ask(relay, number) for number in range(ROUNDS)])
        with ExitStack() as again:
            start(again, tmp_path, "2", ports[1])
            await until(lambda: relay.reactor.seconds() > relay.upstreams()[1].due)
            back = Counter([await ask(relay, number) for number in range(ROUNDS)])
    assert max(before.values()) - min(before.values()) <= 1
    assert set(away) == {"1", "3"}
    assert set(back) == {"1", "2", "3"}
    assert sum(back.values()) == ROUNDS
    upstream = options["upstreams"][1]  # type: ignore[index]
    for kind in ("upstream.failed", "upstream.recovered"):
        assert [event.detail["upstream"] for event in tape.all(kind)] == [upstream]
