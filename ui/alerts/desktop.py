"""Shows what alerts tell: as a notification of the desktop, by an icon of its tray, or in the window."""

from __future__ import annotations

import os
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

from PyQt5.QtCore import QMetaType, QObject, QTimer
from PyQt5.QtWidgets import QSystemTrayIcon
from twisted.internet.defer import Deferred

from app.alerts.told import Told
from ui.looks.icons import app_icon

if TYPE_CHECKING:
    from PyQt5.QtDBus import QDBusConnection, QDBusPendingCallWatcher

SERVICE, PATH = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"

PATIENCE = 5_000
"""Milliseconds in which the desktop must answer."""

SHOWN = 10_000
"""Milliseconds for which the icon in the tray is there."""

LONGEST = 300
"""Characters of the text."""


class Desktop(QObject):
    """Tells the user. A later word of an alert takes the place of its earlier one."""

    def __init__(self, say: Callable[[str], object], parent: QObject, bus: QDBusConnection | None = None) -> None:
        """``say`` shows a line in the window. ``bus`` is the session's, if it is not to be found."""
        super().__init__(parent)
        self._say, self._bus = say, bus
        self._numbers: dict[str, int] = {}
        self._watching: set[Any] = set()
        self._tray: QSystemTrayIcon | None = None

    async def show(self, told: Told) -> str:
        """Show it, and return where."""
        if (problem := await self._notified(told)) is None:
            return self.tr("shown by the desktop")
        if QSystemTrayIcon.isSystemTrayAvailable():
            self._in_tray(told)
            return self.tr("shown in the tray ({reason})").format(reason=problem)
        self._say(f"{told.title}. {told.text}")
        return self.tr("shown in the window ({reason})").format(reason=problem)

    # -- the desktop: https://specifications.freedesktop.org/notification-spec/latest/

    async def _notified(self, told: Told) -> str | None:
        """Have the desktop show it. Returns why not, or None."""
        bus = self._bus or _session()
        if bus is None or not bus.isConnected():
            return self.tr("there is no desktop on the session bus")
        from PyQt5.QtDBus import QDBusArgument, QDBusMessage, QDBusPendingCallWatcher, QDBusPendingReply

        number, actions = QDBusArgument(), QDBusArgument()
        number.add(self._numbers.get(told.alert, 0), QMetaType.UInt)
        actions.add([], QMetaType.QStringList)
        call = QDBusMessage.createMethodCall(SERVICE, PATH, SERVICE, "Notify")
        text = escape(told.text[:LONGEST], quote=False)  # a desktop may take it for markup
        call.setArguments(
            ["Listening Post", number, "listening-post", told.title[:LONGEST], text, actions, {}, -1]
        )  # fmt: skip
        done: Deferred[QDBusPendingCallWatcher] = Deferred()
        watcher = QDBusPendingCallWatcher(bus.asyncCall(call, PATIENCE), self)
        self._watching.add(watcher)
        watcher.finished.connect(done.callback)
        reply = QDBusPendingReply(await done)
        self._watching.discard(watcher)
        watcher.deleteLater()
        if reply.isError():
            return reply.error().message()[:100] or self.tr("the desktop does not show notifications")
        self._numbers[told.alert] = int(reply.argumentAt(0))
        return None

    def _in_tray(self, told: Told) -> None:
        if self._tray is None:
            self._tray = QSystemTrayIcon(app_icon(), self)
        tray = self._tray
        tray.show()
        tray.showMessage(told.title[:LONGEST], told.text[:LONGEST], QSystemTrayIcon.Warning, SHOWN)
        QTimer.singleShot(SHOWN, tray.hide)


def _session() -> QDBusConnection | None:
    """The bus of the session, if there is one: to look for it would start one."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if not (os.environ.get("DBUS_SESSION_BUS_ADDRESS") or (runtime and os.path.exists(f"{runtime}/bus"))):
        return None
    try:
        from PyQt5.QtDBus import QDBusConnection
    except ImportError:
        return None
    return QDBusConnection.sessionBus()
