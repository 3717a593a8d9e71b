"""app.outposts.ways.stream and asking: a console's link to an outpost, on real sockets and by hand."""

import errno
import struct

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import CancelledError
from twisted.internet.endpoints import UNIXClientEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.protocol import connectionDone
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from app.outposts import frames
from app.outposts import protocol as p
from app.outposts.errors import LostError, RefusedError
from app.outposts.ways.asking import MOST_ASKED, Asking
from app.outposts.ways.carrier import Closed, Connected, Connecting, Lost
from app.outposts.ways.stream import StreamCarrier
from tests.helpers import until


def carrier_to(path, policy=lambda attempt: 100.0):
    return StreamCarrier(reactor, str(path), UNIXClientEndpoint(reactor, str(path)), policy)


@pytest_twisted.ensureDeferred
async def test_requests_are_answered_over_a_socket(bench):
    carrier = carrier_to(bench.path)
    ways = []
    carrier.changed.connect(ways.append)
    carrier.open()
    await until(lambda: carrier.way == Connected())
    with pytest.raises(RefusedError, match="must be hello"):
        await carrier.ask(p.Status())
    assert (await carrier.ask(p.Hello(p.VERSION, "test"))).name == "bench"
    [service] = (await carrier.ask(p.Status())).services
    assert service.name == "echo"
    hints = []
    carrier.hinted.connect(hints.append)
    await carrier.ask(p.Start())
    assert hints
    await carrier.close()
    assert ways == [Connecting(), Connected(), Closed()]


@pytest_twisted.ensureDeferred
async def test_what_is_lost_is_waited_for_and_the_wait_can_be_cut_short(bench):
    carrier = carrier_to(bench.path)
    carrier.open()
    await until(lambda: carrier.way == Connected())
    await carrier.ask(p.Hello(p.VERSION, "test"))
    waiting = carrier.ask(p.Read(1 << 50))
    await bench.socket.close()
    with pytest.raises(LostError, match=str(bench.path)):
        await waiting
    assert isinstance(carrier.way, Lost)
    await until(lambda: carrier.way.due)
    assert carrier.way.due > reactor.seconds() + 50
    with pytest.raises(LostError):
        await carrier.ask(p.Status())
    carrier.now()
    await until(lambda: isinstance(carrier.way, Lost) and "No such file" in carrier.way.reason)
    bench.listen()
    carrier.now()
    await until(lambda: carrier.way == Connected())
    await carrier.close()


def test_the_wait_grows_and_ends_by_itself():
    memory = MemoryReactorClock()
    carrier = StreamCarrier(memory, "x", UNIXClientEndpoint(memory, "x"), policy=lambda attempt: attempt)
    carrier.open()
    for seconds in (1, 2, 3):
        memory.unixClients.pop()[1].clientConnectionFailed(None, refused())
        assert carrier.way == Lost("Connection refused", memory.seconds() + seconds)
        memory.advance(seconds)
        assert carrier.way == Connecting()
    carrier.close()


def refused():
    return Failure(ConnectError(errno.ECONNREFUSED))


# -- the link, by hand


@pytest.fixture
def link():
    made = Asking("pi", lambda: made.hints.append(1), lambda reason: made.ends.append(reason))
    made.hints, made.ends = [], []
    made.makeConnection(StringTransport())
    return made


def framed(data):
    return struct.pack("!I", len(data)) + data


def answer(number, answer):
    return framed(frames.encode({"to": number, "answer": answer}))


def test_answers_come_in_any_order_and_pieces(link):
    found = [link.ask(p.Status()), link.ask(p.Status())]
    sent = answer(2, p.Services(())) + framed(frames.encode({"changed": "services"})) + answer(1, p.Services(()))
    for at in range(len(sent)):
        link.dataReceived(sent[at : at + 1])
    assert [one.result for one in found] == [p.Services(()), p.Services(())]
    assert link.hints == [1]


def test_no_more_is_asked_than_the_outpost_reads(link):
    found = [link.ask(p.Status()) for _ in range(MOST_ASKED + 2)]
    assert link.transport.value().count(b"services") == MOST_ASKED
    found[-2].addErrback(lambda failure: failure.trap(CancelledError))
    found[-2].cancel()
    link.dataReceived(answer(3, p.Services(())))
    assert link.transport.value().count(b"services") == MOST_ASKED + 1
    link.dataReceived(answer(MOST_ASKED + 2, p.Services(())))
    assert found[-1].result == p.Services(())


def test_an_answer_to_what_was_given_up_is_passed_over(link):
    asked = link.ask(p.Status())
    asked.addErrback(lambda failure: failure.trap(CancelledError))
    asked.cancel()
    link.dataReceived(answer(1, p.Services(())))
    assert not link.transport.disconnected


def test_a_hint_that_is_not_known_is_passed_over(link):
    for name, hints in (("services", 1), ("mood", 1), ("services", 2)):
        link.dataReceived(framed(frames.encode({"changed": name})))
        assert len(link.hints) == hints
    assert not link.transport.disconnected


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (struct.pack("!I", 1 << 31), "are the most"),
        (framed(b"\x91" * 100), "The answer is wrong"),
        (framed(b""), "The answer is wrong"),
        (answer(7, {}), "not asked: number 7"),
        (framed(frames.encode({"refused": "No more than 32 consoles"})), "No more than 32 consoles"),
        (framed(frames.encode({"to": 0})), "not asked: number 0"),
        (framed(frames.encode({"to": 1, "refused": "x" * 20_000})), "The answer is wrong"),
    ],
)
def test_what_is_no_answer_ends_the_link_in_words(link, sent, words):
    asked = link.ask(p.Status())
    link.dataReceived(sent)
    assert link.transport.disconnected
    link.connectionLost(connectionDone)
    with pytest.raises(LostError, match=words):
        raise asked.result.value
    asked.addErrback(lambda failure: None)
    assert words in link.ends[0]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"services": 5}, "services is wrong"), ({"services": [["x"]]}, "services is wrong"),
        (None, "services is wrong"),
    ],
)  # fmt: skip
def test_an_answer_of_another_shape_is_refused(link, given, words):
    asked = link.ask(p.Status())
    link.dataReceived(answer(1, given))
    with pytest.raises(RefusedError, match=words):
        raise asked.result.value
    asked.addErrback(lambda failure: None)
