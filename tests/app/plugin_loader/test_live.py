"""Plugins of a running Post, with real files and real sockets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred
from twisted.internet.task import Clock

from app import events
from app.files import watching as watch
from app.plugin_loader.table import Table
from app.post import Post
from app.services.config import ServiceConfig
from app.status import Failed, Listening
from app.workspace.reading import Workspace
from tests.app.capture.captures import read
from tests.app.services.helpers import Peer, address
from tests.helpers import Load, until

Write = Callable[..., Path]
pytestmark = pytest.mark.usefixtures("plugins")


def config(name: str, responder: str, protocol: str = "tcp", **options: Any) -> ServiceConfig:
    return ServiceConfig(name, protocol, "127.0.0.1", 0, responder, options=options)


@pytest.fixture
def make(tmp_path: Path, plugins: Table) -> Iterator[Callable[..., Any]]:
    """Makes Posts of a workspace beside the plugins folder."""
    from twisted.internet import reactor

    made: list[Post] = []

    async def making(*configs: ServiceConfig) -> Post:
        post = Post(reactor, Workspace(configs, tmp_path / "home" / "w.toml"))
        made.append(post)
        await post.open(tmp_path / "x.lpost")
        await post.start_all()
        return post

    yield making
    while Peer.made:
        Peer.made.pop().close()
    for post in made:
        pytest_twisted.blockon(ensureDeferred(post.shut_down()))


async def allow(post: Post) -> None:
    """Answer the only question with yes, also for what the plugin will hold later."""
    await until(lambda: post.question)
    await post.trust("folder")


def status(post: Post, name: str) -> Any:
    return post.services[name].status


async def says(post: Post, name: str, answer: bytes, asked: bytes = b"hey") -> bool:
    """Whether a new connection receives this answer."""
    peer = Peer(post.services[name])
    await peer.send(asked)
    await until(lambda: peer.pull().got or peer.ended)
    peer.close()
    return bytes(peer.got) == answer


async def logged(post: Post, text: str) -> None:
    await until(lambda: any(text in words for words in summaries(post)))


def summaries(post: Post) -> list[str]:
    post.recorder.flush()
    assert post.capture is not None
    return [words for (words,) in read(post.capture, "SELECT summary FROM event WHERE kind = ?", events.LOG)]


@pytest_twisted.ensureDeferred
async def test_one_is_added_broken_mended_and_removed_while_another_service_loses_no_byte(
    make: Any, shout: Write
) -> None:
    post = await make(config("steady", "echo"), config("mine", "shout"))
    load = Load(address(post.services["steady"]))
    try:
        assert "no responder called shout" in status(post, "mine").reason
        source = shout().read_text()
        await allow(post)
        await until(lambda: isinstance(status(post, "mine"), Listening))
        old = Peer(post.services["mine"])
        await old.send(b"one")
        await old.expect(b"ONE")
        host = status(post, "mine").host

        shout("def shout(:\n")
        await logged(post, "line 1: SyntaxError")
        assert await says(post, "mine", b"HEY")

        shout(source.replace("upper()", "upper() + b'!'"))
        await logged(post, "shout was loaded again")
        assert await says(post, "mine", b"HEY!")
        await old.send(b"two")
        await old.expect(b"TWO")
        assert not old.got.endswith(b"!")
        assert status(post, "mine").host == host

        before = load.total()
        shout().unlink()
        await until(lambda: load.total() > before)
        assert await says(post, "mine", b"HEY!")
        await post.services["mine"].stop()
        await until(lambda: not post.plugins._due)
        await until(lambda: "shout" not in _names())
        assert isinstance(await post.services["mine"].start(), Failed)
    finally:
        load.stop()
    await post.shut_down()
    for peer, echoed in load.echoed().items():
        assert echoed
        sent = _payloads(post, peer, events.DATA_SENT)
        received = _payloads(post, peer, events.DATA_RECEIVED)
        assert sent == received
        assert sent.startswith(echoed)
    assert post.recorder.lost == 0


def _names() -> tuple[str, ...]:
    from app import responders

    return responders.names()


def _payloads(post: Post, peer: str, kind: int) -> bytes:
    sql = "SELECT payload FROM event JOIN connection c ON c.id = conn WHERE kind = ? AND c.peer = ? ORDER BY event.id"
    assert post.capture is not None
    return b"".join(payload for (payload,) in read(post.capture, sql, kind, peer))


@pytest_twisted.ensureDeferred
async def test_nothing_runs_before_the_question_was_answered(make: Any, shout: Write, tmp_path: Path) -> None:
    shout(f"open({str(tmp_path / 'ran')!r}, 'w')\n" + shout().read_text())
    post = await make(config("mine", "shout"))
    assert "not trusted yet" in status(post, "mine").reason
    assert not (tmp_path / "ran").exists()
    await allow(post)
    assert (tmp_path / "ran").exists()
    await until(lambda: isinstance(status(post, "mine"), Listening))


def test_without_folders_nothing_wakes_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(watch, "_notifier", lambda *_: _raise(OSError))
    one = watch.Watch(clock, lambda: None)
    one.follow([tmp_path / "plugins"])
    assert clock.getDelayedCalls() == []
    one.follow([tmp_path])
    assert len(clock.getDelayedCalls()) == 1
    one.close()
    assert clock.getDelayedCalls() == []


def _raise(kind: type[Exception]) -> None:
    raise kind


@pytest_twisted.ensureDeferred
async def test_never_of_an_older_version_and_not_now_leave_it_alone(
    make: Any, shout: Write, data: Path, plugins: Table
) -> None:
    path = shout()
    other = shout(path.read_text().replace('"shout"', '"other"'), name="other.py")
    (data / "plugins.json").write_text(json.dumps({str(path): "never"}))
    post = await make(config("mine", "shout"))
    assert [plugin.path for plugin in post.plugins.waiting] == [other]
    told: list[Any] = []
    post.question_changed.connect(told.append)
    post.postpone()
    assert post.question is None
    assert told == [post]
    assert post.plugins.words == ""
    assert "never loaded, as you chose" in str((await post.services["mine"].start()).reason)  # type: ignore[union-attr]
    post.ask_again()
    await post.trust("content")
    saved = json.loads((data / "trust.json").read_text())["plugins"]
    assert saved.pop(str(path)) == "never"
    assert list(saved) == [str(other)]
    assert (data / "trust.json").stat().st_mode & 0o777 == 0o600


@pytest_twisted.ensureDeferred
async def test_b1_a_plugin_trusted_as_it_is_waits_again_when_it_changes_and_the_old_one_goes_on(
    make: Any, shout: Write
) -> None:
    shout()
    post = await make(config("mine", "shout"))
    await until(lambda: post.question)
    await post.trust("content")
    await until(lambda: isinstance(status(post, "mine"), Listening))
    shout(shout().read_text().replace("upper()", "title()"))
    question = await until(lambda: post.question)
    assert "shout.py brings shout" in str(question.asks[0])
    assert await says(post, "mine", b"HEY")
    await post.trust("content")
    await logged(post, "shout was loaded again")
    assert await says(post, "mine", b"Hey")


@pytest_twisted.ensureDeferred
async def test_one_that_others_could_change_is_loaded_when_they_cannot_any_more(make: Any, shout: Write) -> None:
    path = shout()
    path.chmod(0o666)
    post = await make(config("mine", "shout"))
    await allow(post)
    await until(lambda: "chmod go-w" in status(post, "mine").reason)
    path.chmod(0o644)
    await until(lambda: isinstance(status(post, "mine"), Listening))
    assert post.plugins.words == ""


@pytest_twisted.ensureDeferred
async def test_a_traceback_shows_where_the_plugin_is_broken(make: Any, shout: Write) -> None:
    post = await make(config("mine", "shout"))
    shout("from app.plugin import responder\nlimit = 1\n\ndef check():\n    return limit / 0\n\ncheck()\n")
    await allow(post)
    await until(lambda: "line 5: ZeroDivisionError" in post.plugins.words)
    found = await until(lambda: _failures(post))
    assert [frame["function"] for frame in found[0]["frames"]] == ["<module>", "check"]
    assert [text for number, text in found[0]["frames"][1]["source"] if number == 5] == ["    return limit / 0"]


def _failures(post: Post) -> list[dict[str, Any]]:
    post.recorder.flush()
    assert post.capture is not None
    sql = "SELECT detail FROM event WHERE kind = ?"
    return [json.loads(detail) for (detail,) in read(post.capture, sql, events.FAILURE)]


@pytest_twisted.ensureDeferred
async def test_a_syntax_error_is_shown_where_it_is(make: Any, shout: Write) -> None:
    post = await make(config("mine", "shout"))
    path = shout("import sys\n\ndef shout(:\n")
    await allow(post)
    [found] = await until(lambda: _failures(post))
    assert [(frame["file"], frame["line"]) for frame in found["frames"]] == [(str(path), 3)]
    await until(lambda: "line 3: SyntaxError" in status(post, "mine").reason)


@pytest_twisted.ensureDeferred
async def test_another_workspace_has_its_own_plugins(make: Any, shout: Write, tmp_path: Path) -> None:
    post = await make(config("mine", "shout"))
    shout()
    await allow(post)
    await until(lambda: isinstance(status(post, "mine"), Listening))
    (tmp_path / "away").mkdir()
    await post.load(Workspace((config("mine", "shout"),), tmp_path / "away" / "w.toml"))
    assert isinstance(await post.services["mine"].start(), Failed)
    shout(folder=tmp_path / "away" / "plugins")
    await allow(post)
    await until(lambda: isinstance(status(post, "mine"), Listening))
    assert await says(post, "mine", b"HEY")


@pytest_twisted.ensureDeferred
async def test_without_inotify_it_looks_now_and_then(make: Any, shout: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise ImportError

    monkeypatch.setattr(watch, "_notifier", none)
    monkeypatch.setattr(watch, "POLL", 0.02)
    post = await make(config("mine", "shout"))
    shout()
    await allow(post)
    await until(lambda: isinstance(status(post, "mine"), Listening))


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("raise SystemExit(3)", "ends the program (line 1: raise SystemExit(3)) while it is imported"),
        ("raise KeyboardInterrupt", "is broken: line 1: KeyboardInterrupt"),
        ("import nothing_of_that_name", "is broken: line 1: ModuleNotFoundError"),
    ],
)
async def test_a_plugin_that_ends_itself_ends_nothing_else(make: Any, shout: Write, line: str, words: str) -> None:
    post = await make(config("steady", "echo"), config("mine", "shout"))
    shout(line)
    await allow(post)
    await until(lambda: words in post.plugins.words)
    assert await says(post, "steady", b"hey")


@pytest_twisted.ensureDeferred
async def test_a_new_version_that_cannot_serve_leaves_the_old_one(make: Any, shout: Write) -> None:
    plain = shout().read_text()
    post = await make(config("mine", "shout"))
    await allow(post)
    await until(lambda: isinstance(status(post, "mine"), Listening))
    shout(plain.replace('"shout"', '"shout", ("udp",)'))
    await logged(post, "The version of shout before goes on")
    assert await says(post, "mine", b"HEY")
    option = plain.replace("import responder", "import Option, responder")
    option = option.replace('"shout"', '"shout", options=(Option("end", str, "", "How it ends", required=True),)')
    shout(option)
    await logged(post, "The option end of shout is missing")
    assert await says(post, "mine", b"HEY")


@pytest_twisted.ensureDeferred
async def test_options_are_checked_once_the_plugin_is_known(make: Any, shout: Write) -> None:
    source = """
from app.plugin import Option, responder
@responder("shout", options=(Option("times", int, 1, "How often", minimum=1),))
def shout(data, times):
    return data.upper() * times
"""
    shout(source)
    post = await make(config("good", "shout", times=2), config("bad", "shout", times=0))
    await allow(post)
    await until(lambda: isinstance(status(post, "good"), Listening))
    assert await says(post, "good", b"HEYHEY")
    assert status(post, "bad").reason == "The option times of shout must be at least 1."


@pytest_twisted.ensureDeferred
async def test_a_folder_made_later_is_noticed_and_one_in_the_data_folder_counts_too(
    make: Any, shout: Write, data: Path
) -> None:
    post = await make(config("mine", "shout"))
    shout(folder=data / "plugins")
    await allow(post)
    await until(lambda: isinstance(status(post, "mine"), Listening))


@pytest_twisted.ensureDeferred
async def test_datagrams_requests_and_messages_get_the_new_version_too(make: Any, shout: Write) -> None:
    source = """
from app.plugin import responder
@responder("shout", ("udp", "http", "websocket"))
def shout(data):
    return "one"
"""
    shout(source)
    post = await make(*(config(protocol, "shout", protocol) for protocol in ("udp", "http", "websocket")))
    await allow(post)
    await until(lambda: all(isinstance(service.status, Listening) for service in post.services.values()))
    for word in ("one", "two"):
        assert await _asked_everywhere(post) == [word] * 3
        shout(source.replace("one", "two"))
        await logged(post, "shout was loaded again")
        await until(lambda: len([s for s in summaries(post) if "loaded again" in s]) >= 3)


async def _asked_everywhere(post: Post) -> list[str]:
    import socket

    from tests.app.services.websocket_frames import OPENING, TEXT, frame

    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.setblocking(False)
        udp.sendto(b"x", address(post.services["udp"]))

        def heard() -> bytes:
            try:
                return udp.recv(100)
            except BlockingIOError:
                return b""

        found.append((await until(heard)).decode())
    http = Peer(post.services["http"])
    await http.send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    found.append((await http.end()).rpartition(b"\r\n\r\n")[2].decode())
    socket_ = Peer(post.services["websocket"])
    await socket_.send(OPENING + b"\r\n" + frame(TEXT, b"x"))
    await socket_.expect(b"\x81\x03")
    await socket_.expect(len(socket_.got.partition(b"\x81\x03")[0]) + 5)
    found.append(socket_.got.partition(b"\x81\x03")[2].decode())
    return found
