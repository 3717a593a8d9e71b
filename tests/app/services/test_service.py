"""A service's life: each step, what keeps it from listening, and how it ends."""

from __future__ import annotations

import socket
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.protocol import DatagramProtocol, Protocol, ServerFactory

from app.services import service as service_module
from app.services.service import Service
from app.status import Failed, Listening, Starting, Status, Stopped, Stopping
from tests.app.services.helpers import Desk, Peer, Tape, address
from tests.helpers import until

# Twisted leaves a socket that it could not bind to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


def watch(service: Service) -> list[Status]:
    """The statuses that a service goes through from now on."""
    seen: list[Status] = []
    service.status_changed.connect(lambda s: seen.append(s.status))
    return seen


@pytest.mark.parametrize("protocol", ["tcp", "udp", "http", "websocket"])
@pytest_twisted.ensureDeferred
async def test_goes_through_its_states_in_order_and_again(protocol: str, desk: Desk, tape: Tape) -> None:
    responder = "inspector" if protocol == "http" else "echo"
    service = desk.service(protocol, responder)
    seen = watch(service)
    assert service.status == Stopped()
    for _ in range(2):
        await service.start()
        await service.stop()
    host = seen[1].host  # type: ignore[union-attr]
    assert host.startswith("127.0.0.1:")
    assert not host.endswith(":0")
    assert [type(s) for s in seen] == [Starting, Listening, Stopping, Stopped] * 2
    assert tape.kinds() == ["service.started", "service.stopped"] * 2
    assert tape.all()[0].detail == {"host": host}


@pytest_twisted.ensureDeferred
async def test_starting_twice_starts_once(desk: Desk) -> None:
    service = desk.service(host="localhost")
    seen = watch(service)
    first = Deferred.fromCoroutine(service.start())
    assert await service.start() == Starting()
    await first
    assert await service.start() == service.status
    assert [type(s) for s in seen] == [Starting, Listening]


@pytest_twisted.ensureDeferred
async def test_stopped_while_starting_it_never_listens(desk: Desk, tape: Tape) -> None:
    service = desk.service(host="localhost")
    seen = watch(service)
    started = Deferred.fromCoroutine(service.start())
    await service.stop()
    await started
    assert [type(s) for s in seen] == [Starting, Stopping, Stopped]
    assert tape.kinds() == ["service.stopped"]


@pytest_twisted.ensureDeferred
async def test_stopped_while_failing_to_start_it_is_stopped(desk: Desk) -> None:
    service = desk.service(host="no-such-host.invalid")
    started = Deferred.fromCoroutine(service.start())
    await service.stop()
    await started
    assert service.status == Stopped()


@pytest_twisted.ensureDeferred
async def test_stopping_twice_stops_once_and_tells_both(desk: Desk) -> None:
    service = await desk.start()
    seen = watch(service)
    peer = Peer(service)
    await until(lambda: service.connections)
    first, second = service.stop(), service.stop()
    await second
    await first
    await service.stop()
    assert seen == [Stopping(), Stopped()]
    assert await peer.end() == b""


@pytest_twisted.ensureDeferred
async def test_not_started_again_before_it_has_stopped(desk: Desk) -> None:
    service = await desk.start()
    peer = Peer(service)
    await until(lambda: service.connections)
    stopping = service.stop()
    assert await service.start() == Stopping()
    await stopping
    peer.close()
    assert isinstance(await service.start(), Listening)


@pytest.mark.parametrize("stopped_again", [False, True])
@pytest_twisted.ensureDeferred
async def test_started_while_it_stops_it_listens_again_unless_it_is_stopped_again(
    stopped_again: bool, desk: Desk
) -> None:
    service = await desk.start()
    peer = Peer(service)
    await until(lambda: service.connections)
    service.stop()
    started = Deferred.fromCoroutine(service.start_when_down())
    assert service.status == Stopping()
    if stopped_again:
        service.stop()
    await started
    assert isinstance(service.status, Stopped if stopped_again else Listening)
    peer.close()


@pytest_twisted.ensureDeferred
async def test_a_listener_may_start_it_again_when_it_hears_of_the_stop(desk: Desk) -> None:
    service = await desk.start()
    started: list[Any] = []
    service.status_changed.connect(
        lambda s: s.status == Stopped() and started.append(Deferred.fromCoroutine(service.start()))
    )
    await service.stop()
    await started[0]
    assert isinstance(service.status, Listening)


# -- what keeps it from listening


async def reason(service: Service) -> str:
    status = await service.start()
    assert isinstance(status, Failed), status
    assert isinstance(service.status, Failed)
    return status.reason


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest_twisted.ensureDeferred
async def test_says_that_another_service_has_the_port(protocol: str, desk: Desk, tape: Tape) -> None:
    first = await desk.start(protocol)
    port = address(first)[1]
    second = desk.service(protocol, port=port)
    said = await reason(second)
    assert said.startswith(f"Port {port} is in use by another service")
    assert [e.detail["reason"] for e in tape.all("service.failed")] == [said]
    await first.stop()
    assert isinstance(await second.start(), Listening)


@pytest_twisted.ensureDeferred
async def test_says_which_program_has_the_port(desk: Desk) -> None:
    from twisted.internet.protocol import ProcessProtocol

    class Nc(ProcessProtocol):
        def __init__(self) -> None:
            self.ended: Deferred[None] = Deferred()

        def processEnded(self, reason: Any) -> None:
            self.ended.callback(None)

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    nc = Nc()
    process = desk.reactor.spawnProcess(nc, "nc", ["nc", "-l", "127.0.0.1", str(port)], env=None)
    service = desk.service(port=port)

    def listens() -> bool:
        with open("/proc/net/tcp") as table:
            return any(f":{port:04X} " in line and " 0A " in line for line in table)

    await until(listens)
    said = await reason(service)
    assert said == f"Port {port} is in use by nc (pid {process.pid}). Stop it or choose another port."
    process.signalProcess("KILL")
    await nc.ended
    assert isinstance(await service.start(), Listening)


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest_twisted.ensureDeferred
async def test_says_that_the_address_is_of_another_machine(protocol: str, desk: Desk) -> None:
    said = await reason(desk.service(protocol, host="192.0.2.1"))
    assert said.startswith("192.0.2.1 is not an address of this machine. Use 127.0.0.1")


@pytest_twisted.ensureDeferred
async def test_says_that_nobody_knows_the_name(desk: Desk) -> None:
    said = await reason(desk.service(host="no-such-host.invalid"))
    assert said.startswith("No address is known for the name no-such-host.invalid. Check its spelling")


@pytest_twisted.ensureDeferred
async def test_stopping_a_failed_one_clears_the_reason(desk: Desk) -> None:
    service = desk.service(host="192.0.2.1")
    await reason(service)
    await service.stop()
    assert service.status == Stopped()


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest_twisted.ensureDeferred
async def test_listens_on_ipv6(protocol: str, desk: Desk) -> None:
    service = await desk.start(protocol, host="::1")
    assert service.status.host.startswith("[::1]:")  # type: ignore[union-attr]


@pytest_twisted.ensureDeferred
async def test_serves_ipv6_peers(desk: Desk, tape: Tape) -> None:
    peer = Peer(await desk.start(host="::1"))
    peer.push(b"six")
    await peer.expect(b"six")
    peer.close()
    await until(lambda: tape.all("connection.closed"))
    assert tape.all("connection.opened")[0].detail["peer"].startswith("[::1]:")


@pytest_twisted.ensureDeferred
async def test_a_name_is_looked_up(desk: Desk) -> None:
    service = await desk.start(host="localhost")
    assert service.status.host.rpartition(":")[0] in ("127.0.0.1", "[::1]")  # type: ignore[union-attr]


# -- responders that cannot be set up


def _raise(error: BaseException) -> Any:
    raise error


class BadFactory(ServerFactory):
    noisy = False

    def startFactory(self) -> None:
        raise OSError(13, "in startFactory")


class BadDatagrams(DatagramProtocol):
    noisy = False

    def startProtocol(self) -> None:
        raise OSError(13, "in startProtocol")


@pytest.mark.parametrize(
    ("protocol", "make"),
    [
        *((protocol, lambda: _raise(ValueError("no"))) for protocol in ("tcp", "udp", "http", "websocket")),
        ("tcp", lambda: _raise(FileNotFoundError(2, "No such file"))),
        ("tcp", lambda: _raise(SystemExit(1))),
        ("tcp", BadFactory),
        ("udp", BadDatagrams),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_responder_that_cannot_be_set_up_fails_the_service(
    protocol: str, make: Any, desk: Desk, tape: Tape
) -> None:
    with socket.socket(type=socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    desk.answer_with(protocol, make)
    service = desk.service(protocol, port=port)
    said = await reason(service)
    assert said.startswith("The responder echo could not be set up: ")
    assert tape.kinds() == ["failure", "service.failed"]
    desk.answer_with(protocol, {"udp": DatagramProtocol}.get(protocol, ServerFactory))
    if protocol in ("tcp", "udp"):
        assert isinstance(await service.start(), Listening), "the port was not left bound"


# -- the end


@pytest_twisted.ensureDeferred
async def test_stopping_lets_what_was_written_leave(desk: Desk, tape: Tape) -> None:
    class Writes(Protocol):
        def connectionMade(self) -> None:
            self.transport.write(bytes(5_000_000))

    service = await desk.start(make=lambda: ServerFactory.forProtocol(Writes))
    peer = Peer(service)
    await peer.expect(1000)
    stopping = service.stop(20)
    assert len(await peer.end()) == 5_000_000
    await stopping
    (end,) = tape.all("connection.closed")
    assert (end.detail["reason"], end.detail["unsent"]) == ("closed by us", 0)
    assert tape.kinds()[-1] == "service.stopped"


@pytest_twisted.ensureDeferred
async def test_stopping_aborts_those_that_do_not_read(desk: Desk, tape: Tape) -> None:
    class Writes(Protocol):
        def connectionMade(self) -> None:
            self.transport.write(bytes(20_000_000))

    assert service_module.GRACE == 2.0
    service = await desk.start(make=lambda: ServerFactory.forProtocol(Writes))
    peer, idle = Peer(service, receive_buffer=4096), Peer(service)
    await until(lambda: len(service.connections) == 2)
    await service.stop(0.05)
    assert service.connections == {}
    assert service.status == Stopped()
    unsent = [e.detail["unsent"] for e in tape.all("connection.closed")]
    assert max(unsent) > 1_000_000
    await idle.end()
    await peer.end()
    assert peer.ended == "reset"


@pytest_twisted.ensureDeferred
async def test_no_connection_gets_in_while_stopping(desk: Desk) -> None:
    service = await desk.start()
    where = address(service)
    peer = Peer(service)  # not accepted yet
    await service.stop()
    await peer.end()
    with pytest.raises(ConnectionRefusedError):
        Peer(where)
    assert not service.connections


@pytest_twisted.ensureDeferred
async def test_one_connection_that_cannot_be_closed_keeps_no_other_open(
    desk: Desk, tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = await desk.start()
    peers = [Peer(service) for _ in range(3)]
    await until(lambda: len(service.connections) == 3)
    bad = next(iter(service.connections.values()))
    monkeypatch.setattr(bad, "finish", lambda: _raise(ValueError("in finish")))
    await service.stop(0.05)
    assert service.status == Stopped()
    for peer in peers:
        await peer.end()
    assert len(tape.all("failure")) == 1


@pytest_twisted.ensureDeferred
async def test_bytes_so_far_count_live_and_past_connections(desk: Desk) -> None:
    service = await desk.start()
    for _ in range(2):
        peer = Peer(service)
        peer.push(b"12345")
        await peer.expect(b"12345")
        peer.close()
    await until(lambda: not service.connections)
    live = Peer(service)
    live.push(b"123")
    await live.expect(b"123")
    assert service.bytes_so_far() == (13, 13)
    live.close()


@pytest_twisted.ensureDeferred
async def test_send_and_finish_are_for_the_user(desk: Desk, tape: Tape) -> None:
    service = await desk.start()
    peer = Peer(service)
    await until(lambda: service.connections)
    (connection,) = service.connections.values()
    connection.send(b"typed")
    await peer.expect(b"typed")
    connection.finish()
    await peer.end()
    assert tape.data("data.sent") == b"typed"
    (end,) = tape.all("connection.closed")
    assert end.summary == "closed by us"
