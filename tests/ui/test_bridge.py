"""The bridge: the Post's news as Qt signals, in batches, and silence while there is none."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic

import pytest
from pytestqt.qtbot import QtBot

from app.capture.recorder import Stored, Trouble
from app.post import Post
from tests.ui.desk import Peer, config, memory_post, settle
from ui import bridge as bridge_module
from ui.bridge import MEASURE, SPARK, TICK, Bridge

RATE_TICKS = int(MEASURE * 1000 / TICK)


@pytest.fixture
def post() -> Post:
    return memory_post(config("alpha"), config("beta", 9008))[0]


@pytest.fixture
def bridge(post: Post, qtbot: QtBot) -> Iterator[Bridge]:
    made = Bridge(post)
    yield made
    made.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ticks of a millisecond, for what takes many."""
    monkeypatch.setattr(bridge_module, "TICK", 1)
    monkeypatch.setattr(bridge_module, "BUSY_TICK", 2)
    monkeypatch.setattr(bridge_module, "CALM", 5)
    monkeypatch.setattr(bridge_module, "MEASURE", 0.005)


def resting(bridge: Bridge) -> bool:
    return not bridge._timer.isActive()


def test_no_timer_runs_while_nothing_happens(bridge: Bridge) -> None:
    settle()
    assert resting(bridge)


def test_what_was_stored_is_told_as_one_batch(bridge: Bridge, post: Post, qtbot: QtBot) -> None:
    told: list[Stored] = []
    bridge.ticked.connect(told.append)
    with qtbot.waitSignal(bridge.ticked):
        for last in range(1, 101):
            post.recorder.stored_changed.emit(Stored(1, last))
        assert told == []
    assert told == [Stored(1, 100)]


def test_thousands_of_hits_of_faults_are_told_as_one_batch(bridge: Bridge, post: Post, qtbot: QtBot) -> None:
    told: list[bool] = []
    bridge.faults_changed.connect(lambda: told.append(True))
    faults = post.services["alpha"].faults
    with qtbot.waitSignal(bridge.faults_changed):
        for _ in range(5_000):
            faults.changed.emit(faults)
        assert told == []
    assert told == [True]


def test_the_faults_of_services_that_come_later_are_told_and_of_those_that_are_gone_no_more(
    bridge: Bridge, post: Post, qtbot: QtBot
) -> None:
    gone = post.services.pop("alpha").faults
    post._add(config("gamma", 9009))
    post.services_changed.emit(post)
    faults = post.services["gamma"].faults
    with qtbot.waitSignal(bridge.faults_changed):
        faults.changed.emit(faults)
    assert not gone.changed._listeners


def test_under_load_it_ticks_ten_times_a_second_at_the_most(bridge: Bridge, post: Post, qtbot: QtBot) -> None:
    times: list[float] = []

    def news() -> None:
        post.recorder.stored_changed.emit(Stored(1, len(times)))

    bridge.ticked.connect(lambda _: (times.append(monotonic()), news()))
    times.append(monotonic())
    news()
    qtbot.waitUntil(lambda: len(times) >= 6)
    assert TICK == 100
    assert times[5] - times[0] >= 5 * 0.099


@pytest.mark.usefixtures("quick")
def test_more_than_can_be_read_is_shown_less_often(bridge: Bridge, post: Post, qtbot: QtBot) -> None:
    for _ in range(bridge_module.BUSY + 1):
        post.recorder.record(1)
    with qtbot.waitSignal(bridge.ticked):
        post.recorder.stored_changed.emit(Stored(1, 1))
    assert bridge._interval == bridge_module.BUSY_TICK
    qtbot.waitUntil(lambda: resting(bridge))
    post.recorder.flush()


@pytest.mark.usefixtures("quick")
def test_rates_fall_back_to_nothing_and_then_the_timer_stops(bridge: Bridge, post: Post, qtbot: QtBot) -> None:
    service = post.services["alpha"]
    seen: list[float] = []
    bridge.ticked.connect(lambda _: seen.append(bridge.of(service).rate))
    service.received = 10_000
    post.recorder.stored_changed.emit(Stored(1, 1))
    qtbot.waitUntil(lambda: any(seen))
    assert not resting(bridge)
    qtbot.waitUntil(lambda: resting(bridge))
    assert bridge.of(service).rate == 0
    assert not any(bridge.of(service).spark)
    assert len(seen) <= RATE_TICKS * (SPARK + 2)


@pytest.mark.usefixtures("quick")
def test_news_without_traffic_wake_it_for_one_measurement_only(bridge: Bridge, post: Post, qtbot: QtBot) -> None:
    ticks: list[object] = []
    bridge.ticked.connect(ticks.append)
    post.status_changed.emit(post.services["alpha"])
    qtbot.waitUntil(lambda: bool(ticks) and resting(bridge))
    assert len(ticks) <= RATE_TICKS


@pytest.mark.usefixtures("quick")
def test_the_rate_counts_both_ways_and_live_connections(bridge: Bridge, post: Post, qtbot: QtBot) -> None:
    service = post.services["alpha"]
    peer = Peer(1)
    service.connections[1] = peer
    peer.received, peer.sent = 300, 700
    rates: list[float] = []
    bridge.ticked.connect(lambda _: rates.append(bridge.of(service).rate))
    post.recorder.stored_changed.emit(Stored(1, 1))
    qtbot.waitUntil(lambda: any(rates))
    assert bridge.of(service).total == 1000
    assert not any(bridge.of(post.services["beta"]).spark)


@pytest.mark.usefixtures("quick")
def test_a_rate_is_never_below_nothing_after_a_service_was_replaced(bridge: Bridge, post: Post, qtbot: QtBot) -> None:
    service = post.services["alpha"]
    bridge.of(service).total = 5000
    rates: list[float] = []
    bridge.ticked.connect(lambda _: rates.append(bridge.of(service).rate))
    post.recorder.stored_changed.emit(Stored(1, 1))
    qtbot.waitUntil(lambda: bool(rates) and resting(bridge))
    assert set(rates) == {0}
    assert bridge.of(service).total == 0


def test_status_and_services_are_told_at_once(bridge: Bridge, post: Post, qtbot: QtBot) -> None:
    changed: list[object] = []
    bridge.status_changed.connect(changed.append)
    post.start_all()
    assert post.services["alpha"] in changed
    with qtbot.waitSignal(bridge.services_changed):
        post.add(config("gamma", 9009))


@pytest.mark.usefixtures("quick")
def test_while_nothing_can_be_stored_it_goes_on_ticking(bridge: Bridge, post: Post, qtbot: QtBot) -> None:
    ticks: list[object] = []
    bridge.ticked.connect(ticks.append)
    with qtbot.waitSignal(bridge.trouble_changed, check_params_cb=lambda t: isinstance(t, Trouble)):
        post.recorder.on_trouble("no room left on the disk")
    qtbot.waitUntil(lambda: len(ticks) > 5 * RATE_TICKS)
    with qtbot.waitSignal(bridge.trouble_changed, check_params_cb=lambda t: t is None):
        post.recorder.on_stored(0, Stored())
    qtbot.waitUntil(lambda: resting(bridge))


def test_closed_it_hears_nothing(bridge: Bridge, post: Post, qtbot: QtBot) -> None:
    bridge.close()
    with qtbot.assertNotEmitted(bridge.ticked), qtbot.assertNotEmitted(bridge.status_changed):
        post.recorder.stored_changed.emit(Stored(1, 1))
        post.recorder.trouble_changed.emit(None)
        post.status_changed.emit(post.services["alpha"])
    assert resting(bridge)
