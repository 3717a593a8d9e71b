"""app.post."""

import re
import socket
import sys
from dataclasses import replace

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import clientFromString
from twisted.internet.protocol import Factory, Protocol

from app import events
from app.capture import capturing
from app.capture.filters.language import EVERYTHING
from app.capture.reading.store import Store
from app.files.folders import data_folder
from app.post import Post
from app.services.config import ServiceConfig
from app.services.errors import OptionWrongError
from app.status import Failed, Held, Listening, Stopped, Waiting
from app.workspace.message import Message
from app.workspace.reading import Workspace
from tests.app.capture.captures import read
from tests.helpers import until


def config(name, **more):
    return ServiceConfig(
        **{"name": name, "protocol": "tcp", "host": "127.0.0.1", "port": 0, "responder": "echo"} | more
    )


@pytest.fixture
def make(tmp_path):
    """Makes Posts that capture into ``x.lpost``, and shuts them down."""
    from twisted.internet import reactor

    made = []

    async def making(*configs):
        one = Post(reactor, Workspace(tuple(configs)))
        made.append(one)
        await one.open(tmp_path / "x.lpost")
        return one

    yield making
    for one in made:
        pytest_twisted.blockon(_shut_down(one))


def _shut_down(one):
    from twisted.internet.defer import Deferred

    return Deferred.fromCoroutine(one.shut_down())


def stored(path):
    """All events of a capture."""
    store = Store(path)
    try:
        return list(store.events(EVERYTHING, *store.range()))
    finally:
        store.close()


def statuses(one):
    return {name: type(service.status) for name, service in one.services.items()}


async def talk(service, data):
    """A client of the service that has sent ``data`` and got it back."""
    from twisted.internet import reactor

    class Client(Protocol):
        heard, lost = b"", False

        def dataReceived(self, more):
            self.heard += more

        def connectionLost(self, reason):
            self.lost = True

    port = service.status.host.rpartition(":")[2]
    client = await clientFromString(reactor, f"tcp:127.0.0.1:{port}").connect(Factory.forProtocol(Client))
    client.transport.write(data)
    await until(lambda: client.heard == data)
    return client


@pytest_twisted.ensureDeferred
async def test_what_clients_send_is_in_the_capture(make, tmp_path):
    one = await make(config("a"))
    await one.start_all()
    client = await talk(one.services["a"], b"hello")
    await one.shut_down()
    await until(lambda: client.lost)
    kinds = [kind for (kind,) in read(tmp_path / "x.lpost", "SELECT kind FROM event ORDER BY id")]
    assert [events.NAMES[kind] for kind in kinds] == [
        "service.started", "connection.opened", "data.received", "data.sent", "connection.closed", "service.stopped"
    ]  # fmt: skip
    assert one.recorder.seen == one.recorder.stored == 6


@pytest_twisted.ensureDeferred
async def test_autostart_starts_only_those_that_ask_for_it(make):
    one = await make(config("a"), config("b", autostart=True))
    await one.autostart()
    assert statuses(one) == {"a": Stopped, "b": Listening}
    await one.start_all()
    assert statuses(one) == {"a": Listening, "b": Listening}
    await one.stop_all()
    assert statuses(one) == {"a": Stopped, "b": Stopped}


@pytest_twisted.ensureDeferred
async def test_one_that_cannot_start_keeps_no_other(make):
    one = await make(config("a", host="203.0.113.1"), config("b"))
    heard = []
    one.status_changed.connect(lambda service: heard.append((service.config.name, type(service.status))))
    await one.start_all()
    assert statuses(one) == {"a": Failed, "b": Listening}
    assert "is not an address of this machine" in one.services["a"].status.reason
    assert ("a", Failed) in heard
    assert ("b", Listening) in heard
    # Not to end within a call from a thread, which a nested Qt loop would run again.
    await one.shut_down()


@pytest_twisted.ensureDeferred
async def test_services_come_and_go(make):
    one = await make(config("a"))
    heard = []
    one.services_changed.connect(heard.append)
    added = one.add(config("b"))
    assert isinstance(added.status, Stopped)
    await added.start()
    client = await talk(added, b"x")
    await one.remove("b")
    await until(lambda: client.lost)
    assert one.configs() == (config("a"),)
    assert heard == [one, one]


@pytest_twisted.ensureDeferred
async def test_a_service_that_was_up_is_up_again_with_its_new_configuration(make):
    one = await make(config("a"), config("b"), config("c"))
    await one.services["b"].start()
    client = await talk(one.services["b"], b"x")
    new = await one.replace("b", config("renamed", responder="fragile"))
    await until(lambda: client.lost)
    assert list(one.services) == ["a", "renamed", "c"]
    assert isinstance(new.status, Listening)
    await talk(new, b"line\n")
    stopped = await one.replace("a", config("a", port=1))
    assert isinstance(stopped.status, Stopped)
    assert list(one.services) == ["a", "renamed", "c"]
    assert one.services["a"] is stopped


@pytest_twisted.ensureDeferred
async def test_of_two_wishes_for_a_service_that_is_stopping_the_first_counts(make):
    one = await make(config("a"), config("b"))
    await one.start_all()
    both = [Deferred.fromCoroutine(one.remove("a")) for _ in range(2)]
    late = Deferred.fromCoroutine(one.replace("a", config("late")))
    changes = [Deferred.fromCoroutine(one.replace("b", config(name))) for name in ("b2", "b3")]
    for wish in (*both, late, *changes):
        await wish
    assert list(one.services) == ["b2"]
    assert await one.replace("a", config("gone")) is None


@pytest_twisted.ensureDeferred
async def test_a_service_started_while_another_workspace_is_loaded_is_stopped_too(make):
    one = await make(config("a"), config("b"))
    await one.services["a"].start()
    hanging = await talk(one.services["a"], b"x")
    loading = Deferred.fromCoroutine(one.load(Workspace((config("new"),))))
    started = one.services["b"]
    await started.start()
    await loading
    await until(lambda: hanging.lost)
    assert isinstance(started.status, Stopped)
    assert list(one.services) == ["new"]


@pytest_twisted.ensureDeferred
async def test_another_workspace_takes_the_place_of_all(make):
    one = await make(config("a"))
    await one.start_all()
    old = one.services["a"]
    await one.load(Workspace((config("a"), config("new"))))
    assert isinstance(old.status, Stopped)
    assert statuses(one) == {"a": Stopped, "new": Stopped}
    assert one.services["a"] is not old


@pytest_twisted.ensureDeferred
async def test_becoming_another_state_touches_only_what_differs(make):
    one = await make(config("a"), config("b"), config("c"))
    await one.start_all()
    kept = one.services["a"]
    here, there = await talk(kept, b"x"), await talk(one.services["b"], b"x")
    messages = (Message("m", "tcp://127.0.0.1:1"),)
    state = Workspace((config("new"), config("c", responder="discard"), config("a")), messages=messages)
    assert await one.become(state) == {"b"}
    assert one.state() == state
    assert one.services["a"] is kept
    assert statuses(one) == {"new": Stopped, "c": Listening, "a": Listening}
    await until(lambda: there.lost)
    assert not here.lost


@pytest_twisted.ensureDeferred
async def test_becoming_starts_what_is_to_start_and_knows_renamed_services(make):
    one = await make(config("a"))
    await one.services["a"].start()
    state = Workspace((config("more"), config("z")))
    assert await one.become(state, {"a": "z"}, start=["more", "nobody"]) == set()
    assert statuses(one) == {"more": Listening, "z": Listening}


@pytest_twisted.ensureDeferred
async def test_one_that_refuses_its_change_goes_on_as_before_under_its_old_name(make):
    one = await make(config("a"), config("b"))
    await one.start_all()
    before = dict(one.services)
    await one.become(Workspace((config("b"), config("z", options={"nonsense": 1}))), {"a": "z"})
    assert list(one.services) == ["b", "a"]
    assert one.services == before
    assert statuses(one) == {"b": Listening, "a": Listening}


@pytest_twisted.ensureDeferred
async def test_services_that_exchange_their_ports_both_come_up_again(make):
    one = await make(config("a"), config("b"))
    await one.start_all()
    a, b = (int(service.status.host.rpartition(":")[2]) for service in one.services.values())
    await one.become(Workspace((config("a", port=a), config("b", port=b))))
    await one.become(Workspace((config("a", port=b), config("b", port=a))))
    assert [service.status for service in one.services.values()] == [
        Listening(f"127.0.0.1:{b}"), Listening(f"127.0.0.1:{a}")
    ]  # fmt: skip


@pytest_twisted.ensureDeferred
async def test_what_comes_back_is_allowed_no_more_than_before(make, tmp_path):
    one = await make()
    asks = config("asks", responder="relay", options={"upstream": "192.0.2.1:1"})
    await one.load(Workspace((asks,), path=tmp_path / "x.toml", digest="none"))
    assert one.gate.unanswered
    await one.become(Workspace())
    assert not one.gate.unanswered
    await one.become(Workspace((asks,)), by_user=False)
    assert isinstance(one.services["asks"].status, Held)
    await one.become(Workspace((config("asks"),)), by_user=False)
    await one.become(Workspace((asks,)), by_user=False)
    assert isinstance(one.services["asks"].status, Held)


@pytest_twisted.ensureDeferred
async def test_services_that_are_gone_hear_no_more_of_the_recorder(make):
    one = await make(config("a"), config("b"))
    await one.replace("a", config("a"))
    await one.remove("b")
    await one.become(Workspace((config("a", responder="discard"), config("d"))))
    await one.load(Workspace((config("c"),)))
    assert len(one.recorder.pressure._listeners) == 1


@pytest_twisted.ensureDeferred
async def test_shutting_down_puts_the_hooks_of_python_back(make):
    before = sys.excepthook
    one = await make()
    assert sys.excepthook != before
    await one.shut_down()
    assert sys.excepthook == before


@pytest_twisted.ensureDeferred
async def test_what_happens_in_the_last_moment_is_stored(make, tmp_path):
    one = await make()
    one.recorder.record(events.LOG, summary="last words")
    await one.shut_down()
    assert read(tmp_path / "x.lpost", "SELECT summary FROM event") == [("last words",)]


@pytest_twisted.ensureDeferred
async def test_services_run_while_the_file_is_refused(make, tmp_path):
    (tmp_path / "x.lpost").write_bytes(b"notes")
    one = await make(config("a"))
    assert one.capturing.refused
    assert "is not a capture" in one.recorder.trouble.text
    await one.start_all()
    await talk(one.services["a"], b"still here")
    await one.shut_down()
    assert one.recorder.stored == 0
    assert one.recorder.seen == one.recorder.lost


def test_a_new_capture_is_named_by_its_time_in_the_data_folder():
    path = capturing.default_capture()
    assert path.parent == data_folder() / "captures"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d\.lpost", path.name)


def test_captures_that_begin_in_the_same_second_have_names_of_their_own(tmp_path):
    names = [capturing.unused_capture(tmp_path / "captures") for _ in range(3)]
    assert len(set(names)) == 3
    assert {name.stat().st_size for name in names} == {0}
    (tmp_path / "file").write_text("")
    assert capturing.unused_capture(tmp_path / "file").parent == tmp_path / "file"  # whose writer says why not


@pytest_twisted.ensureDeferred
async def test_a_new_capture_begins_while_peers_are_connected_and_loses_nothing(make, tmp_path):
    one = await make(config("echo"))
    one.capturing.folder = tmp_path / "more"
    await one.start_all()
    [service] = one.services.values()
    client = await talk(service, b"in the old one")
    heard = []
    one.capture_changed.connect(lambda _: heard.append(one.capture))
    old = await one.new_capture()
    client.transport.write(b"in the new one")
    await until(lambda: client.heard.endswith(b"in the new one"))
    assert old == tmp_path / "x.lpost"
    assert heard == [one.capture]
    client.transport.loseConnection()
    await until(lambda: not service.connections)
    one.recorder.flush()
    await until(lambda: one.recorder.idle)
    assert one.recorder.seen == one.recorder.stored
    first, second = stored(old), stored(one.capture)
    assert b"".join(e.payload for e in first if e.kind == events.DATA_RECEIVED) == b"in the old one"
    assert b"".join(e.payload for e in second if e.kind == events.DATA_RECEIVED) == b"in the new one"
    assert first[-1].summary == f"the capture goes on in {one.capture}"
    assert second[0].summary == f"the capture follows {old}"
    assert (second[1].kind, second[1].detail["earlier"]) == (events.CONNECTION_OPENED, True)
    assert all(event.peer for event in second if event.conn)


@pytest_twisted.ensureDeferred
async def test_two_new_captures_in_one_second_have_two_names(make, tmp_path):
    one = await make()
    one.capturing.folder = tmp_path / "more"
    first = (await one.new_capture(), one.capture)[1]
    second = (await one.new_capture(), one.capture)[1]
    assert first != second
    assert len({*(tmp_path / "more").glob("*.lpost")}) == 2


@pytest_twisted.ensureDeferred
async def test_where_the_new_file_cannot_be_made_the_old_one_goes_on(make, tmp_path, monkeypatch):
    one = await make(config("echo"))
    other = tmp_path / "other.lpost"
    other.write_text("no capture")
    monkeypatch.setattr(capturing, "unused_capture", lambda folder: other)
    assert await one.new_capture() is None
    assert one.capture == tmp_path / "x.lpost"
    one.recorder.record(events.LOG, summary="afterwards")
    one.recorder.flush()
    await until(lambda: one.recorder.idle and one.recorder.trouble is None)
    assert stored(one.capture)[-1].summary == "afterwards"
    assert other.read_text() == "no capture"


@pytest_twisted.ensureDeferred
async def test_a_program_that_ends_while_it_is_paused_says_what_is_missing(make, tmp_path):
    one = await make(config("echo"))
    await one.start_all()
    one.recorder.pause()
    for words in (b"nobody sees", b"this"):
        client = await talk(one.services["echo"], words)
        client.transport.loseConnection()
        await until(lambda: not one.services["echo"].connections)
    missing = one.recorder.not_taken
    await one.shut_down()
    found = stored(tmp_path / "x.lpost")
    assert not [event for event in found if event.kind in events.RAW]
    [mark] = [event for event in found if event.kind == events.CAPTURE_RESUMED]
    assert mark.detail["count"] == missing >= 4
    assert [event.kind for event in found].count(events.CONNECTION_CLOSED) == 2
    assert one.recorder.seen == one.recorder.stored + one.recorder.not_taken


@pytest_twisted.ensureDeferred
async def test_a_service_goes_to_another_group_without_a_restart(make):
    one = await make(config("a"), config("b"))
    await one.start_all()
    a = one.services["a"]
    changed = []
    one.services_changed.connect(changed.append)
    await one.become(Workspace((config("b"), config("a", group="Bench"))))
    assert one.services["a"] is a
    assert isinstance(a.status, Listening)
    assert (list(one.services), a.config.group, len(changed)) == (["b", "a"], "Bench", 1)


@pytest_twisted.ensureDeferred
async def test_some_are_started_and_stopped_by_their_names(make):
    one = await make(config("a"), config("b"), config("c"))
    await one.start_all({"a", "c"})
    assert [name for name, status in statuses(one).items() if status is Listening] == ["a", "c"]
    await one.stop_all(names={"c"})
    assert [name for name, status in statuses(one).items() if status is Listening] == ["a"]


@pytest_twisted.ensureDeferred
async def test_a_change_of_rules_keeps_the_service_and_its_connections(make):
    one = await make(config("a", responder="script", options={"rules": []}), config("b"))
    await one.start_all()
    service, told = one.services["a"], []
    one.services_changed.connect(told.append)
    rules = {"rules": [{"then": ["send {{message}}"]}]}
    assert await one.change("a", config("a", responder="script", options=rules)) is service
    assert (service.config.options, told) == (rules, [one])
    here = await talk(service, b"x")
    again = config("a", responder="script", options={"rules": []}, autostart=True)
    await one.become(Workspace((config("b"), again)))
    assert one.services["a"] is service
    assert list(one.services) == ["b", "a"]
    assert not here.lost
    assert one.state().services[1] == again


@pytest_twisted.ensureDeferred
async def test_any_other_change_starts_the_service_again(make):
    one = await make(config("a"))
    await one.start_all()
    service = one.services["a"]
    changed = await one.change("a", config("b", responder="discard"))
    assert changed is one.services["b"] is not service
    assert statuses(one) == {"b": Listening}
    assert await one.change("a", config("a")) is None


@pytest_twisted.ensureDeferred
async def test_a_service_that_is_stopped_is_changed_and_stays_stopped(make):
    one = await make(config("a"))
    service = one.services["a"]
    assert await one.change("a", config("a", port=1)) is service
    assert statuses(one) == {"a": Stopped}
    assert await one.change("a", config("other")) is one.services["other"]


@pytest_twisted.ensureDeferred
async def test_a_wrong_change_is_refused_while_the_service_runs(make, tmp_path):
    good = config("a", responder="banner", options={"text": "good"})
    one = await make(good)
    await one.start_all()
    wrong = [
        (config("a", responder="banner", options={"text": r"\q"}), r"The option text of banner .*\\q is not an escape"),
        (config("a", responder="banner", limits={"connections": 0}), r"connections of \[service.limits\] must be"),
    ]  # fmt: skip
    for bad, words in wrong:
        with pytest.raises(OptionWrongError, match=words):
            await one.change("a", bad)
        await one.become(Workspace((bad,)))
        assert one.services["a"].config is good
        assert statuses(one) == {"a": Listening}
    await one.shut_down()
    logs = [text for (text,) in read(tmp_path / "x.lpost", "SELECT summary FROM event WHERE kind = ?", events.LOG)]
    told = "The change was refused; the service goes on as before. The option "
    assert [text.removeprefix(told)[:14] for text in logs if text.startswith(told)] == [
        "text of banner",
        "connections of",
    ]


@pytest_twisted.ensureDeferred
async def test_a_change_that_asks_for_more_is_held(make, tmp_path):
    static = config("a", protocol="http", responder="static", options={"root": "here"})
    asks = config("asks", responder="relay", options={"upstream": "192.0.2.1:1"})
    one = await make()
    await one.load(Workspace((static, asks), path=tmp_path / "x.toml", digest="none"))
    await one.services["a"].start()
    assert await one.change("a", replace(static, options={"root": "there"})) is one.services["a"]
    outside = replace(static, options={"root": "/etc"})
    held = await one.change("a", outside)
    assert isinstance(held.status, Held)
    assert held.config == outside


@pytest_twisted.ensureDeferred
async def test_a_program_that_ends_while_a_new_capture_is_begun_stores_everything(make, tmp_path):
    one = await make(config("echo"))
    one.capturing.folder = tmp_path / "more"
    await one.start_all()
    await talk(one.services["echo"], b"the last words")
    beginning = Deferred.fromCoroutine(one.new_capture())
    await one.shut_down()
    await beginning
    found = [event for path in (tmp_path / "x.lpost", one.capture) for event in stored(path)]
    assert [event.payload for event in found if event.kind == events.DATA_RECEIVED] == [b"the last words"]
    assert one.recorder.seen == one.recorder.stored == len(found)


@pytest_twisted.ensureDeferred
async def test_a_second_wish_for_a_new_capture_is_passed_over_while_the_first_is_done(make, tmp_path):
    one = await make()
    one.capturing.folder = tmp_path / "more"
    first, second = (Deferred.fromCoroutine(one.new_capture()) for _ in range(2))
    assert (await first, await second) == (tmp_path / "x.lpost", None)
    assert len({*(tmp_path / "more").glob("*.lpost")}) == 1


# -- services that are tried again


@pytest.fixture
def taken():
    """A port that another program has."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


@pytest_twisted.ensureDeferred
async def test_a_service_that_waits_is_tried_at_once_with_its_new_configuration(make, taken):
    one = await make(config("echo", port=taken, restart={"delay_seconds": 3600}))
    await one.start_all()
    assert statuses(one) == {"echo": Waiting}
    await one.change("echo", config("echo", restart={}))
    assert statuses(one) == {"echo": Listening}


@pytest_twisted.ensureDeferred
async def test_a_service_that_waits_is_given_up_with_its_workspace(make, taken):
    one = await make(config("echo", port=taken, restart={"delay_seconds": 3600}))
    await one.start_all()
    old = one.services["echo"]
    await one.load(Workspace((config("other"),)))
    assert statuses(one) == {"other": Stopped}
    assert not old.seconds_left
    again = config("echo", port=taken, restart={"delay_seconds": 3600})
    await one.become(replace(one.state(), services=(again,)), start=["echo"])
    assert statuses(one) == {"echo": Waiting}
    await one.become(replace(one.state(), services=()))
    assert one.services == {}  # and no call is left in the reactor


@pytest_twisted.ensureDeferred
async def test_start_all_tries_a_service_that_waits(make, taken):
    one = await make(config("echo", port=taken, restart={"delay_seconds": 3600, "factor": 1}))
    await one.start_all()
    await one.start_all(["echo"])
    assert one.services["echo"].status.attempt == 2
    await one.stop_all()
    assert statuses(one) == {"echo": Stopped}


@pytest_twisted.ensureDeferred
async def test_relays_know_what_watches_have_found(make):
    one = await make(config("relay", responder="relay", options={"upstreams": ["127.0.0.1:1", "127.0.0.1:2"]}))
    assert one.services["relay"].surroundings.is_down == one.watches.is_down
