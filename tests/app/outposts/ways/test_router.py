"""app.outposts through a WAMP router: an outpost that joins, a console that asks."""

from dataclasses import replace

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from app.outposts import frames
from app.outposts import protocol as p
from app.outposts.errors import LostError, RefusedError, RouterError
from app.outposts.outpost import Outpost
from app.outposts.ways import keys
from app.outposts.ways.carrier import Closed, Connected, Lost
from app.outposts.ways.configured import Ways
from app.outposts.ways.joining import MOST_REQUESTS, Joining
from app.outposts.ways.keys import Key
from app.outposts.ways.login import checked as login
from app.outposts.ways.router_carrier import RouterCarrier
from app.outposts.ways.router_console import RouterConsole
from app.outposts.ways.sealing import SealedAnswers
from app.post import Post
from app.services.config import ServiceConfig
from app.workspace.outposts import OutpostConfig
from app.workspace.reading import Workspace
from tests.app.outposts.ways.tiny_router import TinyRouter
from tests.helpers import until

PI, DESK, OTHER = Key(b"p" * 32), Key(b"d" * 32), Key(b"o" * 32)
KNOWN = {"pi-3": PI.public.signing.hex(), "desk": DESK.public.signing.hex()}


def soon(attempt):
    return 0.02


class Lab:
    """A router, an outpost at it, and the way of a console to that."""

    def __init__(self, folder, allow="control"):
        self.said = []
        self.router = TinyRouter(dict(KNOWN))
        self.post = Post(reactor, Workspace((ServiceConfig("echo", "tcp", "127.0.0.1", 0, "echo"),)))
        pytest_twisted.blockon(self.post.open(folder / "x.lpost"))
        self.outpost = Outpost(reactor, self.post, "pi-3", allow)
        self.joining = self._joining()
        self.console = RouterConsole(reactor, self.router.url, "desk", self._login, policy=soon)
        self.carrier = RouterCarrier(self.console, "pi-3")
        self.ways = []
        self.carrier.changed.connect(self.ways.append)

    def _login(self):
        return login(self.router.url, "post.lab", "desk", DESK)

    def _joining(self):
        at = login(self.router.url, "post.lab", "pi-3", PI)
        return Joining(reactor, self.outpost, at, self.said.append, soon)

    async def meet(self):
        self.joining.open()
        self.carrier.open()
        await until(lambda: self.carrier.way == Connected())

    async def ask(self, request):
        """The answer, in a turn of its own: a test must not end while data is received, since Qt then goes on."""
        try:
            return await self.carrier.ask(request)
        finally:
            await deferLater(reactor, 0)

    async def close(self):
        await self.carrier.close()
        await self.joining.close()
        await self.router.close()
        self.outpost.close()
        await self.post.shut_down()


@pytest.fixture
def lab(tmp_path):
    made = Lab(tmp_path)
    yield made
    pytest_twisted.blockon(Deferred.fromCoroutine(made.close()))


@pytest_twisted.ensureDeferred
async def test_a_console_reads_and_steers_an_outpost(lab):
    await lab.meet()
    hello = await lab.ask(p.Hello(p.VERSION, "anybody"))
    assert (hello.name, hello.allow) == ("pi-3", "control")
    [service] = (await lab.ask(p.Start())).services
    assert service.status == "listening"
    lab.post.recorder.flush()
    found = await lab.ask(p.Read())
    # Who asked is who logged in, whatever the frame says.
    assert "desk: start echo" in [event.summary for event in found.events]
    with pytest.raises(RefusedError, match="this outpost allows"):
        await lab.ask(p.Remove("echo"))


@pytest_twisted.ensureDeferred
async def test_a_change_is_hinted(lab):
    await lab.meet()
    hints = []
    lab.carrier.hinted.connect(hints.append)
    await lab.post.start_all()
    await until(lambda: hints)


@pytest_twisted.ensureDeferred
async def test_both_come_back_to_a_router_that_was_gone(lab):
    await lab.meet()
    waiting = lab.carrier.ask(p.Read(10_000))
    await lab.router.close()
    with pytest.raises(LostError):
        await waiting
    await until(lambda: isinstance(lab.carrier.way, Lost))
    lab.router = TinyRouter(dict(KNOWN), lab.router.port)
    await until(lambda: lab.carrier.way == Connected())
    assert (await lab.ask(p.Status())).services


@pytest_twisted.ensureDeferred
async def test_an_outpost_that_comes_later_is_found(lab):
    lab.carrier.open()
    await until(lambda: isinstance(lab.carrier.way, Lost))
    await until(lambda: "no outpost of this name" in lab.carrier.way.reason)
    lab.joining.open()
    await until(lambda: lab.carrier.way == Connected())
    await lab.joining.close()
    lab.ways.clear()
    with pytest.raises(LostError):
        await lab.ask(p.Status())
    assert isinstance(lab.ways[0], Lost)


@pytest_twisted.ensureDeferred
async def test_who_is_not_known_is_told_so_and_let_in_later(lab):
    del lab.router.known["pi-3"]
    lab.joining.open()
    await until(lambda: any("the router knows no key of pi-3" in line for line in lab.said))
    lab.router.known.update(KNOWN)
    await until(lambda: "joined" in lab.said[-1])


@pytest_twisted.ensureDeferred
async def test_a_name_that_the_router_does_not_give_is_told(lab):
    lab.joining._own = "post.other."
    lab.joining.open()
    await until(lambda: any("not_authorized" in line for line in lab.said))


@pytest_twisted.ensureDeferred
async def test_a_false_answer_cuts_the_way(lab):
    await lab.meet()
    for answer, reason in (
        (["text"], "something else than one frame"),
        ([b"\xff"], "The answer is wrong"),
        ([frames.encode(frames.Answered(12345))], "what was not asked"),
        (None, "something else than one frame"),
    ):
        lab.router.forced = lambda args, answer=answer: answer
        lab.ways.clear()
        with pytest.raises(LostError, match=reason):
            await lab.ask(p.Status())
        assert isinstance(lab.ways[0], Lost)
        lab.router.forced = lambda args: args
        await until(lambda: lab.carrier.way == Connected())


class Details:
    procedure, caller_authid = "post.pi-3.services", "desk"


@pytest_twisted.ensureDeferred
async def test_calls_that_are_no_request_are_refused_in_words(lab):
    async def refused(*given, **named):
        return frames.answered(await lab.joining._called(*given, details=Details, **named)).refused

    ask = frames.encode({"id": 1, "ask": p.Status()})
    assert not await refused(ask)
    assert "A call takes one frame" in await refused()
    assert "A call takes one frame" in await refused("text")
    assert "A call takes one frame" in await refused(ask, more=1)
    assert "A call takes one frame" in await refused(bytes(p.MAX_REQUEST + 1))
    assert "The request is wrong" in await refused(b"\xff")
    # The router's rules go by the name that is called: the frame may not ask for something else.
    assert "services was called with the request stop" in await refused(frames.encode({"id": 1, "ask": p.Stop()}))
    lab.joining._answering = MOST_REQUESTS
    assert "Ask again later" in await refused(ask)


@pytest_twisted.ensureDeferred
async def test_what_waits_fails_when_the_way_is_closed(lab):
    await lab.meet()
    waiting = lab.carrier.ask(p.Read(10_000))
    closing = lab.carrier.close()
    with pytest.raises(LostError):
        await waiting
    await closing
    assert lab.carrier.way == Closed()
    with pytest.raises(LostError):
        await lab.ask(p.Status())


class Sealed(Lab):
    """Console and outpost know each other's public keys."""

    def _joining(self):
        at = login(self.router.url, "post.lab", "pi-3", PI)
        sealed = SealedAnswers("pi-3", PI, {"other": OTHER.public, "my desk": DESK.public})
        return Joining(reactor, self.outpost, at, self.said.append, soon, sealed)

    def carrier_for(self, public):
        return RouterCarrier(self.console, "pi-3", public)


@pytest.fixture
def sealed(tmp_path):
    made = Sealed(tmp_path)
    made.carrier = made.carrier_for(PI.public)
    yield made
    pytest_twisted.blockon(Deferred.fromCoroutine(made.close()))


@pytest_twisted.ensureDeferred
async def test_a_router_cannot_read_what_is_sealed(sealed):
    await sealed.meet()
    await sealed.ask(p.Start())
    sealed.post.recorder.flush()
    found = await sealed.ask(p.Read())
    assert "my desk: start echo" in [event.summary for event in found.events]
    assert len(sealed.router.passed) >= 4
    for said in sealed.router.passed:
        for word in (b"start", b"echo", b"desk", b"services", b"hello"):
            assert word not in said


@pytest_twisted.ensureDeferred
async def test_a_router_cannot_change_nor_repeat_what_is_sealed(sealed):
    await sealed.meet()
    sealed.router.forced = lambda args: [args[0][:-1] + bytes([args[0][-1] ^ 1])]
    with pytest.raises(LostError, match="not sealed by its key"):
        await sealed.ask(p.Status())
    sealed.router.forced = lambda args: args
    await until(lambda: sealed.carrier.way == Connected())
    earlier = sealed.router.passed[-1]
    sealed.router.forced = lambda args: [earlier]
    with pytest.raises(LostError, match="not sealed by its key"):
        await sealed.ask(p.Status())


@pytest_twisted.ensureDeferred
async def test_who_has_not_the_keys_is_told_so(sealed):
    await sealed.meet()
    for public, said in ((None, "answers sealed calls alone"), (OTHER.public, "does not know the console")):
        stranger = sealed.carrier_for(public)
        stranger.open()
        await until(lambda stranger=stranger: isinstance(stranger.way, Lost))
        assert said in stranger.way.reason
        await stranger.close()


@pytest_twisted.ensureDeferred
async def test_an_outpost_that_seals_nothing_says_so(lab):
    await lab.meet()
    carrier = RouterCarrier(lab.console, "pi-3", PI.public)
    carrier.open()
    await until(lambda: isinstance(carrier.way, Lost))
    assert "without serve --seal" in carrier.way.reason
    await carrier.close()


@pytest_twisted.ensureDeferred
async def test_a_workspace_names_outposts_at_a_router_and_logs_in_once(lab, tmp_path):
    ways = Ways(reactor)
    config = OutpostConfig("pi-3", lab.router.url, login="desk", key="desk.key")
    carrier, other = ways.to(config, tmp_path), ways.to(replace(config, name="pi 4"), tmp_path)
    lab.joining.open()
    carrier.open()
    other.open()
    await until(lambda: isinstance(carrier.way, Lost))
    assert "desk.key" in carrier.way.reason
    lab.router.known["desk"] = keys.make(tmp_path / "desk.key").public.signing.hex()
    carrier.now()
    await until(lambda: carrier.way == Connected())
    await until(lambda: isinstance(other.way, Lost))
    assert "letters, digits" in other.way.reason
    assert len(lab.router.sessions) == 2
    await carrier.close()
    assert len(lab.router.sessions) == 2
    await other.close()
    await until(lambda: len(lab.router.sessions) == 1)


@pytest.mark.parametrize(
    ("url", "realm", "name", "reason"),
    [
        ("ws://router.example/ws", "post.lab", "pi", "not encrypted"),
        ("https://router.example", "post.lab", "pi", "an address is wss://"),
        ("wss://router.example:99999/ws", "post.lab", "pi", "an address is wss://"),
        ("wss://router.example/ws", "ab", "pi", "three characters"),
        ("wss://router.example/ws", "post.lab", "a.b", "letters, digits"),
    ],
)
def test_a_login_that_cannot_be_is_refused(url, realm, name, reason):
    with pytest.raises(RouterError, match=reason):
        login(url, realm, name, PI)


def test_a_file_without_a_certificate_is_refused(tmp_path):
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(RouterError, match="no certificate"):
        login("wss://router.example/ws", "post.lab", "pi", PI, tmp_path / "ca.pem")
    with pytest.raises(RouterError, match="No such file"):
        login("wss://router.example/ws", "post.lab", "pi", PI, tmp_path / "none.pem")
