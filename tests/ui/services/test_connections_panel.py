"""The live connections of the selected service."""

from __future__ import annotations

from time import process_time

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtGui import QContextMenuEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.services.service import Service
from app.status import Listening
from tests.ui.desk import Peer, config, memory_post, settle
from ui.looks import theme
from ui.services import connections_panel
from ui.services.connections_panel import MAX_SHOWN, ConnectionsPanel, _figures


@pytest.fixture
def service() -> Service:
    return memory_post(config())[0].services["echo"]


@pytest.fixture
def panel(service: Service, qtbot: QtBot) -> ConnectionsPanel:
    made = ConnectionsPanel()
    qtbot.addWidget(made)
    made.resize(280, 200)
    with qtbot.waitActive(made):
        made.show()
    made.set_service(service)
    return made


def join(panel: ConnectionsPanel, service: Service, *numbers: int) -> list[Peer]:
    peers = [Peer(number) for number in numbers]
    service.connections.update({peer.number: peer for peer in peers})
    panel.refresh()
    return peers


def shown(panel: ConnectionsPanel, role: int = Qt.DisplayRole) -> list[str]:
    model = panel.model()
    return [model.index(i, 0).data(role) for i in range(model.rowCount())]


def choose(panel: ConnectionsPanel, row: int) -> None:
    panel.setCurrentIndex(panel.model().index(row, 0))


def test_live_connections_appear_and_go(panel: ConnectionsPanel, service: Service) -> None:
    join(panel, service, 7, 8)
    assert shown(panel) == ["#7 127.0.0.1:50007", "#8 127.0.0.1:50008"]
    del service.connections[7]
    panel.refresh()
    assert shown(panel) == ["#8 127.0.0.1:50008"]
    panel.set_service(None)
    assert shown(panel) == []


def test_the_selected_connection_stays_selected_while_others_come_and_go(
    panel: ConnectionsPanel, service: Service
) -> None:
    join(panel, service, 1, 2, 3)
    choose(panel, 1)
    del service.connections[1]
    join(panel, service, 4, 5)
    current = panel.current()
    assert current is not None
    assert current.number == 2


def test_a_connection_that_ended_is_no_longer_selected(panel: ConnectionsPanel, service: Service, qtbot: QtBot) -> None:
    join(panel, service, 1)
    choose(panel, 0)
    del service.connections[1]
    assert panel.current() is None
    with qtbot.waitSignal(panel.current_changed, check_params_cb=lambda there: there is False):
        panel.refresh()


def test_a_place_in_the_list_stays_while_others_come(panel: ConnectionsPanel, service: Service) -> None:
    join(panel, service, *range(1, 301))
    settle()
    bar = panel.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    place = bar.value()
    join(panel, service, *range(301, 311))
    settle()
    assert bar.value() == place


def test_enter_or_a_double_click_asks_to_send_and_delete_to_disconnect(
    panel: ConnectionsPanel, service: Service
) -> None:
    [peer] = join(panel, service, 1)
    wanted: list[tuple[str, object]] = []
    panel.send_wanted.connect(lambda connection: wanted.append(("send", connection)))
    panel.disconnect_wanted.connect(lambda connection: wanted.append(("disconnect", connection)))
    QTest.keyClick(panel, Qt.Key_Delete)
    assert wanted == []
    choose(panel, 0)
    QTest.keyClick(panel, Qt.Key_Return)
    QTest.keyClick(panel, Qt.Key_Delete)
    at = panel.visualRect(panel.model().index(0, 0)).center()
    QTest.mouseClick(panel.viewport(), Qt.LeftButton, Qt.NoModifier, at)
    QTest.mouseDClick(panel.viewport(), Qt.LeftButton, Qt.NoModifier, at)
    assert wanted == [("send", peer), ("disconnect", peer), ("send", peer)]


def ask_for_menu(panel: ConnectionsPanel, at: QPoint, reason: QContextMenuEvent.Reason) -> None:
    event = QContextMenuEvent(reason, at, panel.viewport().mapToGlobal(at))
    QApplication.sendEvent(panel.viewport(), event)


def test_the_menu_is_for_a_connection_only(panel: ConnectionsPanel, service: Service) -> None:
    wanted: list[QPoint] = []
    panel.menu_wanted.connect(wanted.append)
    join(panel, service, 1)
    ask_for_menu(panel, QPoint(10, 190), QContextMenuEvent.Mouse)
    assert wanted == []
    ask_for_menu(panel, QPoint(10, 10), QContextMenuEvent.Mouse)
    assert wanted == [panel.viewport().mapToGlobal(QPoint(10, 10))]


def test_the_menu_key_opens_it_at_the_selected_connection(panel: ConnectionsPanel, service: Service) -> None:
    wanted: list[QPoint] = []
    panel.menu_wanted.connect(wanted.append)
    join(panel, service, 1, 2)
    ask_for_menu(panel, panel.viewport().rect().center(), QContextMenuEvent.Keyboard)
    assert wanted == []
    choose(panel, 1)
    ask_for_menu(panel, panel.viewport().rect().center(), QContextMenuEvent.Keyboard)
    rect = panel.visualRect(panel.model().index(1, 0))
    assert rect.contains(panel.viewport().mapFromGlobal(wanted[0]))


def test_figures_are_bytes_each_way_and_how_long_it_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    peer = Peer(1)
    peer.received, peer.sent = 4_100, 64
    monkeypatch.setattr(connections_panel, "time_ns", lambda: peer.opened + 125 * 10**9)
    assert _figures(peer) == "← 4.1 kB  → 64 B  02:05"
    monkeypatch.setattr(connections_panel, "time_ns", lambda: peer.opened + 3_725 * 10**9)
    assert _figures(peer).endswith("1:02:05")


def test_ten_thousand_connections_at_once_show_the_newest_and_cost_little(
    panel: ConnectionsPanel, service: Service
) -> None:
    join(panel, service, *range(1, 10_001))
    assert len(shown(panel)) == MAX_SHOWN
    assert shown(panel)[-1].startswith("#10000 ")
    started = process_time()
    for _ in range(20):
        panel.refresh()
    assert process_time() - started < 2


def test_a_peer_is_whole_in_the_tip_with_what_can_be_done(panel: ConnectionsPanel, service: Service) -> None:
    peer = "[2001:db8:1234:5678:9abc:def0:1234:5678]:65535"
    service.connections[1] = Peer(1, peer)
    panel.refresh()
    [tip] = shown(panel, Qt.ToolTipRole)
    assert peer in tip
    assert "Enter" in tip
    panel.grab()


def test_the_time_goes_on_only_while_there_is_a_connection(panel: ConnectionsPanel, service: Service) -> None:
    assert not panel._second_timer.isActive()
    join(panel, service, 1)
    assert panel._second_timer.isActive()
    service.connections.clear()
    panel.refresh()
    assert not panel._second_timer.isActive()


def test_an_empty_list_says_so(panel: ConnectionsPanel, service: Service) -> None:
    def ink() -> set[str]:
        image = panel.viewport().grab().toImage()
        return {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}

    service.status = Listening("127.0.0.1:9007")
    assert theme.DARK.dim in ink()
    join(panel, service, 1)
    settle()
    assert theme.DARK.text in ink()


def test_selected_and_not_it_is_painted_in_light_and_dark(panel: ConnectionsPanel, service: Service) -> None:
    join(panel, service, 1, 2)
    choose(panel, 0)
    image = panel.viewport().grab().toImage()
    assert image.pixelColor(4, 4).name() == theme.DARK.selection


def test_a_connection_that_ends_between_news_is_painted_as_nothing(panel: ConnectionsPanel, service: Service) -> None:
    join(panel, service, 1, 2)
    service.connections.clear()
    panel.grab()
    assert shown(panel) == [None, None]
