"""UDP conversations with a whole network, and addresses in a zone."""

from __future__ import annotations

import errno
import os
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from tests.app.sending.helpers import Talker
from tests.app.services.helpers import Desk, address
from tests.helpers import until


@pytest_twisted.ensureDeferred
async def test_the_broadcast_address_of_a_network_is_sent_to_and_its_hosts_answer(
    talker: Talker, desk: Desk, tape: Any
) -> None:
    _, port = address(await desk.start("udp", host="0.0.0.0"))
    heard = await talker.talk(f"udp://127.255.255.255:{port}", b"anybody?")
    await until(lambda: heard.got == b"anybody?")
    heard.conversation.close()
    assert heard.reason == "Closed by us."


@pytest.mark.parametrize("host", ["127.0.0.1", "127.255.255.255"])
@pytest_twisted.ensureDeferred
async def test_c12_events_have_our_own_address(host: str, talker: Talker, desk: Desk, tape: Any) -> None:
    service = await desk.start("udp", host="0.0.0.0")
    heard = await talker.talk(f"udp://{host}:{address(service)[1]}", b"anybody?")
    await until(lambda: heard.got == b"anybody?")
    assert {e.detail["host"].rpartition(":")[0] for e in tape.all("connection.opened")} == {"127.0.0.1"}
    heard.conversation.close()


@pytest_twisted.ensureDeferred
async def test_a_datagram_that_the_kernel_does_not_send_is_a_failure_in_words(
    talker: Talker, desk: Desk, tape: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))

    monkeypatch.setattr("twisted.internet.udp.Port.write", refuse)
    heard = await talker.talk("udp://224.0.0.1:9", b"x")
    assert heard.reason == "There is no route to 224.0.0.1:9. Check the address, and that the network is up."
    assert heard.conversation.closed is not None
    assert heard.conversation.closed.failed
    assert tape.all("datagram.sent") == []


def link_local() -> str:
    """An address of this machine with its zone, as ``fe80::1%eth0``; "" if it has none."""
    table = (line.split() for line in Path("/proc/net/if_inet6").read_text().splitlines())
    return next((f"{IPv6Address(int(number, 16))}%{name}" for number, *_, scope, _, name in table if scope == "20"), "")


@pytest.mark.parametrize(("scheme", "protocol", "responder"), [
    ("udp", "udp", "echo"), ("tcp", "tcp", "echo"), ("ws", "websocket", "echo"), ("http", "http", "inspector"),
])  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_an_address_in_a_zone_is_reached(
    scheme: str, protocol: str, responder: str, talker: Talker, desk: Desk
) -> None:
    host = link_local() or "::1"  # some containers have none
    _, port = address(await desk.start(protocol, responder, host=host))
    heard = await talker.talk(
        f"{scheme}://[{host}]:{port}/" if scheme == "http" else f"{scheme}://[{host}]:{port}", b"x"
    )
    await until(lambda: heard.got)
    assert b'"version": "HTTP/1.1"' in heard.got if scheme == "http" else heard.got == b"x"
    heard.conversation.close()
