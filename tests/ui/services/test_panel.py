"""The services panel: its rows, what they do, search, both views."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
from PyQt5.QtCore import QEvent, QPoint, QRect, Qt
from PyQt5.QtGui import QContextMenuEvent, QHelpEvent, QMouseEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot
from twisted.internet.defer import Deferred

from app import responders
from app.plugin_loader.errors import PluginWaitingError
from app.post import Post
from app.responders import Responder
from app.services.config import ServiceConfig
from app.services.service import Service
from app.status import Failed, Held, Listening, Starting, Status, Stopped, Stopping, Waiting
from tests.ui.desk import Peer, config, memory_post, settle
from ui.bridge import Bridge
from ui.looks import theme
from ui.services.list_delegate import Part
from ui.services.panel import ServicesPanel
from ui.services.rows import Heading, ServiceRow, arranged, compact
from ui.settings import Settings

pytestmark = [
    # Of the offscreen platform, for tooltips.
    pytest.mark.qt_log_ignore(r"^This plugin does not support (raise|propagateSizeHints)\(\)"),
]


class Desk:
    def __init__(self, post: Post, bridge: Bridge, panel: ServicesPanel) -> None:
        self.post, self.bridge, self.panel = post, bridge, panel

    def row(self, name: str = "alpha") -> ServiceRow:
        return self.panel.row(name)

    def give(self, status: Status, name: str = "alpha") -> ServiceRow:
        self.post.services[name]._set(status)
        return self.row(name)

    def change(self, work: object) -> None:
        Deferred.fromCoroutine(work)  # type: ignore[arg-type]
        settle()

    def place(self, name: str, part: Part = "row") -> QPoint:
        """The middle of a part of a row, in the list's viewport."""
        rect, delegate = self.panel.row_rect(name), self.panel.list.delegate
        at = delegate.layout_of(rect)
        places = {"button": at.button, "row": at.state, "allow": delegate.allow_rect(at)}
        return (places | delegate.marks(self.row(name), at))[part].center()

    def click(self, name: str, part: Part = "row", button: Qt.MouseButton = Qt.LeftButton) -> None:
        QTest.mouseClick(self.panel.list.viewport(), button, Qt.NoModifier, self.place(name, part))

    def double_click(self, name: str, part: Part = "row", button: Qt.MouseButton = Qt.LeftButton) -> None:
        """Double-click as a platform does: press, release, double click, release."""
        self.click(name, part, button)
        view, at = self.panel.list.viewport(), self.place(name, part)
        for kind, held in ((QEvent.MouseButtonDblClick, button), (QEvent.MouseButtonRelease, Qt.NoButton)):
            QApplication.sendEvent(view, QMouseEvent(kind, at, button, held, Qt.NoModifier))  # type: ignore[call-overload]

    def press(self, *keys: int) -> None:
        for key in keys:
            QTest.keyClick(self.panel.list, key)  # type: ignore[call-overload]

    def tip(self, name: str, part: Part = "row") -> str:
        """The tooltip at a part of a row."""
        view, at = self.panel.list.viewport(), self.place(name, part)
        QToolTip.hideText()
        QApplication.sendEvent(view, QHelpEvent(QEvent.ToolTip, at, view.mapToGlobal(at)))
        return QToolTip.text()

    def rows(self) -> list[str]:
        return [f"[{row.group}]" if isinstance(row, Heading) else row.name for row in self.panel._model.rows]


Shown = Callable[..., Desk]


@pytest.fixture
def shown(qtbot: QtBot, settings: Settings) -> Iterator[Shown]:
    made: list[Bridge] = []

    def show(*configs: ServiceConfig, width: int = 340, height: int = 400) -> Desk:
        post, _ = memory_post(*configs)
        bridge = Bridge(post)
        panel = ServicesPanel(post, bridge, settings)
        made.append(bridge)
        qtbot.addWidget(panel)
        panel.resize(width, height)
        with qtbot.waitActive(panel):
            panel.show()
        return Desk(post, bridge, panel)

    yield show
    for bridge in made:
        bridge.close()


@pytest.fixture
def desk(shown: Shown) -> Desk:
    return shown(config("alpha"), config("beta", 9008), config("gamma", 9009))


def grouped() -> list[ServiceConfig]:
    return [
        config("one", 9001, group="Bench"),
        config("two", 9002),
        config("three", 9003, group="Shop"),
        config("four", 9004, group="Bench"),
    ]


# -- what a row says


def test_there_is_a_row_for_each_service_in_their_order(desk: Desk) -> None:
    assert desk.panel.names() == ["alpha", "beta", "gamma"]
    tops = [desk.panel.row_rect(name).y() for name in desk.panel.names()]
    assert tops == sorted(tops)
    assert (desk.row().name, desk.row().address, desk.row().port) == ("alpha", "127.0.0.1:9007", ":9007")


@pytest.mark.parametrize(
    ("status", "state", "said", "tip"),
    [
        (Stopped(), "stopped", "stopped", "Start (Space)"),
        (Starting(), "starting", "starting…", "Stop (Space)"),
        (Listening("127.0.0.1:40123"), "listening", "0 connections · 0 B/s", "Stop (Space)"),
        (Stopping(), "stopping", "stopping…", "The service is stopping"),
        (
            Waiting("Port 9007 is in use.", 1, 0.0),
            "starting",
            "Starts again in 0 s: Port 9007 is in use.",
            "Stop (Space)",
        ),
        (Failed("Port 9007 is in use by nc (pid 7)."), "failed", "Port 9007 is in use by nc (pid 7).", "Start (Space)"),
    ],
)
def test_mark_words_and_button_follow_the_status(desk: Desk, status: Status, state: str, said: str, tip: str) -> None:
    row = desk.give(status)
    assert row.state == state
    assert (row.reason or row.traffic) == said
    assert desk.tip("alpha", "button") == tip
    assert row.ready == (not isinstance(status, Stopping))
    index = desk.panel._model.index(0)
    assert desk.panel._model.data(index, Qt.AccessibleTextRole) == row.spoken
    assert row.spoken.startswith("alpha, 127.0.0.1:")
    assert row.spoken.endswith(said)


def test_while_it_listens_the_address_is_the_one_really_bound(desk: Desk) -> None:
    assert desk.give(Listening("127.0.0.1:40123")).port == ":40123"
    assert desk.give(Stopped()).port == ":9007"


@pytest.mark.parametrize("is_compact", [False, True])
def test_no_row_changes_its_height_or_moves_whatever_happens(desk: Desk, is_compact: bool) -> None:
    desk.panel.set_compact(is_compact)
    settle()
    before = [desk.panel.row_rect(name) for name in desk.panel.names()]
    statuses = (Listening("127.0.0.1:9007"), Failed("It is long. " * 30), Held("why", "what"), Stopping())
    for status in statuses:
        desk.give(status, "beta")
        desk.post.services["beta"].connections.update({i: Peer(i) for i in range(1_000)})
        desk.bridge.of(desk.post.services["beta"]).rate = 1.3e9
        desk.post.services["beta"]._on_refused_host("a.tunnel.example")
        desk.bridge.measured.emit()
        settle()
        assert [desk.panel.row_rect(name) for name in desk.panel.names()] == before


def test_a_service_whose_plugin_is_not_trusted_yet_waits_and_has_not_failed(shown: Shown) -> None:
    waiting = PluginWaitingError(path="shout.py")
    plugin = Responder("shout", "Shouts", {"tcp": lambda *_: None}, missing=waiting)
    responders.add(plugin)
    try:
        desk = shown(config("alpha", responder="shout"), config("beta", 9008))
        row = desk.give(Failed(str(waiting)))
        assert (row.word, row.state, row.bad) == ("not trusted", "stopped", False)
        assert row.reason == "Waiting until you trust it: shout.py"
        assert desk.give(Failed("Its port is taken."), "beta").word == "failed"
    finally:
        responders.remove("shout")


def test_connections_and_rate_are_compact_in_the_row_and_exact_in_the_tip(desk: Desk) -> None:
    desk.give(Listening("127.0.0.1:9007"))
    service = desk.post.services["alpha"]
    service.connections.update({i: Peer(i) for i in range(20_000)})
    desk.bridge.of(service).rate = 12_300
    desk.bridge.measured.emit()
    assert compact(desk.row().connections or 0) == "20 k"
    assert "20,000 connections · 12.3 kB/s" in desk.tip("alpha")


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0"), (500, "500"), (9_999, "9,999"), (10_000, "10 k"), (20_400, "20 k"), (999_499, "999 k"),
     (999_999, "1.0 M"), (1_200_000, "1.2 M"), (123_456_789, "123 M")],
)  # fmt: skip
def test_a_compact_count_has_five_characters_at_the_most(count: int, said: str) -> None:
    assert compact(count) == said
    assert len(said) <= 5


@pytest.mark.usefixtures("dark")
@pytest.mark.parametrize("is_compact", [False, True])
@pytest.mark.parametrize("size", [10, 15])
@pytest.mark.parametrize("width", [180, 240, 292, 340, 500])
def test_a_figure_has_all_its_room_or_none(desk: Desk, is_compact: bool, size: int, width: int) -> None:
    theme.apply(QApplication.instance(), theme.DARK, replace(theme.notifier.fonts, size=size, mono_size=size))  # type: ignore[arg-type]
    try:
        desk.panel.resize(width, 400)
        desk.panel.set_compact(is_compact)
        settle()
        fonts = desk.panel.list.delegate.fonts
        at = desk.panel.list.delegate.layout_of(desk.panel.row_rect("alpha"))
        for place, least in ((at.count, fonts.count(compact=is_compact)), (at.rate, fonts.rate)):
            assert place is None or (place.width() >= least and place.left() > at.state.right())
        taken = [place for place in (at.count, at.rate, at.spark, at.button) if place is not None]
        for one, other in pairwise(taken):
            assert not one.intersects(other) or not is_compact
    finally:
        theme.apply(QApplication.instance(), theme.DARK, theme.Fonts())  # type: ignore[arg-type]


def test_udp_counts_peers(shown: Shown) -> None:
    desk = shown(config("u", protocol="udp"))
    assert desk.give(Listening("127.0.0.1:9007"), "u").traffic == "0 peers · 0 B/s"


def test_the_badge_says_what_is_spoken(shown: Shown) -> None:
    services = [
        config("a"), config("b", 2, protocol="udp"), config("c", 3, protocol="http", responder="inspector"),
        config("d", 4, protocol="http", responder="inspector", tls={}), config("e", 5, protocol="websocket"),
        config("f", 6, protocol="websocket", tls={}), config("g", 7, protocol="ssh", responder="manhole"),
        config("h", 8, responder="relay"), config("i", 9, tls={}),
    ]  # fmt: skip
    desk = shown(*services)
    badges = [desk.row(service.name).badge for service in services]
    assert badges == ["TCP", "UDP", "HTTP", "HTTPS", "WS", "WSS", "SSH", "RELAY", "TCP"]
    assert [service.name for service in services if desk.row(service.name).locked] == ["i"]
    assert desk.tip("i", "lock") == "Connections are encrypted (TLS)"


@pytest.mark.parametrize("is_compact", [False, True])
def test_only_one_that_others_can_reach_is_marked_as_exposed(shown: Shown, is_compact: bool) -> None:
    desk = shown(config("a", host="0.0.0.0"), config("b", host="::", port=1), config("c", host="::1", port=2))
    desk.panel.set_compact(is_compact)
    settle()
    assert [name for name in "abc" if desk.row(name).exposed] == ["a", "b"]
    assert desk.tip("a", "exposed").startswith("Others on the network")


@pytest.mark.parametrize("is_compact", [False, True])
@pytest.mark.parametrize("name", ["n" * 60, "漢" * 60, "a & b", "<b>bold</b>", "שלום"])
def test_any_name_fits_beside_its_marks_and_is_whole_in_the_tip(shown: Shown, name: str, is_compact: bool) -> None:
    desk = shown(config(name, host="fe80:1234:5678:9abc:def0:1234:5678:9abc", tls={}), width=240)
    desk.panel.set_compact(is_compact)
    settle()
    rect, delegate = desk.panel.row_rect(name), desk.panel.list.delegate
    at = delegate.layout_of(rect)
    assert rect.width() <= desk.panel.list.viewport().width()
    places = [at.button, *delegate.marks(desk.row(name), at).values()]
    assert all(rect.contains(place) for place in places)
    assert not any(one.intersects(other) for i, one in enumerate(places) for other in places[:i])
    assert name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") in desk.tip(name)


def test_where_a_name_has_no_room_the_protocol_makes_some(shown: Shown) -> None:
    desk = shown(config("udp-echo", protocol="udp", faults=({"kind": "lose"},)), config("plain", port=1))
    delegate = desk.panel.list.delegate
    marks: dict[int, set[str]] = {}
    for width in (150, 600):
        desk.panel.resize(width, 400)
        settle()
        at = delegate.layout_of(desk.panel.row_rect("udp-echo"))
        marks[width] = set(delegate.marks(desk.row("udp-echo"), at))
    assert marks == {150: {"faults"}, 600: {"faults", "badge"}}
    assert desk.tip("udp-echo", "faults")
    desk.panel.resize(100, 400)
    settle()
    assert delegate.marks(desk.row("plain"), delegate.layout_of(desk.panel.row_rect("plain"))) == {}


@pytest.mark.usefixtures("dark")
@pytest.mark.parametrize("size", [10, 15, 20])
def test_the_compact_view_is_lower_than_the_normal_one_on_the_same_grid(desk: Desk, size: int) -> None:
    theme.apply(QApplication.instance(), theme.DARK, replace(theme.notifier.fonts, size=size, mono_size=size))  # type: ignore[arg-type]
    try:
        heights = []
        for is_compact in (False, True):
            desk.panel.set_compact(is_compact)
            settle()
            heights.append(desk.panel.row_rect("alpha").height())
        assert heights[1] < heights[0]
        assert all(height % 4 == 0 for height in heights)
    finally:
        theme.apply(QApplication.instance(), theme.DARK, theme.Fonts())  # type: ignore[arg-type]


def test_the_button_of_the_view_and_the_setting_agree(desk: Desk, settings: Settings) -> None:
    QTest.mouseClick(desk.panel.compact_button, Qt.LeftButton)
    assert settings.compact_services
    assert desk.panel.compact
    QTest.mouseClick(desk.panel.compact_button, Qt.LeftButton)
    assert not settings.compact_services


def test_without_services_it_says_what_to_click(shown: Shown) -> None:
    desk = shown()
    assert desk.panel.selected == ""
    desk.post.add(config())
    assert desk.panel.selected == "echo"
    desk.press(Qt.Key_Down)


# -- what it does


def test_the_button_and_space_ask_to_start_or_stop(desk: Desk) -> None:
    asked: list[str] = []
    desk.panel.toggled.connect(asked.append)
    desk.click("beta", "button")
    desk.click("gamma")
    desk.press(Qt.Key_Space)
    assert asked == ["beta", "gamma"]


def test_a_press_that_leaves_the_button_starts_nothing(desk: Desk) -> None:
    asked: list[str] = []
    desk.panel.toggled.connect(asked.append)
    view = desk.panel.list.viewport()
    QTest.mousePress(view, Qt.LeftButton, Qt.NoModifier, desk.place("beta", "button"))
    QTest.mouseRelease(view, Qt.LeftButton, Qt.NoModifier, desk.place("gamma", "button"))
    assert asked == []


def test_a_double_click_on_the_button_is_one_wish(desk: Desk) -> None:
    asked: list[str] = []
    edited: list[str] = []
    desk.panel.toggled.connect(asked.append)
    desk.panel.edit_wanted.connect(edited.append)
    desk.double_click("beta", "button")
    assert (asked, edited) == (["beta"], [])


def test_a_click_on_the_button_of_one_that_stops_does_nothing(desk: Desk) -> None:
    wishes: list[str] = []
    desk.panel.toggled.connect(wishes.append)
    desk.panel.edit_wanted.connect(wishes.append)
    desk.give(Stopping())
    desk.double_click("alpha", "button")
    assert wishes == []


def test_a_double_click_or_enter_asks_to_edit(desk: Desk) -> None:
    edited: list[str] = []
    desk.panel.edit_wanted.connect(edited.append)
    desk.double_click("beta")
    desk.click("gamma")
    desk.press(Qt.Key_Return)
    desk.double_click("alpha", "row", Qt.RightButton)
    assert edited == ["beta", "gamma"]


def test_arrows_move_and_stop_at_the_ends(desk: Desk) -> None:
    desk.panel.list.setFocus()
    places = []
    for key in (Qt.Key_Down, Qt.Key_Down, Qt.Key_Down, Qt.Key_Up, Qt.Key_Home, Qt.Key_End):
        desk.press(key)
        places.append(desk.panel.selected)
    assert places == ["beta", "gamma", "gamma", "beta", "alpha", "gamma"]


def test_letters_go_to_the_service_whose_name_begins_so(desk: Desk) -> None:
    desk.panel.list.setFocus()
    desk.press(Qt.Key_G, Qt.Key_A)
    assert desk.panel.selected == "gamma"


def test_tab_stops_once_in_the_list(desk: Desk) -> None:
    desk.panel.search.setFocus()
    stops = []
    for _ in range(3):
        focus = QApplication.focusWidget()
        assert focus is not None
        QTest.keyClick(focus, Qt.Key_Tab)
        stops.append(QApplication.focusWidget())
    assert stops == [desk.panel.compact_button, desk.panel.list, desk.panel.search]


def test_a_context_menu_is_for_the_row_below_the_pointer_or_the_current_one(desk: Desk, qtbot: QtBot) -> None:
    view = desk.panel.list.viewport()
    with qtbot.waitSignal(desk.panel.menu_wanted) as wanted:
        event = QContextMenuEvent(QContextMenuEvent.Mouse, desk.place("gamma"), QPoint(30, 40))
        QApplication.sendEvent(view, event)
    assert wanted.args == [QPoint(30, 40)]
    assert desk.panel.selected == "gamma"
    desk.panel.select("beta")
    with qtbot.waitSignal(desk.panel.menu_wanted) as wanted:
        event = QContextMenuEvent(QContextMenuEvent.Keyboard, view.rect().center(), QPoint(1, 1))
        QApplication.sendEvent(view, event)
    rect = desk.panel.row_rect("beta")
    assert QRect(view.mapToGlobal(rect.topLeft()), rect.size()).contains(wanted.args[0])


def test_the_list_follows_what_is_added_edited_and_removed(desk: Desk) -> None:
    desk.panel.select("beta")
    desk.post.add(config("delta", 9010))
    assert desk.panel.names() == ["alpha", "beta", "gamma", "delta"]
    assert desk.panel.selected == "beta"
    desk.change(desk.post.replace("alpha", config("first", 9999)))
    assert desk.panel.names() == ["first", "beta", "gamma", "delta"]
    assert desk.row("first").address == "127.0.0.1:9999"
    desk.change(desk.post.remove("beta"))
    assert desk.panel.names() == ["first", "gamma", "delta"]
    assert desk.panel.selected == "gamma"
    desk.panel.select("delta")
    desk.change(desk.post.remove("delta"))
    assert desk.panel.selected == "gamma"


def test_one_that_is_added_and_selected_is_scrolled_to(shown: Shown, qtbot: QtBot) -> None:
    desk = shown(*(config(f"many {number}", 9010 + number) for number in range(19)))
    desk.post.add(config("last", 9030))
    desk.panel.select("last")
    qtbot.waitUntil(lambda: desk.panel.list.viewport().rect().contains(desk.panel.row_rect("last")))


def test_the_focus_stays_in_the_list_when_services_change(desk: Desk) -> None:
    desk.panel.list.setFocus()
    desk.post.add(config("delta", 9010))
    settle()
    assert desk.panel.list.hasFocus()


def test_news_of_a_service_that_was_replaced_leave_the_new_row_alone(desk: Desk) -> None:
    old: Service = desk.post.services["alpha"]
    desk.change(desk.post.replace("alpha", config("alpha", 9999)))
    desk.bridge.status_changed.emit(old)
    old._set(Failed("gone"))
    assert desk.row().word == "stopped"


def test_removing_the_last_selects_nothing(shown: Shown) -> None:
    desk = shown(config())
    chosen: list[str] = []
    desk.panel.chosen.connect(chosen.append)
    desk.change(desk.post.remove("echo"))
    assert (desk.panel.selected, chosen[-1]) == ("", "")


# -- what is wrong


def test_the_reason_of_a_failure_stands_in_the_row_and_below_the_list(desk: Desk) -> None:
    row = desk.give(Failed("Port 9007 is in use. Stop it or choose another port."))
    assert (row.bad, row.word) == (True, "failed")
    assert desk.panel.trouble.isVisible()
    assert desk.panel.trouble.words.text() == "Port 9007 is in use. Stop it or choose another port."
    assert "Port 9007 is in use." in desk.tip("alpha")
    desk.panel.select("beta")
    assert not desk.panel.trouble.isVisible()
    desk.panel.select("alpha")
    desk.give(Listening("127.0.0.1:9007"))
    assert not desk.panel.trouble.isVisible()


def test_one_that_is_tried_again_counts_down_while_it_can_be_seen(desk: Desk, qtbot: QtBot) -> None:
    service, clock = desk.post.services["alpha"], desk.post._reactor
    service.config = replace(service.config, restart={"delay_seconds": 5})
    status = service._waiting("Port 9007 is in use.")
    row = desk.give(status)
    assert (row.waits, row.bad, row.word) == (True, False, "again in 5 s")
    assert desk.panel._second.isActive()
    clock.advance(1.5)
    desk.panel._second.timeout.emit()
    assert desk.row().reason == "Starts again in 4 s: Port 9007 is in use."
    assert desk.panel.trouble.words.text() == desk.row().reason
    for button, signal in (
        (desk.panel.trouble.try_now, desk.panel.try_wanted),
        (desk.panel.trouble.give_up, desk.panel.stop_wanted),
        (desk.panel.trouble.edit, desk.panel.address_wanted),
    ):
        with qtbot.waitSignal(signal) as wanted:
            QTest.mouseClick(button, Qt.LeftButton)
        assert wanted.args == ["alpha"]
    desk.panel.hide()
    assert not desk.panel._second.isActive()
    desk.panel.show()
    assert desk.panel._second.isActive()
    service.stop()
    assert not desk.panel._second.isActive()
    assert not desk.panel.trouble.isVisible()


def test_the_words_below_the_list_offer_to_edit(desk: Desk, qtbot: QtBot) -> None:
    desk.give(Failed("Port 9007 is in use."))
    with qtbot.waitSignal(desk.panel.address_wanted) as wanted:
        QTest.mouseClick(desk.panel.trouble.edit, Qt.LeftButton)
    assert wanted.args == ["alpha"]


def test_b5_a_row_offers_to_allow_the_host_that_was_refused(desk: Desk, qtbot: QtBot) -> None:
    service = desk.post.services["alpha"]
    service._on_refused_host("<i>&.example")  # what cannot be allowed is not offered
    assert not desk.panel.trouble.isVisible()
    service._on_refused_host("a.tunnel.example")
    settle()
    trouble = desk.panel.trouble
    assert trouble.allow.text() == "Allow this host: a.tunnel.example"
    allowed: list[tuple[str, str]] = []
    desk.panel.host_allowed.connect(lambda *args: allowed.append(args))
    QTest.mouseClick(trouble.allow, Qt.LeftButton)
    desk.click("alpha", "allow")
    assert allowed == [("alpha", "a.tunnel.example")] * 2


# -- groups


def test_services_without_a_group_come_first_then_each_group_below_its_heading(shown: Shown) -> None:
    desk = shown(*grouped())
    assert desk.rows() == ["two", "[Bench]", "one", "four", "[Shop]", "three"]


def test_a_click_on_a_heading_folds_and_is_remembered(shown: Shown, settings: Settings) -> None:
    desk = shown(*grouped())
    view = desk.panel.list
    heading = view.rect_of(desk.panel._model.heading("Bench")).center()
    QTest.mouseClick(view.viewport(), Qt.LeftButton, Qt.NoModifier, heading)
    assert desk.rows() == ["two", "[Bench]", "[Shop]", "three"]
    assert settings.folded == ["Bench"]
    assert shown(*grouped()).rows() == ["two", "[Bench]", "[Shop]", "three"]


def test_left_goes_to_the_heading_and_folds_and_right_unfolds(shown: Shown) -> None:
    desk = shown(*grouped())
    desk.panel.select("four")
    desk.press(Qt.Key_Left)
    assert desk.panel.selected == ""  # nothing can be removed or started from here by accident
    desk.press(Qt.Key_Left)
    assert desk.rows() == ["two", "[Bench]", "[Shop]", "three"]
    desk.press(Qt.Key_Right)
    assert desk.rows() == ["two", "[Bench]", "one", "four", "[Shop]", "three"]
    desk.press(Qt.Key_Space)
    assert desk.rows() == ["two", "[Bench]", "[Shop]", "three"]


def test_selecting_a_service_unfolds_its_group_and_empties_the_search(shown: Shown) -> None:
    desk = shown(*grouped())
    desk.panel.fold("Bench")
    desk.panel.select("one")
    assert desk.panel.selected == "one"
    desk.panel.search.setText("three")
    desk.panel.select("one")
    assert (desk.panel.selected, desk.panel.search.text()) == ("one", "")


def test_a_folded_heading_counts_what_listens_and_what_failed(shown: Shown) -> None:
    desk = shown(*grouped())
    desk.give(Listening("127.0.0.1:9001"), "one")
    desk.give(Failed("no"), "four")
    heading = desk.panel._model.rows[desk.panel._model.heading("Bench")]
    assert isinstance(heading, Heading)
    assert (heading.up, heading.of, heading.failed) == (1, 2, 1)
    assert heading.spoken == "group Bench, 1 of 2 listening"


# -- search


@pytest.mark.parametrize(
    ("typed", "found"),
    [("fo", ["[Bench]", "four"]), ("9003", ["[Shop]", "three"]), ("bench", ["[Bench]", "one", "four"]),
     ("shop tcp", ["[Shop]", "three"]), ("stopped", ["two", "[Bench]", "one", "four", "[Shop]", "three"]),
     ("nothing", [])],
)  # fmt: skip
def test_the_search_finds_names_ports_protocols_groups_and_states(shown: Shown, typed: str, found: list[str]) -> None:
    desk = shown(*grouped())
    desk.panel.fold("Shop")
    QTest.keyClicks(desk.panel.search, typed)
    assert desk.rows() == found
    QTest.keyClick(desk.panel.search, Qt.Key_Escape)
    assert desk.rows() == ["two", "[Bench]", "one", "four", "[Shop]"]
    assert desk.panel.list.hasFocus()


def test_a_search_for_a_state_follows_the_states(desk: Desk) -> None:
    desk.panel.search.setText("listening")
    assert desk.rows() == []
    desk.post.services["beta"]._set(Listening("127.0.0.1:9008"))
    assert desk.rows() == ["beta"]


def test_enter_in_the_search_goes_to_the_first_that_fits(desk: Desk) -> None:
    desk.panel.start_search()
    QTest.keyClicks(desk.panel.search, "gam")
    QTest.keyClick(desk.panel.search, Qt.Key_Return)
    assert desk.panel.list.hasFocus()
    assert desk.panel.selected == "gamma"


# -- cost


def test_only_rows_that_show_something_else_are_painted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.give(Listening("127.0.0.1:9008"), "beta")
    settle()
    painted: list[int] = []
    paint = desk.panel.list.delegate.paint
    monkeypatch.setattr(
        desk.panel.list.delegate, "paint", lambda p, o, index: painted.append(index.row()) or paint(p, o, index)
    )
    desk.bridge.measured.emit()
    settle()
    assert painted == []
    desk.bridge.of(desk.post.services["beta"]).rate = 5_000
    desk.bridge.measured.emit()
    settle()
    assert set(painted) == {1}


def test_arranging_three_thousand_rows_takes_no_time_worth_mentioning(shown: Shown) -> None:
    desk = shown(config("a"))
    row = desk.row("a")
    rows = [replace(row, name=f"s{i}", group=f"g{i % 30}") for i in range(3_000)]
    assert len(arranged(rows, (), "")) == 3_030
