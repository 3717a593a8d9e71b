"""The services panel and its cards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PyQt5.QtCore import QEvent, QPoint, Qt
from PyQt5.QtGui import QContextMenuEvent, QMouseEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot
from twisted.internet.defer import Deferred

from app.post import Post
from app.services.config import ServiceConfig
from app.services.service import Service
from app.status import Failed, Listening, Starting, Status, Stopped, Stopping
from tests.ui.desk import Peer, config, memory_post, settle
from ui.bridge import Bridge
from ui.services.panel import Badge, ServiceCard, ServicesPanel

pytestmark = pytest.mark.usefixtures("dark")


class Desk:
    def __init__(self, post: Post, panel: ServicesPanel) -> None:
        self.post, self.panel = post, panel

    def card(self, name: str = "alpha") -> ServiceCard:
        return self.panel.cards[name]

    def give(self, status: Status, name: str = "alpha") -> ServiceCard:
        self.post.services[name]._set(status)
        return self.card(name)

    def change(self, work: object) -> None:
        Deferred.fromCoroutine(work)  # type: ignore[arg-type]
        settle()


def shown(qtbot: QtBot, *configs: ServiceConfig) -> Desk:
    post, _ = memory_post(*configs)
    bridge = Bridge(post)
    panel = ServicesPanel(post, bridge)
    bridge.setParent(panel)
    qtbot.addWidget(panel)
    panel.resize(292, 400)
    with qtbot.waitActive(panel):
        panel.show()
    return Desk(post, panel)


@pytest.fixture
def desk(qtbot: QtBot) -> Iterator[Desk]:
    made = shown(qtbot, config("alpha"), config("beta", 9008), config("gamma", 9009))
    yield made
    made.panel._bridge.close()


def words(card: ServiceCard) -> list[str]:
    return [label.text() for label in card.findChildren(QLabel)]


def double_click(widget: object, button: Qt.MouseButton = Qt.LeftButton) -> None:
    """Double-click as a platform does: press, release, double click, release."""
    QTest.mouseClick(widget, button)  # type: ignore[call-overload]
    at = widget.rect().center()  # type: ignore[attr-defined]
    for kind, held in ((QEvent.MouseButtonDblClick, button), (QEvent.MouseButtonRelease, Qt.NoButton)):
        QApplication.sendEvent(widget, QMouseEvent(kind, at, button, held, Qt.NoModifier))  # type: ignore[call-overload]


# -- what a card says


def test_there_is_a_card_for_each_service_in_their_order(desk: Desk) -> None:
    assert list(desk.panel.cards) == ["alpha", "beta", "gamma"]
    assert [card.y() for card in desk.panel.cards.values()] == sorted(card.y() for card in desk.panel.cards.values())
    assert words(desk.card())[:2] == ["alpha", "127.0.0.1:9007"]


@pytest.mark.parametrize(
    ("status", "lamp", "said", "tip"),
    [
        (Stopped(), "stopped", "stopped", "Start (Space)"),
        (Starting(), "starting", "starting…", "Stop (Space)"),
        (Listening("127.0.0.1:40123"), "listening", "0 connections · 0 B/s", "Stop (Space)"),
        (Stopping(), "stopping", "stopping…", "Start (Space)"),
        (Failed("Port 9007 is in use by nc (pid 7)."), "failed", "Port 9007 is in use by nc (pid 7).", "Start (Space)"),
    ],
)
def test_lamp_words_and_button_follow_the_status(desk: Desk, status: Status, lamp: str, said: str, tip: str) -> None:
    card = desk.give(status)
    assert card._lamp._state == lamp
    assert card._state.text() == said
    assert card.button.toolTip() == tip
    assert card.button.isEnabled() == (not isinstance(status, Stopping))
    assert card.accessibleName().startswith("alpha, 127.0.0.1:")
    assert card.accessibleName().endswith(said)
    assert card.button.accessibleName() == f"{tip.split()[0]} alpha"


def test_while_it_listens_the_address_is_the_one_really_bound(desk: Desk) -> None:
    assert desk.give(Listening("127.0.0.1:40123"))._address.text() == "127.0.0.1:40123"
    assert desk.give(Stopped())._address.text() == "127.0.0.1:9007"


def test_a_failure_is_in_the_cards_words_and_colour_and_goes_with_the_next_start(desk: Desk) -> None:
    card = desk.give(Failed("Port 9007 is in use. Stop it or choose another port."))
    assert card._state.property("role") == "error"
    assert not card._spark.isVisible()
    desk.give(Listening("127.0.0.1:9007"))
    assert card._state.property("role") == "dim"


def test_connections_and_rate_are_counted(desk: Desk) -> None:
    desk.give(Listening("127.0.0.1:9007"))
    service = desk.post.services["alpha"]
    service.connections[1] = Peer(1)
    desk.panel._bridge.of(service).rate = 12_300
    desk.panel._bridge.measured.emit()
    assert desk.card()._state.text() == "1 connection · 12.3 kB/s"
    service.connections.update({i: Peer(i) for i in range(2, 10_001)})
    desk.panel._bridge.measured.emit()
    assert desk.card()._state.text() == "10,000 connections · 12.3 kB/s"


def test_udp_counts_peers(qtbot: QtBot) -> None:
    desk = shown(qtbot, config("u", protocol="udp"))
    assert desk.give(Listening("127.0.0.1:9007"), "u")._state.text() == "0 peers · 0 B/s"
    desk.panel._bridge.close()


def test_only_one_that_others_can_reach_is_marked_as_exposed(qtbot: QtBot) -> None:
    desk = shown(qtbot, config("a", host="0.0.0.0"), config("b", host="::", port=1), config("c", host="::1", port=2))
    marked = {name: [b._text for b in card.findChildren(Badge)] for name, card in desk.panel.cards.items()}
    assert marked == {"a": ["TCP", "EXPOSED"], "b": ["TCP", "EXPOSED"], "c": ["TCP"]}
    assert [b.toolTip() for b in desk.card("a").findChildren(Badge)][1].startswith("Others on the network")
    desk.panel._bridge.close()


@pytest.mark.parametrize("name", ["n" * 60, "漢" * 60, "a & b", "<b>bold</b>", "שלום"])
def test_any_name_fits_and_leaves_the_button_in_view(qtbot: QtBot, name: str) -> None:
    desk = shown(qtbot, config(name, host="fe80:1234:5678:9abc:def0:1234:5678:9abc"))
    settle()
    card = desk.card(name)
    assert card.width() <= desk.panel.viewport().width()
    assert card.rect().contains(card.button.geometry())
    for badge in card.findChildren(Badge):
        assert not badge.geometry().intersects(card._address.geometry())
    assert card._name.text() == name
    assert card._name.textFormat() == card._address.textFormat() == Qt.PlainText
    desk.panel._bridge.close()


def test_a_name_that_is_cut_is_whole_in_the_tip(qtbot: QtBot) -> None:
    desk = shown(qtbot, config("<b>" + "n" * 57), config("short", 9008))
    settle()
    assert desk.card("<b>" + "n" * 57)._name.toolTip() == f"<span>&lt;b&gt;{'n' * 57}</span>"
    assert desk.card("short")._name.toolTip() == ""
    desk.panel._bridge.close()


def test_without_services_it_says_what_to_click(qtbot: QtBot) -> None:
    desk = shown(qtbot)
    assert desk.panel._empty.isVisible()
    assert "New service" in desk.panel._empty.text()
    desk.post.add(config())
    assert not desk.panel._empty.isVisible()
    desk.panel._bridge.close()


# -- what it does


def test_the_button_and_space_ask_to_start_or_stop(desk: Desk) -> None:
    asked: list[str] = []
    desk.panel.toggled.connect(asked.append)
    QTest.mouseClick(desk.card("beta").button, Qt.LeftButton)
    QTest.keyClick(desk.card("gamma"), Qt.Key_Space)
    assert asked == ["beta", "gamma"]


def test_a_double_click_on_the_button_is_one_wish(desk: Desk) -> None:
    asked: list[str] = []
    edited: list[str] = []
    desk.panel.toggled.connect(asked.append)
    desk.panel.edit_wanted.connect(edited.append)
    double_click(desk.card("beta").button)
    assert (asked, edited) == (["beta"], [])


def test_a_double_click_where_the_button_rests_does_not_open_the_dialog(desk: Desk) -> None:
    edited: list[str] = []
    desk.panel.edit_wanted.connect(edited.append)
    card = desk.give(Stopping())
    at = card.button.geometry().center()
    press = QMouseEvent(QEvent.MouseButtonDblClick, at, Qt.LeftButton, Qt.LeftButton, Qt.NoModifier)
    QApplication.sendEvent(card, press)
    assert edited == []


def test_a_double_click_or_enter_asks_to_edit(desk: Desk) -> None:
    edited: list[str] = []
    desk.panel.edit_wanted.connect(edited.append)
    double_click(desk.card("beta"))
    QTest.keyClick(desk.card("gamma"), Qt.Key_Return)
    double_click(desk.card("alpha"), Qt.RightButton)
    assert edited == ["beta", "gamma"]


def test_up_and_down_move_and_stop_at_the_ends(desk: Desk) -> None:
    desk.card("alpha").setFocus()
    places = []
    for key in (Qt.Key_Down, Qt.Key_Down, Qt.Key_Down, Qt.Key_Up, Qt.Key_Up, Qt.Key_Up):
        QTest.keyClick(desk.card(desk.panel.selected), key)
        places.append(desk.panel.selected)
    assert places == ["beta", "gamma", "gamma", "beta", "alpha", "alpha"]
    assert desk.card("alpha").hasFocus()


def test_a_card_that_takes_the_focus_is_the_selected_one(desk: Desk) -> None:
    chosen: list[str] = []
    desk.panel.chosen.connect(chosen.append)
    desk.card("beta").setFocus(Qt.TabFocusReason)
    assert desk.panel.selected == "beta"
    QTest.mouseClick(desk.card("gamma"), Qt.LeftButton)
    assert desk.panel.selected == "gamma"
    assert [card.property("chosen") for card in desk.panel.cards.values()] == [False, False, True]
    assert chosen[0] == "beta"
    assert chosen[-1] == "gamma"


def test_a_context_menu_is_for_the_card_below_the_pointer(desk: Desk, qtbot: QtBot) -> None:
    with qtbot.waitSignal(desk.panel.menu_wanted) as wanted:
        event = QContextMenuEvent(QContextMenuEvent.Mouse, QPoint(3, 4), QPoint(30, 40))
        QApplication.sendEvent(desk.card("gamma"), event)
    assert wanted.args == [QPoint(30, 40)]
    assert desk.panel.selected == "gamma"


def test_the_list_follows_what_is_added_edited_and_removed(desk: Desk) -> None:
    desk.panel.select("beta")
    desk.post.add(config("delta", 9010))
    assert list(desk.panel.cards) == ["alpha", "beta", "gamma", "delta"]
    assert desk.panel.selected == "beta"
    desk.change(desk.post.replace("alpha", config("first", 9999)))
    assert list(desk.panel.cards) == ["first", "beta", "gamma", "delta"]
    assert desk.card("first")._address.text() == "127.0.0.1:9999"
    desk.change(desk.post.remove("beta"))
    assert list(desk.panel.cards) == ["first", "gamma", "delta"]
    assert desk.panel.selected == "gamma"
    desk.panel.select("delta")
    desk.change(desk.post.remove("delta"))
    assert desk.panel.selected == "gamma"


def test_one_that_is_added_and_selected_is_scrolled_to(qtbot: QtBot) -> None:
    desk = shown(qtbot, *(config(f"many {number}", 9010 + number) for number in range(9)))
    desk.post.add(config("last", 9030))
    desk.panel.select("last")
    view, at = desk.panel.viewport(), desk.panel.widget().pos
    qtbot.waitUntil(lambda: view.rect().contains(desk.card("last").geometry().translated(at())))
    desk.panel._bridge.close()


def test_the_focus_stays_in_the_list_when_it_is_made_anew(desk: Desk) -> None:
    desk.card("beta").setFocus()
    desk.post.add(config("delta", 9010))
    settle()
    assert desk.card("beta").hasFocus()


def test_news_of_a_service_that_was_replaced_leave_the_new_card_alone(desk: Desk) -> None:
    old: Service = desk.post.services["alpha"]
    desk.change(desk.post.replace("alpha", config("alpha", 9999)))
    desk.panel._bridge.status_changed.emit(old)
    old._set(Failed("gone"))
    assert desk.card()._state.text() == "stopped"


def test_removing_the_last_selects_nothing(qtbot: QtBot) -> None:
    desk = shown(qtbot, config())
    chosen: list[str] = []
    desk.panel.chosen.connect(chosen.append)
    desk.change(desk.post.remove("echo"))
    assert (desk.panel.selected, chosen[-1]) == ("", "")
    QTest.keyClick(desk.panel, Qt.Key_Down)
    desk.panel._bridge.close()


def test_b5_a_card_offers_to_allow_the_host_that_was_refused(desk: Desk, qtbot: QtBot) -> None:
    service = desk.post.services["alpha"]
    assert desk.card().allow.isHidden()
    service._on_refused_host("<i>&.example")  # what cannot be allowed is not offered
    assert desk.card().allow.isHidden()
    service._on_refused_host("a.tunnel.example")
    settle()
    assert desk.card().allow.text() == "Allow this host: a.tunnel.example"
    with qtbot.waitSignal(desk.panel.host_allowed) as allowed:
        desk.card().allow.click()
    assert allowed.args == ["alpha", "a.tunnel.example"]
