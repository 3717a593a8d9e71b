"""Notifications: on a real bus, and where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import pytest_twisted
from PyQt5.QtCore import QObject
from PyQt5.QtDBus import QDBusConnection
from PyQt5.QtWidgets import QSystemTrayIcon

from app.alerts.told import Told
from tests.ui.alerts.bus import bus, notifications
from ui.alerts.desktop import Desktop

ensure = pytest_twisted.ensureDeferred

TOLD = Told("errors", "raised", "failure", 12, 60, 1, {"service": "<b>rest</b>", "kind": "failure", "summary": "a & b"})


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with bus() as found:
        yield found


@pytest.fixture
def connection(address: str, request: pytest.FixtureRequest) -> Iterator[QDBusConnection]:
    name = request.node.name
    yield QDBusConnection.connectToBus(address, name)
    QDBusConnection.disconnectFromBus(name)


@pytest.fixture
def owner() -> Iterator[QObject]:
    owner = QObject()
    yield owner
    owner.deleteLater()


@ensure
async def test_the_desktop_shows_it_as_plain_text(address: str, connection: QDBusConnection, owner: QObject) -> None:
    said: list[str] = []
    with notifications(address) as found:
        assert await Desktop(said.append, owner, connection).show(TOLD) == "shown by the desktop"
    [(program, number, _, title, text, actions, hints, _)] = found.notes
    assert (program, number, actions, hints) == ("Listening Post", 0, [], {})
    assert title == "errors: 12 events in 60 s"
    assert text == "&lt;b&gt;rest&lt;/b&gt; failure a &amp; b"
    assert said == []


@ensure
async def test_a_later_word_takes_the_place_of_the_earlier(
    address: str, connection: QDBusConnection, owner: QObject
) -> None:
    desktop = Desktop(lambda _: None, owner, connection)
    with notifications(address) as found:
        for told in (TOLD, replace(TOLD, alert="other"), replace(TOLD, state="resolved")):
            await desktop.show(told)
    assert [note[1] for note in found.notes] == [0, 0, 1]


@pytest.mark.qt_log_ignore("systemTrayWindowChanged", extend=True)
@pytest.mark.parametrize("tray", [True, False])
@ensure
async def test_without_a_desktop_the_tray_or_the_window_shows_it(
    owner: QObject, monkeypatch: pytest.MonkeyPatch, tray: bool
) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nowhere")
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: tray)
    shown: list[str] = []
    monkeypatch.setattr(QSystemTrayIcon, "showMessage", lambda self, title, *more: shown.append(title))
    said: list[str] = []
    where = await Desktop(said.append, owner).show(TOLD)
    assert where == f"shown in the {'tray' if tray else 'window'} (there is no desktop on the session bus)"
    assert (shown, bool(said)) == (([TOLD.title], False) if tray else ([], True))


@ensure
async def test_a_bus_without_notifications_is_told(address: str, connection: QDBusConnection, owner: QObject) -> None:
    said: list[str] = []
    assert "shown in the window (" in await Desktop(said.append, owner, connection).show(TOLD)
    assert len(said) == 1
    with notifications(address) as found:
        found.refuse = "not now"
        assert "(not now)" in await Desktop(said.append, owner, connection).show(TOLD)
