"""Socket options reach the sockets, ports can be shared, and multicast groups are joined and left."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from app.services import sockets
from app.services.service import Service
from app.status import Failed
from tests.app.services.helpers import Desk, Peer, Tape, address
from tests.helpers import until

STREAMS = [("tcp", "echo"), ("http", "inspector"), ("websocket", "echo")]
GROUP, GROUP6 = "239.77.1.2", "ff02::7701"


def listening(service: Service) -> socket.socket:
    port: Any = service._port
    made: socket.socket = port.socket
    return made


async def accepted(service: Service) -> socket.socket:
    """Our end of a client's connection."""
    Peer(service)
    (connection,) = await until(lambda: service.connections.values())
    made: socket.socket = connection._wire.socket
    return made


@pytest.mark.parametrize(("protocol", "responder"), STREAMS)
@pytest_twisted.ensureDeferred
async def test_options_reach_accepted_connections(protocol: str, responder: str, desk: Desk) -> None:
    options = {"no_delay": True, "keep_alive": True, "receive_buffer": 50_000, "send_buffer": 60_000}
    ours = await accepted(await desk.start(protocol, responder, socket=options))
    assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    # Linux doubles what it is asked for, for its own books.
    assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) in (50_000, 100_000)
    assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) in (60_000, 120_000)


@pytest_twisted.ensureDeferred
async def test_options_that_are_off_are_off(desk: Desk) -> None:
    ours = await accepted(await desk.start(socket={"no_delay": False, "keep_alive": False}))
    assert not ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert not ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


@pytest_twisted.ensureDeferred
async def test_small_packets_leave_at_once_unless_told_otherwise(desk: Desk) -> None:
    ours = await accepted(await desk.start())
    assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest_twisted.ensureDeferred
async def test_the_backlog_bounds_those_that_wait(desk: Desk) -> None:
    service = await desk.start(socket={"backlog": 7})
    if Path("/proc/net/tcp").exists():  # tcpi_sacked of a listening socket is its backlog
        assert struct.unpack_from("=7I", listening(service).getsockopt(socket.IPPROTO_TCP, 11, 104), 8)[5] == 7


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest_twisted.ensureDeferred
async def test_two_services_share_a_port_when_both_ask(protocol: str, desk: Desk) -> None:
    first = await desk.start(protocol, socket={"reuse_port": True})
    port = address(first)[1]
    await desk.start(protocol, port=port, socket={"reuse_port": True})
    refused = await desk.service(protocol, port=port).start()
    assert isinstance(refused, Failed)
    assert refused.reason == f"Port {port} is in use by another service of yours. Stop it or choose another port."


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest_twisted.ensureDeferred
async def test_a_system_that_cannot_share_ports_is_told_of(
    protocol: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(socket, "SO_REUSEPORT")
    status = await desk.service(protocol, socket={"reuse_port": True}).start()
    assert status == Failed("This system cannot share a port among programs. Turn reuse_port off.")


@pytest_twisted.ensureDeferred
async def test_datagram_buffers_have_the_sizes_asked_for(desk: Desk) -> None:
    ours = listening(await desk.start("udp", socket={"receive_buffer": 50_000, "send_buffer": 60_000}))
    assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) in (50_000, 100_000)
    assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) in (60_000, 120_000)


# -- multicast and broadcast


@pytest.fixture
def sender() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        sender.setblocking(False)
        yield sender


def received(sender: socket.socket) -> tuple[bytes, Any] | None:
    try:
        return sender.recvfrom(100)
    except BlockingIOError:
        return None


def joined() -> bool:
    """Whether anybody on this machine is a member of ``GROUP``, which the kernel writes in its own byte order."""
    return f"{struct.unpack('=I', socket.inet_aton(GROUP))[0]:08X}" in Path("/proc/net/igmp").read_text()


@pytest.mark.parametrize("interface", ["127.0.0.1", "lo"])
@pytest_twisted.ensureDeferred
async def test_joins_a_group_on_its_interface_and_leaves_it(
    interface: str, desk: Desk, tape: Tape, sender: socket.socket
) -> None:
    service = await desk.start("udp", host="0.0.0.0", options={"groups": [GROUP], "multicast_interface": interface})
    sender.sendto(b"to all", (GROUP, address(service)[1]))
    answer = await until(lambda: received(sender))
    assert answer[0] == b"to all"
    assert tape.data("datagram.received") == b"to all"
    assert joined()
    await service.stop()
    assert not joined()


@pytest_twisted.ensureDeferred
async def test_several_programs_join_one_group(desk: Desk, tape: Tape, sender: socket.socket) -> None:
    options = {"groups": [GROUP], "multicast_interface": "127.0.0.1"}
    first = await desk.start("udp", "discard", host="0.0.0.0", options=options)
    port = address(first)[1]
    await desk.start("udp", "discard", host="0.0.0.0", port=port, options=options)
    sender.sendto(b"x", (GROUP, port))
    await until(lambda: len(tape.all("datagram.received")) == 2)
    assert {e.service for e in tape.all("datagram.received")} == {s.number for s in desk.services}


@pytest_twisted.ensureDeferred
async def test_hears_only_the_groups_that_it_has_joined(desk: Desk, tape: Tape, sender: socket.socket) -> None:
    first = await desk.start(
        "udp", "discard", host="0.0.0.0", options={"groups": [GROUP], "multicast_interface": "127.0.0.1"}
    )
    port = address(first)[1]
    other = {"groups": ["239.77.1.3"], "multicast_interface": "127.0.0.1"}
    await desk.start("udp", "discard", host="0.0.0.0", port=port, options=other)
    for group in ("239.77.1.3", GROUP):
        sender.sendto(group.encode(), (group, port))
    await until(lambda: len(tape.all("datagram.received")) >= 2)
    assert [(e.service, e.payload) for e in tape.all("datagram.received")] == [
        (desk.services[1].number, b"239.77.1.3"),
        (desk.services[0].number, GROUP.encode()),
    ]


@pytest_twisted.ensureDeferred
async def test_joins_a_group_of_ipv6_and_answers_link_local_peers(desk: Desk, tape: Tape) -> None:
    names = {name: index for index, name in socket.if_nameindex()}
    up = [line.split() for line in Path("/proc/net/if_inet6").read_text().splitlines()]
    local = next((name for *_, scope, _, name in up if scope == "20"), "lo")
    service = await desk.start("udp", host="::", options={"groups": [GROUP6], "multicast_interface": local})
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, names[local])
        sender.sendto(b"six", (GROUP6, address(service)[1], 0, names[local]))
        answer = await until(lambda: received(sender))
    assert answer[0] == b"six"
    assert tape.data("datagram.sent") == b"six"


@pytest.mark.parametrize(
    ("host", "options", "words"),
    [
        ("0.0.0.0", {"groups": [GROUP], "multicast_interface": "none0"}, "there is no network interface none0. Name"),
        ("::", {"groups": [GROUP6], "multicast_interface": "none0"}, "there is no network interface none0. Name"),
        (
            "0.0.0.0",
            {"groups": [GROUP], "multicast_interface": "192.0.2.99"},
            f"Cannot join the multicast group {GROUP}",
        ),
        ("127.0.0.1", {"groups": [GROUP]}, f"{GROUP} does not reach a service on 127.0.0.1. Listen on 0.0.0.0."),
        ("0.0.0.0", {"groups": [GROUP6]}, f"{GROUP6} does not reach a service on 0.0.0.0. Listen on [::]."),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_group_that_cannot_be_joined_is_told_of(
    host: str, options: dict[str, Any], words: str, desk: Desk
) -> None:
    status = await desk.service("udp", host=host, options=options).start()
    assert isinstance(status, Failed)
    assert words in status.reason


@pytest_twisted.ensureDeferred
async def test_only_the_option_lets_a_service_answer_to_all(desk: Desk) -> None:
    for allowed in (False, True):
        ours = listening(await desk.start("udp", options={"broadcast": allowed}))
        assert bool(ours.getsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST)) is allowed
        if allowed:
            ours.sendto(b"x", ("127.255.255.255", 9))
        else:
            with pytest.raises(PermissionError):
                ours.sendto(b"x", ("127.255.255.255", 9))


def test_an_ordinary_port_of_ipv6_keeps_zones_away_from_global_peers() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as made:
        zoned = sockets._Zoned.of(made)
    with zoned, socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as client:
        zoned.bind(("::1", 0))
        client.sendto(b"x", zoned.getsockname())
        zoned.setblocking(True)
        assert zoned.recvfrom(10)[1][0] == "::1"
