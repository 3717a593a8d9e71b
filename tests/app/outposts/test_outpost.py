"""app.outposts: a Post that is read and steered through its socket, by real clients."""

import os
import socket
import struct
import threading
from contextlib import closing, suppress
from dataclasses import replace

import pytest
import pytest_twisted
from twisted.internet import reactor, threads
from twisted.internet.defer import Deferred

from app import events
from app.outposts import changing, frames
from app.outposts import protocol as p
from app.outposts.client import Client
from app.outposts.errors import NoOutpostError, RefusedError, SocketTakenError
from app.outposts.outpost import Outpost
from app.outposts.ways.answering import MOST_REQUESTS
from app.outposts.ways.socket import ControlSocket
from app.post import Post
from app.programs.config import ProgramConfig
from app.services.config import ServiceConfig
from app.status import Listening, Stopped
from app.workspace.reading import Workspace
from tests.app.capture.captures import read
from tests.helpers import until

LATE = {"kind": "delay", "ms": 1.0, "enabled": False}


@pytest.fixture
def desk(folder, tmp_path):
    """An outpost with an echo that has a fault, and its socket."""
    config = ServiceConfig("echo", "tcp", "127.0.0.1", 0, "echo", faults=(LATE,))
    post = Post(reactor, Workspace((config,)))
    outpost = Outpost(reactor, post, "bench", "change")
    pytest_twisted.blockon(post.open(tmp_path / "x.lpost"))
    listening = ControlSocket(reactor, folder / "s", outpost)
    yield post, outpost, folder / "s"
    pytest_twisted.blockon(Deferred.fromCoroutine(listening.close()))
    outpost.close()
    pytest_twisted.blockon(Deferred.fromCoroutine(post.shut_down()))


def in_thread(path, ask):
    """What ``ask`` returns, given a client of the socket, in a thread."""

    def work():
        with Client(path, "test") as client:
            return ask(client)

    return threads.deferToThread(work)


@pytest_twisted.ensureDeferred
async def test_services_are_listed_started_and_stopped(desk):
    post, _, path = desk
    [stopped] = (await in_thread(path, lambda c: c.ask(p.Status()))).services
    assert (stopped.name, stopped.status, stopped.words) == ("echo", "stopped", "")
    [listening] = (await in_thread(path, lambda c: c.ask(p.Start()))).services
    assert listening.status == "listening"
    assert listening.words == post.services["echo"].status.host
    await in_thread(path, lambda c: c.ask(p.Stop(("echo",))))
    assert post.services["echo"].status == Stopped()


@pytest_twisted.ensureDeferred
async def test_a_fault_is_switched_by_its_name(desk):
    post, _, path = desk
    await in_thread(path, lambda c: c.ask(p.SwitchFault("delay", "on")))
    assert post.services["echo"].faults.all[0].enabled
    await in_thread(path, lambda c: c.ask(p.SwitchFault("echo/delay", "off")))
    assert not post.services["echo"].faults.all[0].enabled
    await in_thread(path, lambda c: c.ask(p.SwitchFault("delay", "once")))
    assert post.services["echo"].faults.all[0].once == 1
    with pytest.raises(RefusedError, match="There are echo/delay"):
        await in_thread(path, lambda c: c.ask(p.SwitchFault("nothing", "on")))


@pytest_twisted.ensureDeferred
async def test_a_connection_is_listed_sent_to_and_closed(desk):
    post, _, path = desk
    await post.start_all()
    with closing(socket.create_connection(("127.0.0.1", int(post.services["echo"].status.host.split(":")[1])))) as peer:
        await until(lambda: post.services["echo"].connections)
        [one] = (await in_thread(path, lambda c: c.ask(p.Connections("echo")))).connections
        assert one.peer == "{}:{}".format(*peer.getsockname())
        await in_thread(path, lambda c: c.ask(p.Send(one.number, b"hello")))
        assert await threads.deferToThread(peer.recv, 10) == b"hello"
        await in_thread(path, lambda c: c.ask(p.Disconnect(one.number)))
        assert await threads.deferToThread(peer.recv, 10) == b""
        with pytest.raises(RefusedError, match=f"no open connection {one.number}"):
            await in_thread(path, lambda c: c.ask(p.Send(one.number, b"hello")))


@pytest_twisted.ensureDeferred
async def test_a_service_is_added_changed_and_removed(desk):
    post, _, path = desk
    text = '[[service]]\nname = "lines"\nprotocol = "tcp"\nlisten = "127.0.0.1:0"\nresponder = "{}"\n'
    await in_thread(path, lambda c: c.ask(p.Put(text.format("discard"))))
    assert isinstance(post.services["lines"].status, Listening)
    await in_thread(path, lambda c: c.ask(p.Put("version = 1\n" + text.format("echo"))))
    assert post.services["lines"].config.responder == "echo"
    assert list(post.services) == ["echo", "lines"]
    await in_thread(path, lambda c: c.ask(p.Remove("lines")))
    assert list(post.services) == ["echo"]
    with pytest.raises(RefusedError, match="line 5: responder"):
        await in_thread(path, lambda c: c.ask(p.Put(text.format("nobody"))))


ECHO = '[[service]]\nname = "{}"\nprotocol = "tcp"\nlisten = "127.0.0.1:0"\nresponder = "echo"\n'


@pytest.mark.parametrize(
    "more", ['[[program]]\nname = "p"\nrun = ["p.py"]\n', '[[outpost]]\nname = "o"\ntarget = "a@b"\n',
             '[outpost]\nallow = "change"\n', '[mail]\nserver = "x"\nfrom = "a@b"\n'],
)  # fmt: skip
def test_what_is_put_and_is_no_service_is_refused_and_not_passed_over(more):
    assert list(changing.services_in(ECHO.format("one"))) == ["one"]
    with pytest.raises(RefusedError, match="services alone"):
        changing.services_in(ECHO.format("one") + more)


def test_mistakes_without_end_are_told_in_a_few_words():
    with pytest.raises(RefusedError) as caught:
        changing.services_in("[[service]]\n" * 9_000 + 'name = "' + "x" * 9_000 + '\\u202e"\n')
    assert "line 1:" in str(caught.value)
    assert "more" in str(caught.value)
    assert len(str(caught.value)) < 9_000
    with pytest.raises(RefusedError) as caught:
        changing.services_in(f'"\\u202e{"k" * 9_000}" = 1')
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1_000


@pytest_twisted.ensureDeferred
async def test_a_service_is_not_put_by_the_name_of_a_program(desk):
    post, outpost, _ = desk
    await post.become(replace(post.state(), programs=(ProgramConfig("job", ("job.py",)),)))
    with pytest.raises(RefusedError, match="A program is called job"):
        await outpost.answer(p.Put(ECHO.format("job")), "me")
    assert list(post.services) == ["echo"]


@pytest_twisted.ensureDeferred
async def test_a_reason_that_is_longer_than_an_answer_may_be_is_cut_and_does_not_cut_the_link(desk, monkeypatch):
    _, _, path = desk
    monkeypatch.setattr("app.outposts.outpost._names", lambda names: "x" * 20_000)

    def ask(client):
        with pytest.raises(RefusedError, match="name"):
            client.ask(p.Remove("name"))
        return client.ask(p.Status())

    assert [one.name for one in (await in_thread(path, ask)).services] == ["echo"]


SECRET = """
[[service]]
name = "web"
protocol = "http"
listen = "127.0.0.1:0"
responder = "inspector"
# how it is entered
[service.options]
users = ["me:sesame"]
[service.tls]
key = "k.pem"
certificate = "c.pem"
password = "open"
"""


@pytest_twisted.ensureDeferred
async def test_the_configuration_of_a_service_is_told_without_its_secrets_and_put_again_with_them(desk):
    post, _, path = desk
    await in_thread(path, lambda c: c.ask(p.Put(SECRET, start=False)))
    table = await in_thread(path, lambda c: c.ask(p.Configuration("web")))
    assert table.secret == ("options.users", "tls.password")
    assert "sesame" not in table.toml
    assert "open" not in table.toml
    assert table.toml.startswith("[[service]]")
    changed = table.toml.replace("127.0.0.1:0", "127.0.0.1:9")
    await in_thread(path, lambda c: c.ask(p.Put(changed, start=False, keep=True)))
    config = post.services["web"].config
    assert (config.port, config.options["users"], config.tls["password"]) == (9, ["me:sesame"], "open")
    # What is given counts; and without ``keep`` the table is all there is.
    given = changed.replace("[service.tls]", '[service.options]\nusers = ["you:2"]\n\n[service.tls]')
    await in_thread(path, lambda c: c.ask(p.Put(given, start=False, keep=True)))
    assert post.services["web"].config.options["users"] == ["you:2"]
    await in_thread(path, lambda c: c.ask(p.Put(changed, start=False)))
    assert "password" not in post.services["web"].config.tls


@pytest_twisted.ensureDeferred
async def test_who_may_enter_stays_so_with_another_responder_and_no_longer(desk):
    post, _, path = desk
    await in_thread(path, lambda c: c.ask(p.Put(SECRET, start=False)))
    other = '[[service]]\nname = "web"\nprotocol = "{}"\nlisten = "127.0.0.1:0"\nresponder = "{}"\n'
    await in_thread(path, lambda c: c.ask(p.Put(other.format("http", "mock"), start=False, keep=True)))
    config = post.services["web"].config
    assert (config.options, config.tls) == ({"users": ["me:sesame"]}, None)
    await in_thread(path, lambda c: c.ask(p.Put(other.format("tcp", "echo"), start=False, keep=True)))
    assert post.services["web"].config.options == {}


@pytest_twisted.ensureDeferred
async def test_what_asks_for_more_than_was_allowed_is_held(desk, tmp_path):
    """Whoever reaches the socket may not have this machine connect elsewhere, nor run code."""
    post, _, path = desk
    text = (
        '[[service]]\nname = "way"\nprotocol = "tcp"\nlisten = "127.0.0.1:0"\nresponder = "relay"\n'
        '[service.options]\nupstream = "192.0.2.1:80"\n'
    )
    (tmp_path / "w.toml").write_text("version = 1\n")
    await post.load(Workspace(path=tmp_path / "w.toml"))
    [held] = (await in_thread(path, lambda c: c.ask(p.Put(text)))).services
    assert held.status == "held"
    assert "192.0.2.1:80" in held.words


@pytest.mark.parametrize(
    ("allow", "request_", "needed"),
    [
        ("read", p.Start(), "control"), ("read", p.SwitchFault("delay", "on"), "control"),
        ("read", p.Send(1, b"x"), "control"), ("read", p.Put(""), "change"), ("control", p.Put(""), "change"),
        ("control", p.Remove("echo"), "change"), ("read", p.Configuration("echo"), "change"),
        ("control", p.Configuration("echo"), "change"),
    ],
)  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_what_is_not_allowed_is_refused_with_what_to_do(desk, allow, request_, needed):
    post, outpost, _ = desk
    outpost.allow = allow
    with pytest.raises(RefusedError, match=f"serve --allow {needed}"):
        await outpost.answer(request_, "test")
    assert post.services["echo"].status == Stopped()


@pytest_twisted.ensureDeferred
async def test_what_changes_something_is_an_event_that_says_who_asked(desk):
    post, _, path = desk
    await in_thread(path, lambda c: c.ask(p.Start(("echo",))))
    await in_thread(path, lambda c: c.ask(p.Status()))
    post.recorder.flush()
    await until(lambda: post.recorder.idle)
    found = read(post.capture, "SELECT summary, detail FROM event WHERE kind = ?", events.CONTROL_ASKED)
    assert found == [("test: start echo", '{"by": "test", "request": "start"}')]


@pytest_twisted.ensureDeferred
async def test_every_event_is_read_once_in_order_while_they_come(desk):
    post, _, path = desk
    total = 3_000

    def follow(client):
        found = []
        for event in client.events(0, follow=True):
            found.append(event)
            if event.summary == "last":
                return found
        raise AssertionError

    reading = in_thread(path, follow)
    for number in range(total):
        post.recorder.record(events.LOG, summary=f"line {number}")
        if number % 500 == 0:
            await until(lambda: post.recorder.idle)
    post.recorder.record(events.LOG, summary="last")
    found = await reading
    assert [event.id for event in found] == list(range(found[0].id, found[0].id + len(found)))
    assert [e.summary for e in found if e.summary.startswith("line")] == [f"line {number}" for number in range(total)]


@pytest_twisted.ensureDeferred
async def test_an_event_is_read_as_it_was_stored_its_large_payload_in_parts(desk):
    post, _, path = desk
    payload = os.urandom(p.MAX_INLINE + 5_000_000)
    number = post.recorder.add_service("lab", "tcp")
    post.recorder.record(events.DATA_RECEIVED, number, 0, payload)
    post.recorder.record(events.DATA_SENT, number, 0, payload)  # stored once
    post.recorder.record(events.DATA_SENT, number, 0, b"\0 small", None, '{"rule": 1}')
    post.recorder.flush()
    await until(lambda: post.recorder.idle)
    found = await in_thread(path, lambda c: [e for e in c.events(0, follow=False) if e.service == "lab"])
    assert [e.payload for e in found] == [payload, payload, b"\0 small"]
    assert [(e.kind, e.protocol, e.size, e.detail, e.left_out) for e in found[1:]] == [
        (events.DATA_SENT, "tcp", len(payload), None, 0), (events.DATA_SENT, "tcp", 7, '{"rule": 1}', 0),
    ]  # fmt: skip


@pytest_twisted.ensureDeferred
async def test_reading_waits_for_the_next_event_and_ends_with_its_link(desk):
    post, _, path = desk
    await until(lambda: post.recorder.idle)
    last = post.recorder.range.last
    reading = in_thread(path, lambda c: c.ask(p.Read(last)))
    with closing(socket.socket(socket.AF_UNIX)) as gone:
        gone.connect(str(path))
        gone.sendall(framed(frames.encode({"id": 1, "ask": p.Hello(1, "gone")})))
        gone.sendall(framed(frames.encode({"id": 2, "ask": p.Read(last)})))
        await until(lambda: gone.recv(4, socket.MSG_DONTWAIT | socket.MSG_PEEK) if ready(gone) else None)
    post.recorder.record(events.LOG, summary="now")
    assert [event.summary for event in (await reading).events] == ["now"]


@pytest_twisted.ensureDeferred
async def test_another_capture_is_told_by_its_identity_after_the_rest_of_the_one_before(desk, tmp_path):
    post, _, path = desk
    before = (await in_thread(path, lambda c: c.outpost)).capture
    assert len(before) == 32
    await post.new_capture(folder=tmp_path)
    rest = await in_thread(path, lambda c: c.ask(p.Read(0, before)))
    assert (rest.capture, rest.events[-1].id, rest.complete) == (before, rest.last, False)
    now = await in_thread(path, lambda c: c.ask(p.Read(rest.last, before)))
    assert now.capture != before
    assert (now.events, now.complete) == ((), True)
    assert not (await in_thread(path, lambda c: c.ask(p.Read(0, "of another program")))).complete
    assert (await in_thread(path, lambda c: c.ask(p.Read(0, now.capture)))).events


# -- hostile and broken clients


def framed(data):
    return struct.pack("!I", len(data)) + data


def ready(one):
    one.setblocking(False)
    try:
        return bool(one.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False
    finally:
        one.setblocking(True)


def refused(path, sent):
    """What the outpost says before it closes the link."""
    with closing(socket.socket(socket.AF_UNIX)) as client:
        client.settimeout(30)
        client.connect(str(path))
        client.sendall(sent)
        heard = b""
        while part := client.recv(65536):
            heard += part
    return frames.answered(heard[4:]).refused


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (struct.pack("!I", 1 << 31), "too long"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "too long"),
        (framed(b"\x91" * 1000), "The request is wrong"),
        (framed(b""), "The request is wrong"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_who_speaks_another_protocol_is_told_and_let_go(desk, sent, words):
    assert words in await threads.deferToThread(refused, desk[2], sent)


@pytest_twisted.ensureDeferred
async def test_the_first_request_is_hello(desk):
    def ask(path):
        with closing(socket.socket(socket.AF_UNIX)) as client:
            client.settimeout(30)
            client.connect(str(path))
            client.sendall(framed(frames.encode({"id": 5, "ask": p.Status()})))
            return frames.answered(client.recv(65536)[4:])

    answered = await threads.deferToThread(ask, desk[2])
    assert (answered.to, answered.refused) == (5, "The first request must be hello.")


@pytest_twisted.ensureDeferred
async def test_who_asks_and_does_not_read_is_read_no_further(desk):
    """The requests of such a client wait in its own socket, and nobody else waits for it."""
    post, _, path = desk
    post.recorder.record(events.DATA_RECEIVED, payload=b"x" * 900_000)
    await until(lambda: post.recorder.idle)
    stopped = threading.Event()

    def flood():
        with closing(socket.socket(socket.AF_UNIX)) as client:
            client.connect(str(path))
            client.sendall(framed(frames.encode({"id": 1, "ask": p.Hello(1, "flood")})))
            ask = framed(frames.encode({"id": 2, "ask": p.Read(0)}))
            client.setblocking(False)
            sent = 0
            with suppress(BlockingIOError):
                for sent in range(100_000):  # noqa: B007
                    client.send(ask)
            reactor.callFromThread(flooded.callback, sent)
            stopped.wait(60)

    flooded = Deferred()
    flooding = threads.deferToThread(flood)
    sent = await flooded
    assert MOST_REQUESTS < sent < 99_999
    [service] = (await in_thread(path, lambda c: c.ask(p.Status()))).services
    assert service.name == "echo"
    stopped.set()
    await flooding


# -- the socket


@pytest_twisted.ensureDeferred
async def test_only_its_user_may_enter_a_folder_that_is_made_for_it(desk, folder):
    _, outpost, _ = desk
    path = folder / "new" / "s"
    listening = ControlSocket(reactor, path, outpost)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    await listening.close()
    assert not path.exists()


@pytest_twisted.ensureDeferred
async def test_a_socket_that_a_killed_program_left_is_taken(desk, folder):
    with closing(socket.socket(socket.AF_UNIX)) as left:
        left.bind(str(folder / "left"))
    listening = ControlSocket(reactor, folder / "left", desk[1])
    assert (await in_thread(folder / "left", lambda c: c.outpost)).name == "bench"
    await listening.close()


@pytest.mark.parametrize("there", ["listening", "file", "long", "folder"])
def test_what_is_in_the_way_stays_and_is_told(desk, folder, there):
    path = folder / "there"
    if there == "file":
        path.write_text("mine")
        words = "another file is there"
    elif there == "listening":
        path, words = desk[2], "another program listens there"
    elif there == "long":
        path, words = folder / ("x" * 120), "longer than"
    else:
        path.write_text("mine")
        path, words = path / "s", "Not a directory|File exists"
    with pytest.raises(SocketTakenError, match=words):
        ControlSocket(reactor, path, desk[1])
    if there == "file":
        assert path.read_text() == "mine"


def test_nobody_there_is_said_with_what_to_do(folder):
    with pytest.raises(NoOutpostError, match="listening-post serve WORKSPACE --control"):
        Client(folder / "none", "test")
