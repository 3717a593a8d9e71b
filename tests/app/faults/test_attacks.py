"""What somebody means ill with, or has in thousands: bounded in time and memory, and nothing is left behind."""

from __future__ import annotations

import os
import tracemalloc
from time import process_time
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread

from app import faults
from app.faults import tables
from app.faults.draws import Draws
from app.faults.kinds.corrupt import corrupted
from app.faults.lane import Lane, Meter, Piece
from app.services.tap import faulty_flows
from app.workspace.reading import parse
from tests.app.faults.course import Stage
from tests.app.faults.http_desk import started
from tests.app.faults.http_peers import HTTP2, Client2
from tests.app.faults.test_datagrams import Peer as Peer1
from tests.app.faults.test_datagrams import flows
from tests.app.services.helpers import Desk, Peer, Tape, address
from tests.helpers import until

HOUR = 3_600_000.0

# -- large messages in small parts


@pytest.mark.parametrize("by", ["slices", "meters"])
def test_100_mb_in_small_portions_take_what_the_portions_take(by: str):
    """Each portion is taken from the whole: were the rest copied, 1,000 of them would be 100 GB."""
    clock, got, whole = Clock(), [0], bytes(100 << 20)
    lane = Lane(clock)
    piece = Piece(whole, lambda data: got.__setitem__(0, got[0] + len(data)))
    if by == "slices":
        piece.slices["slice"] = (lambda: 1, 0.001)
    else:
        piece.meters["rate"] = Meter(1_000.0, 1, clock.seconds())
    tracemalloc.start()
    began = process_time()
    lane.put(piece)
    clock.pump([0.001 if by == "slices" else 0.01] * 1_000)
    assert process_time() - began < 3
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    assert got[0] >= 999
    assert lane.size == len(whole) - got[0]
    lane.lift("slice")
    lane.lift("rate")
    assert got[0] == len(whole)
    assert (lane.size, clock.getDelayedCalls()) == (0, [])


@pytest.mark.parametrize("how", ["bit", "byte", "zero", "insert", "truncate"])
def test_ten_thousand_mistakes_in_a_large_message_block_nobody(how: str):
    data = bytes(16 << 20)
    began = process_time()
    wrong = corrupted(data, how, 10_000, Draws(7, "x", 1, "sent", 1))
    assert process_time() - began < 1
    assert len(wrong) - len(data) == {"insert": 10_000, "truncate": -10_000}.get(how, 0)
    assert wrong != data or how == "zero"


def test_noise_of_16_mib_blocks_nobody():
    began = process_time()
    noise = Draws(7, "x", 1, "sent", 1).noise(16 << 20)
    assert process_time() - began < 1
    assert len(noise) == 16 << 20
    assert noise == Draws(7, "x", 1, "sent", 1).noise(16 << 20)
    assert 250 < len(set(noise[:10_000])) <= 256


# -- what peers choose


def test_a_quota_keeps_no_long_values_of_headers():
    stage = Stage(Clock())
    stage.faults.protocol = "http"
    stage.faults.configure([{"kind": "quota", "by": "field", "field": "X-Key", "requests": 1}])
    course = stage.open()
    target: Any = course.target
    target.protocol_name, answered = "http", []
    target.answer = lambda *args: answered.append(args)
    for number in range(200):
        target.field = lambda name, number=number: f"{number:060000}"
        stage.message(course, b"", "received")
    [fault] = stage.faults.all
    assert len(fault.kept) == 200
    assert max(map(len, fault.kept)) <= 128
    stage.message(course, b"", "received")
    assert len(answered) == 1


@pytest_twisted.ensureDeferred
async def test_streams_that_are_held_and_cancelled_leave_nothing(desk: Desk, home: None, tape: Tape):
    """Opened and reset at once, by hundreds, while faults hold their answers."""
    ways = {"/hang": {"kind": "hang"}, "/late": {"kind": "delay", "ms": HOUR}, "/cut": {"kind": "cut", "bytes": 1}}
    held = [{**table, "path": path} for path, table in ways.items()]
    held.append({"kind": "slow-close", "after_ms": HOUR, "path": "/slow"})
    service = await started(desk, HTTP2, *held)

    def talk() -> tuple[str, int]:
        client = Client2(address(service))
        for _ in range(5):
            streams = [client.ask(path) for path in ("/hang", "/late", "/slow", "/cut") * 20]
            client.read()
            for stream in streams:
                if client.streams[stream].end == "open":
                    client.h2.reset_stream(stream, 8)
            client.flush()
        last = client.ask("/")
        got = client.read(last)[last]
        client.close()
        return got.end, got.status

    assert await deferToThread(talk) == ("END", 200)
    [course] = service.faults._courses.values() or [None]
    if course is not None:
        await until(lambda: not course.within)
    await until(lambda: not service.connections)
    assert len(tape.all("fault.applied")) == 400
    assert not tape.all("failure")


@pytest_twisted.ensureDeferred
async def test_restarts_under_load_leave_nothing_behind(desk: Desk, tape: Tape):
    """Clients write as fast as they can while the service that holds what they send stops and starts."""
    held = [
        {"kind": "rate", "bytes_per_second": 50_000.0}, {"kind": "delay", "ms": HOUR, "on": "received", "every": 3},
        {"kind": "stall", "ms": HOUR, "every": 2}, {"kind": "freeze", "every": 5}, {"kind": "hang", "every": 7},
        {"kind": "slow-close", "after_ms": HOUR, "every": 2}, {"kind": "slice", "bytes": 1, "pause_ms": 0.0},
    ]  # fmt: skip
    service = await desk.start(faults=held, seed=7)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(4):
        peers = [Peer(service) for _ in range(10)]
        for _ in range(5):
            for peer in peers:
                peer.push(bytes(100_000))
            await until(lambda: len(service.connections) == 10)
        await service.stop(0.05)
        assert not service.connections
        assert not service.faults._courses
        for peer in peers:
            peer.close()
        await service.start()
    assert len(os.listdir("/proc/self/fd")) <= before + 1
    assert not tape.all("failure")


@pytest.mark.parametrize("table", [{"ms": 24 * HOUR}, {"gap": 10_000}], ids=["ms", "gap"])
def test_copies_of_datagrams_are_bounded_too(table: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(faulty_flows, "MOST", 1 << 18)
    clock, made, told = flows(*({"kind": "duplicate", "name": str(number), **table} for number in range(20)))
    flow, got = made.open(Peer1()), list[bytes]()
    for _ in range(300):
        flow.pass_on("sent", bytes(1_000), got.append)
        assert made.waiting <= 1 << 18
    assert len(got) >= 300
    clock.advance(2)
    assert told
    flow.end()
    assert made.waiting == 0
    made.stop()
    assert not clock.getDelayedCalls()


# -- switches


def test_one_that_lifts_itself_does_so_once_and_may_be_had_again():
    clock = Clock()
    stage = Stage(clock, {"kind": "delay", "ms": HOUR, "enabled": False, "ttl_seconds": 10.0})
    [fault], course = stage.faults.all, stage.open()
    for _ in range(3):
        stage.faults.switch(fault, on=True)
        clock.advance(4)
        stage.faults.switch(fault, on=True)  # it is on: its time goes on
        stage.message(course, b"held")
        assert len(course.target.outgoing) == 1
        clock.advance(5.9)
        assert fault.enabled
        clock.advance(0.2)
        assert not fault.enabled
        assert len(course.target.outgoing) == 0
    assert course.target.got["sent"] == [b"held"] * 3  # type: ignore[attr-defined]
    assert not clock.getDelayedCalls()


@pytest.mark.parametrize("table", [{}, {"nth": 50}, {"probability": 0.0}, {"match": "never"}, {"enabled": False}])
def test_once_now_hits_once_whatever_the_conditions_say(table: dict[str, Any]):
    stage = Stage(Clock(), {"kind": "corrupt", "how": "zero", "nth": 99, **table})
    [fault], course = stage.faults.all, stage.open()
    for _ in range(2):
        stage.faults.once_now(fault)
    for _ in range(5):
        stage.message(course, b"x")
    assert course.target.got["sent"] == [b"\0", b"\0", b"x", b"x", b"x"]  # type: ignore[attr-defined]
    assert (fault.hits, fault.once) == (2, 0)


def test_faults_by_hand_keep_to_their_connection_and_conditions_and_go_with_it():
    stage = Stage(Clock(), {"kind": "corrupt", "how": "zero", "match": "y"})
    one, other = stage.open(), stage.open()
    for _ in range(50):
        fault = stage.faults.strike_connection(one.number, {"kind": "corrupt", "how": "truncate", "match": "x"})
        assert fault is not None
    for course in (one, other):
        stage.message(course, b"z")
        stage.message(course, b"xx")
    assert one.target.got["sent"] == [b"z", b""]  # type: ignore[attr-defined]
    assert other.target.got["sent"] == [b"z", b"xx"]  # type: ignore[attr-defined]
    assert stage.faults.strike_connection(99, {"kind": "reset"}) is None
    assert stage.faults.lift_connection(one.number)
    assert len(stage.faults.all) == 1
    stage.faults.strike_connection(one.number, {"kind": "hang"})
    stage.close(one)
    assert len(stage.faults.all) == 1
    assert stage.faults.strike_connection(one.number, {"kind": "reset"}) is None


# -- workspaces


def service(fault: str) -> str:
    return f'version = 1\n[[service]]\nname = "x"\nprotocol = "tcp"\nlisten = "127.0.0.1:9007"\n{fault}'


HOSTILE = {
    "thousands": ("[[service.fault]]\nkind = 'delay'\n" * 5_000, "a service has 100 faults at most"),
    "a number beyond 64 bits": (f"[[service.fault]]\nkind = 'delay'\nnth = 0x{'f' * 9_000}\n", "more than the 64 bits"),
    "a number of thousands of digits": (f"[[service.fault]]\nkind = 'delay'\nnth = {'9' * 9_000}\n", "cannot be read"),
    "infinite": ("[[service.fault]]\nkind = 'delay'\nms = inf\n", "must be a finite number"),
    "not a number": ("[[service.fault]]\nkind = 'delay'\nprobability = nan\n", "must be a finite number"),
    "brackets": (f"[[service.fault]]\nkind = {'[' * 20_000}{']' * 20_000}\n", "more brackets in brackets"),
    "tables in tables": (f"[[service.fault]]\nkind = 'delay'\nmatch{'.a' * 500} = 1\n", "joins more than 50"),
    "conditions in a list": ("[[service.fault]]\nkind = 'delay'\nmatch = [['x'], ['y']]\n", "must be text"),
    "a long kind": (f"[[service.fault]]\nkind = '{'x' * 100_000}'\n", "is unknown. Use one of"),
    "a long name": (f"[[service.fault]]\nkind = 'delay'\nname = '{'x' * 100_000}'\n", "at most 60 characters"),
    "peers": (f"[[service.fault]]\nkind = 'delay'\npeer = {['10.0.0.1'] * 50_000}\n", "1,000 are the most"),
    "a greedy pattern": ("[[service.fault]]\nkind = 'delay'\nmatch_regex = '((a{1,1000}){1,1000}){1,1000}'\n", ""),
    "a deep pattern": (f"[[service.fault]]\nkind = 'delay'\nmatch_regex = '{'(' * 900}{')' * 900}'\n", None),
    "stars": (f"[[service.fault]]\nkind = 'delay'\nmatch = '{'*' * 100_000}'\n", None),
}
"""What stands in a workspace, and what is said of it; "": whatever; None: nothing is wrong."""


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_workspace_gets_words_and_soon(name: str):
    text, wrong = HOSTILE[name]
    began = process_time()
    _, problems = parse(service(text))
    assert process_time() - began < 3
    if wrong is None:
        assert not problems
        return
    assert problems
    assert wrong in problems[0].text
    assert all(len(problem.text) < 2_000 for problem in problems)
    assert all(problem.line > 1 or "read" in problem.text for problem in problems)


def extreme() -> list[Any]:
    """Each kind that has bytes or messages of TCP, with all of its numbers at one end."""
    found = []
    for name in faults.built_in():
        kind = faults.find(name)
        assert kind is not None
        if "tcp" not in kind.protocols or kind.tls or kind.level not in (faults.BYTES, faults.MESSAGES):
            continue
        for end in ("minimum", "maximum"):
            own = [option for option in kind.options if not option.protocols or "tcp" in option.protocols]
            table = {option.name: getattr(option, end) for option in own if getattr(option, end) is not None}
            found.append(pytest.param(kind, {"kind": name, **table}, id=f"{name} {end}"))
    return found


@pytest.mark.parametrize(("kind", "table"), extreme())
def test_the_ends_of_all_figures_hit_without_a_failure(kind: faults.FaultKind, table: dict[str, Any]):
    table = {key: int(value) if next(o for o in kind.options if o.name == key).type is int else value
             for key, value in table.items() if key != "kind"} | {"kind": kind.name}  # fmt: skip
    if kind.name == "cut":
        table.pop("part")
    assert not list(tables.problems([table], "tcp", tls=False))
    clock = Clock()
    stage = Stage(clock, table)
    began = process_time()
    course = stage.open()
    for side in kind.sides:
        stage.message(course, b"hello" * 100, side if side != "connect" else "received")
    clock.pump([0.001] * 20)
    [fault] = stage.faults.all
    stage.faults.switch(fault, on=False)
    stage.close(course)
    assert process_time() - began < 2
    assert not clock.getDelayedCalls()
