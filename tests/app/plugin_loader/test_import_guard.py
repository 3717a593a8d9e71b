"""Plugin files that are whole programs: told so, and nothing of them is left."""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
import threading
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from app import responders
from app.plugin_loader import errors, loading, table
from app.plugin_loader.import_guard import guarded
from app.plugin_loader.table import Table
from app.trust import store
from tests.e2e.workspaces import workspace
from tests.helpers import run, serving, wait_for

Write = Callable[..., Path]

BEGIN = """from twisted.internet import endpoints, protocol, reactor, task
from twisted.protocols.wire import Echo
factory = protocol.Factory.forProtocol(Echo)
"""

ENDS = [
    ("reactor.run()", "runs the reactor"),
    ("reactor.stop()", "stops the reactor"),
    ("reactor.listenTCP(0, factory)", "opens a port"),
    ("reactor.listenTCP(0, factory); reactor.run()", "runs the reactor"),
    ("'%d' % reactor.listenTCP(0, factory).getHost().port; reactor.run()", "runs the reactor"),
    ("reactor.listenUDP(0, protocol.DatagramProtocol())", "opens a port"),
    ("reactor.listenMulticast(0, protocol.DatagramProtocol())", "opens a port"),
    ("reactor.listenUNIX('plugin.socket', factory)", "opens a port"),
    ("reactor.listenSSL(0, factory, None)", "opens a port"),
    ("reactor.connectTCP('127.0.0.1', 0, factory)", "opens a connection"),
    ("endpoints.serverFromString(reactor, 'tcp:0:interface=127.0.0.1').listen(factory)", "opens a port"),
    ("listening = endpoints.TCP4ServerEndpoint(reactor, 0).listen(factory)", "opens a port"),
    ("endpoints.TCP4ClientEndpoint(reactor, '127.0.0.1', 1).connect(factory)", "opens a connection"),
    ("connecting = endpoints.clientFromString(reactor, 'tcp:localhost:1').connect(factory)", "opens a connection"),
    ("connecting = endpoints.HostnameEndpoint(reactor, 'localhost', 1).connect(factory)", "looks up a name"),
    ("reactor.resolve('localhost')", "looks up a name"),
    ("reactor.callLater(0, print, 'called')", "schedules a call"),
    ("reactor.callWhenRunning(print, 'called')", "schedules a call"),
    ("reactor.callFromThread(print, 'called')", "schedules a call"),
    ("reactor.callInThread(print, 'called')", "starts a thread"),
    ("__import__('threading').Thread(target=reactor.run).start()", "runs the reactor"),
    ("reactor.addSystemEventTrigger('after', 'startup', print, 'called')", "schedules a call"),
    ("task.LoopingCall(print, 'called').start(1, now=False)", "schedules a call"),
    ("task.react(lambda reactor: endpoints.TCP4ServerEndpoint(reactor, 0).listen(factory))", "runs the reactor"),
    ("task.react(lambda reactor: task.deferLater(reactor, 9))", "schedules a call"),
    ("reactor.spawnProcess(protocol.ProcessProtocol(), '/bin/true')", "starts a program"),
    ("from twisted.internet import stdio; stdio.StandardIO(Echo())", "watches a descriptor"),
    ("from twisted.internet import selectreactor; selectreactor.install()", "installs a reactor"),
    ("from twisted.application.runner._runner import Runner; Runner(reactor=reactor).run()", "runs the reactor"),
    ("from twisted.scripts import twistd; twistd.run()", "reads the command line"),
    ("from twisted.web.server import Site; import sys; sys.exit()", "ends the program"),
    ("raise SystemExit('done')", "ends the program"),
    ("import os; os._exit(3)", "ends the program"),
    ("try: reactor.run()\nexcept Exception: pass", "runs the reactor"),
]


def _state() -> Any:
    """What a program would leave in this process."""
    from twisted.internet import reactor

    made: Any = reactor
    return (
        set(made.getDelayedCalls()), set(map(id, made.getReaders())), threading.active_count(),
        [list(getattr(trigger, phase)) for trigger in made._eventTriggers.values() for phase in
         ("before", "during", "after")], dict(vars(made)).keys(), os._exit, sys.stdout, logging.root.handlers[:],
    )  # fmt: skip


@pytest.fixture
def trusting(plugins: Table) -> Table:
    plugins.trust.everything = True
    return plugins


@pytest.mark.parametrize(("end", "does"), ENDS)
def test_d3_what_a_plugin_must_not_do_at_import_is_told_and_leaves_nothing(
    trusting: Table, shout: Write, beside: Path, end: str, does: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = shout(BEGIN + end + "\n")
    before = _state()
    trusting.enter(beside.parent)
    gc.collect()
    assert _state() == before
    assert capsys.readouterr() == ("", "")
    words, code = str(trusting.trouble[path]), path.read_text().splitlines()[3]
    assert words.startswith(f"The plugin {path} {does} (line 4: {code}) while it is imported. A plugin only"), words
    assert words.endswith("A whole Twisted program is not a plugin: run it by itself, with python shout.py.")
    found: Any = responders.find("shout")
    assert found.missing is trusting.plugins[path].problem


def test_d3_what_belongs_to_a_program_may_stand_where_only_a_program_runs_it(
    trusting: Table, shout: Write, beside: Path
) -> None:
    shout(f"{BEGIN}if __name__ == '__main__':\n    reactor.listenTCP(0, factory)\n    reactor.run()\n")
    trusting.enter(beside.parent)
    assert trusting.trouble == {}


def test_d3_a_plugin_may_clean_up_at_the_programs_end_and_begin_to_log(
    trusting: Table, shout: Write, beside: Path
) -> None:
    """Logging is begun already: Twisted's log, standard output and standard error stay as they are."""
    before, printed = _state(), sys.stdout
    shout(
        f"{BEGIN}import sys\nfrom twisted.python import log\nlog.startLogging(sys.stdout)\n"
        "trigger = reactor.addSystemEventTrigger('before', 'shutdown', print)\n"
    )
    trusting.enter(beside.parent)
    from twisted.internet import reactor

    made: Any = reactor
    made.removeSystemEventTrigger(sys.modules["listening_post_plugins.shout"].trigger)
    assert (trusting.trouble, _state(), sys.stdout) == ({}, before, printed)


def test_d3_the_version_before_goes_on_when_the_next_one_runs_the_reactor(
    trusting: Table, shout: Write, beside: Path
) -> None:
    path = shout()
    trusting.enter(beside.parent)
    before = responders.find("shout")
    shout(f"{path.read_text()}\nfrom twisted.internet import reactor\nreactor.run()\n")
    trusting.enter(beside.parent)
    assert responders.find("shout") is before
    assert "runs the reactor (line 9: reactor.run()) while it is imported" in str(trusting.trouble[path])


def test_d3_an_installed_package_is_told_its_own_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "lp_runs.py").write_text("from twisted.internet import reactor\nreactor.run()\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(errors.PluginStartsError, match=r"lp_runs \(lp_runs\) runs .*lp_runs.py, line 2: reactor.run"):
        loading.load_entry_point(EntryPoint("lp_runs", "lp_runs", table.GROUP))


@pytest_twisted.ensureDeferred
async def test_d3_other_threads_use_the_reactor_while_a_plugin_is_imported_in_one() -> None:
    from twisted.internet import reactor, threads

    made: Any = reactor
    inside, done = threading.Event(), threading.Event()

    def load() -> None:
        with guarded("slow"):
            inside.set()
            assert done.wait(20)

    loaded = threads.deferToThread(load)
    inside.wait(20)
    assert "callLater" in vars(made)
    made.callLater(0, done.set)
    await loaded
    assert "callLater" not in vars(made)


# -- the program

TUTORIAL = f"{BEGIN}reactor.listenTCP(0, factory, interface='127.0.0.1')\nreactor.run()\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A workspace with a service of a tutorial's, and one of ours."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "tutorial.py").write_text(TUTORIAL)
    (tmp_path / "w.toml").write_text(workspace("mine tcp tutorial", "echo tcp echo"))
    return tmp_path / "w.toml"


def test_d3_serve_goes_on_with_the_other_services(file: Path, tmp_path: Path) -> None:
    with serving(file, tmp_path / "x.lpost", "--trust-plugins") as program:
        wait_for(lambda: list(program.wait_up()) == ["echo"])
        program.kill(15)
        assert program.wait() == 0
        found = [json.loads(line) for line in program.lines]
    [failed] = [event for event in found if event["kind"] == "service.failed"]
    assert failed["service"] == "mine"
    assert "tutorial.py opens a port (line 4: reactor.listenTCP(0, factory, interface='127" in failed["summary"]
    assert "and runs the reactor (line 5: reactor.run()) while it is imported." in failed["summary"]
    assert "Traceback" not in "".join(program.said)
    assert not [event for event in found if event["kind"] == "failure"]


def test_d3_check_says_it_and_ends(file: Path, tmp_path: Path) -> None:
    """Also where the plugin is what imports the reactor first, and the answer is one of an older version."""
    (tmp_path / "data" / "listening-post").mkdir(parents=True)
    answers = {str(tmp_path / "plugins" / "tutorial.py"): "load"}
    (tmp_path / "data" / "listening-post" / store.OLD).write_text(json.dumps(answers))
    done = run("check", file, env={**os.environ, "XDG_DATA_HOME": str(tmp_path / "data")})
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        f"{file}: 2 services, nothing wrong",
        "it is trusted, and so may",
        f"  run   the plugin {tmp_path / 'plugins' / 'tutorial.py'} brings tutorial: its code can do all that you can",
    ]
    assert done.stderr.startswith("listening-post: tutorial: The plugin ")
    assert "and runs the reactor (line 5: reactor.run()) while it is imported" in done.stderr
    assert done.stderr.count("\n") == 1
