"""Kinds of fault that plugins bring: loaded, used, loaded again, removed, and broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred

from app import events, faults
from app.plugin_loader import table
from app.plugin_loader.source import fault_offers, offers
from app.plugin_loader.table import Table
from app.post import Post
from app.services.config import ServiceConfig
from app.status import Failed, Listening
from app.workspace import errors
from app.workspace import reading as workspace
from app.workspace.reading import Workspace
from tests.app.capture.captures import read
from tests.app.services.helpers import Peer
from tests.helpers import until

Write = Callable[..., Path]

STUTTER = """
from listening_post import Hit, Option, fault

@fault("stutter", ("tcp", "udp"), options=(Option("times", int, 2, "How often", minimum=2),))
def stutter(hit: Hit, times: int) -> str:
    '''Says each message several times.'''
    hit.piece.data *= times
    return f"said {times} times"
"""


@pytest.fixture
def stutter(shout: Write) -> Write:
    """Writes ``stutter.py``."""

    def write(source: str = STUTTER, **more: Any) -> Path:
        return shout(source, name="stutter.py", **more)

    return write


@pytest.fixture
def trusting(plugins: Table) -> Table:
    plugins.trust.everything = True
    return plugins


# -- the table


def test_a_kind_is_there_as_long_as_its_workspace_is_open(trusting: Table, stutter: Write, beside: Path) -> None:
    stutter()
    trusting.enter(beside.parent)
    kind: Any = faults.find("stutter")
    assert (kind.missing, kind.protocols, kind.sides) == (None, ("tcp", "udp"), ("sent", "received"))
    assert kind.help == "Says each message several times"
    assert trusting.trouble == {}
    trusting.enter(None)
    assert faults.find("stutter") is None


def test_one_file_may_bring_both(trusting: Table, stutter: Write, beside: Path) -> None:
    stutter(STUTTER + "from listening_post import responder\n@responder('stutter')\ndef f(data): return data\n")
    trusting.enter(beside.parent)
    [plugin] = trusting.plugins.values()
    assert {type(one).__name__ for one in plugin.brings} == {"Responder", "FaultKind"}
    assert trusting.trouble == {}


def test_a_kind_of_ours_that_a_plugin_imports_is_not_its_own(trusting: Table, stutter: Write, beside: Path) -> None:
    stutter("from app.faults.kinds.delay import KIND\n" + STUTTER)
    trusting.enter(beside.parent)
    [plugin] = trusting.plugins.values()
    assert [one.name for one in plugin.brings] == ["stutter"]


def test_what_waits_for_an_answer_may_be_named_and_is_not_looked_into(
    plugins: Table, stutter: Write, beside: Path
) -> None:
    stutter()
    path = beside.parent / "w.toml"
    path.write_text(WORKSPACE + "anything = 1\n")
    assert workspace.load(path).services[0].faults == ({"kind": "stutter", "anything": 1},)
    plugins.trust.everything = True
    with pytest.raises(errors.WorkspaceError, match=r':8: fault: number 1: anything is not an option of "stutter"'):
        workspace.load(path)


WORKSPACE = """\
version = 1
[[service]]
name = "s"
protocol = "tcp"
listen = "127.0.0.1:0"
[[service.fault]]
kind = "stutter"
"""


def test_a_kind_of_ours_keeps_its_name(trusting: Table, stutter: Write, beside: Path) -> None:
    path = stutter(STUTTER.replace('"stutter"', '"delay"'))
    trusting.enter(beside.parent)
    assert "and Listening Post itself both define a fault delay" in str(trusting.trouble[path])


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("@fault('a')\ndef f(hit): ...", [("a", ("tcp",))]),
        ("@listening_post.fault(name='a', protocols=['udp', 'http'])\ndef f(hit): ...", [("a", ("udp", "http"))]),
        ("def f(hit): ...", []),
        ("def (", []),
    ],
)
def test_the_text_of_a_file_shows_its_faults(source: str, found: Any) -> None:
    assert list(fault_offers(source.encode())) == found
    assert bool(offers(source.encode(), "stem")) is not bool(found)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("async def f(hit): ...", "f() is async"),
        ("def f(hit, more): ...", "'more' of f() is none of its options"),
    ],
)
def test_a_function_that_cannot_be_called(
    trusting: Table, stutter: Write, beside: Path, function: str, words: str
) -> None:
    path = stutter(f"from listening_post import fault\n@fault('a')\n{function}\n")
    trusting.enter(beside.parent)
    assert words in str(trusting.trouble[path])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("protocols=('ssh',)", "protocols must be of tcp, http, websocket, udp, not ('ssh',)"),
        ("protocols='tcp'", "protocols must be of tcp, http, websocket, udp, not 'tcp'"),
        ("sides=('both',)", "sides must be of sent, received, connect, not ('both',)"),
        ("level='all'", "level must be of bytes, messages, not ('all',)"),
        ("options=(Option('seed', int, 1, 'Which'),)", "an option cannot be called seed"),
    ],
)
def test_a_declaration_that_cannot_be(trusting: Table, stutter: Write, beside: Path, given: str, words: str) -> None:
    path = stutter(f"from listening_post import Option, fault\n@fault('a', {given})\ndef f(hit): ...\n")
    trusting.enter(beside.parent)
    assert words in str(trusting.trouble[path])


def test_an_installed_package_brings_faults(monkeypatch: pytest.MonkeyPatch, data: Path, tmp_path: Path) -> None:
    (tmp_path / "lp_faults.py").write_text(STUTTER)
    monkeypatch.syspath_prepend(tmp_path)
    entries = [
        EntryPoint("stutter", "lp_faults:stutter", table.FAULTS_GROUP),
        EntryPoint("gone", "lp_gone", table.FAULTS_GROUP),
    ]
    found = {table.FAULTS_GROUP: entries}
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: found.get(group, []))
    made = Table()
    try:
        assert made.take_installed(table.installed()) == {("fault", "stutter"), ("fault", "gone")}
        gone: Any = faults.find("gone")
        assert "No module named 'lp_gone'" in str(gone.missing)
    finally:
        made.take_installed([])
    assert faults.find("stutter") is None


# -- in services


def config(name: str, *tables: dict[str, Any]) -> ServiceConfig:
    return ServiceConfig(name, "tcp", "127.0.0.1", 0, "echo", faults=tables)


@pytest.fixture
def make(tmp_path: Path, plugins: Table) -> Iterator[Callable[..., Any]]:
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


def found(post: Post, kind: int) -> list[tuple[str, int | None, bytes | None]]:
    post.recorder.flush()
    assert post.capture is not None
    return read(post.capture, "SELECT summary, conn, payload FROM event WHERE kind = ?", kind)


async def says(post: Post, name: str, answer: bytes) -> None:
    peer = Peer(post.services[name])
    await peer.send(b"hey")
    await until(lambda: len(peer.pull().got) >= len(answer) or peer.ended)
    assert peer.got == answer
    peer.close()


async def allow(post: Post) -> None:
    await until(lambda: post.question)
    await post.trust("folder")


async def logged(post: Post, text: str) -> None:
    await until(lambda: any(text in words for words, _, _ in found(post, events.LOG)))


@pytest_twisted.ensureDeferred
async def test_a_service_waits_for_its_fault_and_has_each_version_of_it(make: Any, stutter: Write) -> None:
    stutter()
    post = await make(config("mine", {"kind": "stutter"}), config("other"))
    mine = post.services["mine"]
    assert isinstance(mine.status, Failed)
    assert "not trusted yet" in mine.status.reason
    await allow(post)
    await until(lambda: isinstance(mine.status, Listening))
    host = mine.status.host
    old = Peer(mine)
    await old.send(b"a")
    await old.expect(b"aa")
    [(words, _, payload)] = await until(lambda: found(post, events.FAULT_APPLIED))
    assert (words, payload) == ("stutter: said 2 times", b"a")

    stutter(STUTTER.replace("*= times", "*= times + 1"))
    await logged(post, "faults have changed: stutter")
    await says(post, "mine", b"heyheyhey")
    await old.send(b"b")
    await old.expect(b"aabbb")

    stutter(STUTTER.replace("def stutter", "def (stutter"))
    await until(lambda: "SyntaxError" in post.plugins.words)
    await says(post, "mine", b"heyheyhey")

    stutter(STUTTER.replace('"How often"', '"How often", required=True'))
    await logged(post, "The version of stutter before goes on. The option times of fault number 1 is missing")
    await says(post, "mine", b"heyheyhey")

    stutter().unlink()
    await until(lambda: faults.find("stutter") is None)
    await says(post, "mine", b"hey")
    await old.send(b"c")
    await old.expect(b"aabbbc")
    assert old.got == b"aabbbc"
    assert mine.status.host == host
    await mine.stop()
    assert isinstance(await mine.start(), Failed)
    assert '"stutter" is unknown' in mine.status.reason


@pytest_twisted.ensureDeferred
async def test_options_are_checked_once_the_plugin_is_known(make: Any, stutter: Write) -> None:
    stutter()
    post = await make(config("good", {"kind": "stutter", "times": 3}), config("bad", {"kind": "stutter", "times": 0}))
    await allow(post)
    await until(lambda: isinstance(post.services["good"].status, Listening))
    await says(post, "good", b"heyheyhey")
    assert post.services["bad"].status.reason == "The option times of fault number 1 must be at least 2."


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("hit.piece.data = b'x'; return 1 / 0", "ZeroDivisionError"),
        ("raise SystemExit", "SystemExit"),
        ("return 5", "TypeError"),
        ("hit.piece.data = 'text'", "TypeError"),
        ("hit.piece.then.append(lambda: {}['x'])", "KeyError"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_it_raises_is_a_failure_of_the_connection_and_stops_nothing(
    make: Any, stutter: Write, trusting: Table, body: str, error: str
) -> None:
    stutter(f"from listening_post import fault\n@fault('stutter')\ndef stutter(hit):\n    {body}\n")
    post = await make(config("mine", {"kind": "stutter"}))
    await says(post, "mine", b"hey")
    await says(post, "mine", b"hey")
    failures = await until(lambda: found(post, events.FAILURE)[1:] and found(post, events.FAILURE))
    assert len(failures) == 2
    assert all(words.startswith(error) for words, _, _ in failures)
    assert len({conn for _, conn, _ in failures}) == 2
    assert {payload for _, _, payload in failures} <= {b"hey", None}
    assert isinstance(post.services["mine"].status, Listening)
