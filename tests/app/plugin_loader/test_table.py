"""The table of plugins and their responders."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from websockets.asyncio.client import ClientConnection

from app import responders
from app.plugin_loader import loading, table
from app.plugin_loader.source import offers
from app.plugin_loader.table import Table
from app.workspace import errors, service_checks
from app.workspace import reading as workspace
from tests.app.services.helpers import Desk, Peer
from tests.app.services.websocket_frames import talk

Write = Callable[..., Path]


@pytest.fixture
def trusting(plugins: Table) -> Table:
    """A table in which all plugins may run."""
    plugins.trust.everything = True
    return plugins


def enter(plugins: Table, beside: Path) -> None:
    plugins.enter(beside.parent)


TWO = "from twisted.internet.protocol import *\n"


@pytest.mark.parametrize(
    ("source", "protocols"),
    [
        (TWO + "class A(Protocol): pass\n", {"tcp"}),
        (TWO + "class A(Protocol): pass\nclass F(Factory):\n    protocol = A\n", {"tcp"}),
        (TWO + "class A(Protocol): pass\nclass F(Factory):\n    protocol = A\nf = F()\n", {"tcp"}),
        (TWO + "class A(Protocol): pass\nclass B(DatagramProtocol): pass\n", {"tcp", "udp"}),
        ("from twisted.web.resource import Resource\nclass R(Resource): isLeaf = True\n", {"http"}),
        ("from twisted.web.resource import Resource\nroot = Resource()\n", {"http"}),
        ("from autobahn.twisted.websocket import *\nclass P(WebSocketServerProtocol): pass\n", {"websocket"}),
        (
            "from autobahn.twisted.websocket import *\nclass P(WebSocketServerProtocol): pass\n"
            "f = WebSocketServerFactory()\nf.protocol = P\n",
            {"websocket"},
        ),
    ],
)
def test_a_file_that_declares_nothing_is_one_responder_of_its_name(
    trusting: Table, shout: Write, beside: Path, source: str, protocols: set[str]
) -> None:
    shout(source)
    enter(trusting, beside)
    found = responders.find("shout")
    assert found is not None, trusting.trouble
    assert not found.missing, found.missing
    assert set(found.builders) == protocols
    assert found.help


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("x = 1\n", "has no responder and no fault"),
        (TWO + "class A(Protocol): pass\nclass B(Protocol): pass\n", "has A and B for tcp"),
        (
            "import app.plugin\nRESPONDER = app.plugin.Responder('echo', 'Ours', {})\n",
            "and Listening Post itself both define a responder echo",
        ),
    ],
)
def test_what_cannot_be_taken_is_told_in_words(
    trusting: Table, shout: Write, beside: Path, source: str, words: str
) -> None:
    path = shout(source)
    enter(trusting, beside)
    assert words in str(trusting.trouble[path])


def test_the_name_is_the_first_ones_and_the_second_has_it_when_that_is_gone(
    trusting: Table, shout: Write, beside: Path, data: Path
) -> None:
    first = shout()
    second = shout(shout(name="other.py").read_text().replace("upper", "lower"), folder=data / "plugins")
    (beside / "other.py").unlink()
    enter(trusting, beside)
    assert str(first) in str(trusting.trouble[second])
    before = responders.find("shout")
    first.unlink()
    enter(trusting, beside)
    assert trusting.trouble == {}
    assert responders.find("shout") not in (None, before)


def test_what_waits_for_an_answer_takes_nobodys_name(plugins: Table, shout: Write, beside: Path, data: Path) -> None:
    waits, runs = shout(), shout(folder=data / "plugins")
    plugins.trust.set_plugin(runs, "load")
    enter(plugins, beside)
    assert plugins.plugins[waits].waiting
    assert plugins.trouble == {}
    found = responders.find("shout")
    assert found is not None
    assert not found.missing


def test_leaving_the_workspace_takes_its_plugins_along(trusting: Table, shout: Write, beside: Path) -> None:
    shout()
    enter(trusting, beside)
    assert "shout" in responders.names()
    assert "listening_post_plugins.shout" in sys.modules
    trusting.enter(None)
    assert "shout" not in responders.names()
    assert "listening_post_plugins.shout" not in sys.modules


def test_a_file_that_others_can_change_is_not_loaded(trusting: Table, shout: Write, beside: Path) -> None:
    path = shout()
    path.chmod(0o666)
    enter(trusting, beside)
    assert "other users can change" in str(trusting.trouble[path])


def test_hidden_files_and_helpers_are_left_alone(trusting: Table, shout: Write, beside: Path) -> None:
    for name in ("_helper.py", ".shout.py", "shout.txt", "folder.py"):
        (beside / name).mkdir() if name == "folder.py" else shout("raise SystemExit", name=name)
    enter(trusting, beside)
    assert trusting.plugins == {}


def test_nothing_is_written_beside_a_plugin(trusting: Table, shout: Write, beside: Path) -> None:
    shout()
    enter(trusting, beside)
    assert [path.name for path in beside.iterdir()] == ["shout.py"]


def test_two_files_of_one_name_are_two_modules(trusting: Table, shout: Write, beside: Path, data: Path) -> None:
    source = "from app.plugin import responder\n@responder(__name__)\ndef f(data): return data\n"
    shout(source)
    shout(source, folder=data / "plugins")
    enter(trusting, beside)
    assert trusting.trouble == {}
    assert {"listening_post_plugins.shout", "listening_post_plugins.shout_2"} <= set(responders.names())


def test_tracebacks_of_the_running_version_show_its_own_source(shout: Write) -> None:
    path = shout("one = 1\n" + shout().read_text())
    try:
        loading.load(path, path.read_bytes())
        shout("two = 2\n")
        linecache.checkcache(str(path))
        assert linecache.getline(str(path), 1) == "one = 1\n"
    finally:
        loading.unload(path)


def test_a_version_that_does_not_load_leaves_the_module_of_the_one_before(shout: Write) -> None:
    path = shout()
    try:
        loading.load(path, path.read_bytes())
        module = sys.modules["listening_post_plugins.shout"]
        with pytest.raises(ZeroDivisionError):
            loading.load(path, b"1 / 0")
        assert sys.modules["listening_post_plugins.shout"] is module
    finally:
        loading.unload(path)


# -- installed packages


def test_an_installed_package_brings_what_its_entry_point_names(
    monkeypatch: pytest.MonkeyPatch, data: Path, tmp_path: Path
) -> None:
    (tmp_path / "lp_good.py").write_text(
        "from app.plugin import responder\nfrom twisted.internet.protocol import Protocol\n"
        "@responder('decorated')\ndef f(data): return data\nclass Bare(Protocol): 'Bare.'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    values = {"one": "lp_good:f", "two": "lp_good:Bare", "three": "lp_good", "four": "lp_missing"}
    entries = [EntryPoint(name, value, table.GROUP) for name, value in values.items()]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: entries if group == table.GROUP else [])
    made = Table()
    try:
        assert not made.complete
        assert made.take_installed(table.installed()) == {
            (table.RESPONDER, name) for name in ("decorated", "two", "four")
        }
        assert {"decorated", "two", "four"} <= set(responders.names())
        missing: Any = responders.find("four")
        assert "No module named 'lp_missing'" in str(missing.missing)
        assert any("both define a responder decorated" in str(trouble) for trouble in made.trouble.values())
    finally:
        for name in ("decorated", "two", "four"):
            responders.remove(name)


# -- what is known of a file that was not run


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("@responder('a')\ndef f(d): ...", [("a", ("tcp",))]),
        ("@plugin.responder('a', ('udp', 'http'))\nasync def f(d): ...", [("a", ("udp", "http"))]),
        ("@responder(name='a', protocols=['udp'])\ndef f(d): ...", [("a", ("udp",))]),
        ("@responder('a')\nclass F: ...", [("a", ())]),
        ("R = Responder('a', 'Help', {'tcp': f, 'udp': g})", [("a", ("tcp", "udp"))]),
        ("@implementer(IPlugin, IResponder)\nclass F:\n    name = 'a'", [("a", ())]),
        ("@responder('a')\ndef f(d): ...\n@responder('b')\ndef g(d): ...", [("a", ("tcp",)), ("b", ("tcp",))]),
        ("class F(Factory): ...", [("stem", ())]),
        ("def (", [("stem", ())]),
        ("\0", [("stem", ())]),
        ("(" * 500, [("stem", ())]),
        ("raise SystemExit", [("stem", ())]),
    ],
)
def test_the_text_of_a_file_shows_what_it_offers(source: str, found: Any) -> None:
    assert list(offers(source.encode(), "stem")) == found


def a_workspace(beside: Path, more: str = "") -> Path:
    path = beside.parent / "w.toml"
    path.write_text(
        'version = 1\n[[service]]\nname = "s"\nprotocol = "tcp"\nlisten = "127.0.0.1:0"\nresponder = "shout"\n' + more
    )
    return path


def test_a_workspace_may_name_what_waits_for_an_answer(plugins: Table, shout: Write, beside: Path) -> None:
    shout()
    loaded = workspace.load(a_workspace(beside, "[service.options]\nanything = 1\n"))
    assert loaded.services[0].options == {"anything": 1}
    assert "not trusted yet" in str(
        service_checks.responder_problem("shout", "tcp") or responders.find("shout").missing
    )  # type: ignore[union-attr]
    assert "does not serve udp" in (service_checks.responder_problem("shout", "udp") or "")


def test_the_options_of_a_loaded_plugin_are_checked(trusting: Table, shout: Write, beside: Path) -> None:
    shout()
    with pytest.raises(errors.WorkspaceError, match='is not an option of "shout" for tcp'):
        workspace.load(a_workspace(beside, "[service.options]\nanything = 1\n"))


def test_a_workspace_that_cannot_be_opened_leaves_the_plugins_of_the_one_before(
    trusting: Table, shout: Write, beside: Path, tmp_path: Path
) -> None:
    shout()
    workspace.load(a_workspace(beside))
    (tmp_path / "bad.toml").write_text("version = 9\n")
    with pytest.raises(errors.WorkspaceError):
        workspace.load(tmp_path / "bad.toml")
    assert "shout" in responders.names()


# -- in a service


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Any:
    from twisted.internet import reactor
    from twisted.internet.defer import ensureDeferred

    made = Desk(reactor, monkeypatch)
    yield made
    pytest_twisted.blockon(ensureDeferred(made.close()))


@pytest_twisted.ensureDeferred
async def test_a_factory_of_twisteds_answers_as_it_is(trusting: Table, shout: Write, beside: Path, desk: Desk) -> None:
    shout("from twisted.protocols.wire import Echo\nfrom twisted.internet.protocol import Factory\n"
          "factory = Factory.forProtocol(Echo)\n")  # fmt: skip
    enter(trusting, beside)
    peer = Peer(await desk.start("tcp", "shout"))
    await peer.send(b"hey")
    await peer.expect(b"hey")


@pytest_twisted.ensureDeferred
async def test_a_factory_of_autobahns_answers_again_after_a_stop(
    trusting: Table, shout: Write, beside: Path, desk: Desk
) -> None:
    shout(
        "from autobahn.twisted.websocket import *\n"
        "class Shout(WebSocketServerProtocol):\n"
        "    def onMessage(self, payload, isBinary):\n"
        "        self.sendMessage(payload.upper() + self.factory.mark, isBinary)\n"
        "factory = WebSocketServerFactory()\nfactory.protocol = Shout\nfactory.mark = b'!'\n"
    )
    enter(trusting, beside)

    async def script(client: ClientConnection) -> Any:
        await client.send("hey")
        return await client.recv()

    service = await desk.start("websocket", "shout")
    assert await talk(service, script) == "HEY!"
    await service.stop()
    await service.start()
    assert await talk(service, script) == "HEY!"
    assert len(desk.tape.all("ws.message")) == 4
