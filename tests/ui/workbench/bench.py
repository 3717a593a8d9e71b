"""A window on running services, and the page of one of them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from PyQt5.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt5.QtGui import QMouseEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot
from twisted.internet import reactor, threads
from twisted.internet.defer import Deferred

from app.post import Post
from app.services.config import ServiceConfig
from app.status import Listening
from app.workspace.reading import Workspace
from tests.ui.conftest import Open
from tests.ui.desk import config, settle
from ui.window.main_window import MainWindow
from ui.workbench.page.service_page import ServicePage
from ui.workbench.rule_form.fields import FieldRow
from ui.workbench.rules.section import RulesSection

USERS = {"method": "GET", "path": "/users/{id}", "template": True, "body": '{"id": {{path.id}}}'}
FLAKY = {"path": "/flaky", "status": 503, "body": "no"}
REST = {"status": 404, "body": "nothing"}


def shop(*rules: dict[str, Any], port: int = 0, **more: Any) -> ServiceConfig:
    """A mock with these rules."""
    options = {"rules": list(rules or (USERS, FLAKY, REST))}
    return config("shop", port, protocol="http", responder="mock", options=options, **more)


def line_script(*rules: dict[str, Any]) -> ServiceConfig:
    """A script on lines of TCP."""
    options = {"framing": "delimiter", "rules": list(rules)}
    return config("lines", 0, responder="script", options=options)


class Bench:
    """The window, its Post, and the page of the service ``name``."""

    def __init__(self, window: MainWindow, post: Post, name: str, qtbot: QtBot) -> None:
        self.window, self.post, self.name, self.qtbot = window, post, name, qtbot
        page = window.workbench.open(name)
        assert page is not None
        self.page: ServicePage = page
        settle()

    @property
    def rules(self) -> RulesSection:
        assert self.page.rules is not None
        return self.page.rules

    @property
    def config(self) -> ServiceConfig:
        return self.post.services[self.page.service].config

    def tables(self) -> list[dict[str, Any]]:
        """The rules that the running service has."""
        return [dict(rule) for rule in self.config.options.get("rules", ())]

    def start(self) -> None:
        """Start the service and wait until it listens."""
        self.window.service_actions.toggle(self.page.service)
        self.qtbot.waitUntil(lambda: isinstance(self.post.services[self.page.service].status, Listening))

    def ask(self, raw: bytes) -> bytes:
        """What the service answers to ``raw``, to the end of the connection or of a line."""
        status = self.post.services[self.page.service].status
        assert isinstance(status, Listening)
        port = int(status.host.rpartition(":")[2])
        found: list[bytes] = []
        threads.deferToThread(_ask, port, raw).addCallback(found.append)
        self.qtbot.waitUntil(lambda: bool(found))
        return found[0]

    def get(self, path: str, method: str = "GET") -> tuple[int, str]:
        """Status and body of an answer of HTTP."""
        raw = self.ask(f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        head, _, body = raw.partition(b"\r\n\r\n")
        return int(head.split()[1]), body.decode()

    def editor(self, name: str) -> Any:
        """The editor of an option of the current rule."""
        for group in self.rules.form.groups:
            row = group.row_of(name)
            if isinstance(row, FieldRow):
                return row.editors[name]
        raise KeyError(name)

    def type_into(self, widget: QWidget, text: str) -> None:
        """Replace what is in a field, by keys."""
        widget.setFocus()
        QTest.keyClick(widget, Qt.Key_A, Qt.ControlModifier)
        QTest.keyClicks(widget, text)

    def until_rules(self, wanted: Any) -> None:
        """Wait until ``wanted(rules)`` holds for the rules of the service."""
        self.qtbot.waitUntil(lambda: bool(wanted(self.tables())))

    def row_point(self, at: int, x: int = 120) -> QPoint:
        """A point in a row of the list."""
        rect = self.rules.view.visualRect(self.rules.rules.index(at))
        return QPoint(x, rect.center().y())

    def titles(self) -> list[str]:
        model = self.rules.rules
        return [row.asks for at in range(model.rowCount()) if (row := model.row(at)) is not None]


def drag_over(widget: QWidget, point: QPoint) -> None:
    """Move the pointer to a point of the widget with the left button held. QTest's own has no button."""
    where = QPointF(widget.mapToGlobal(point))
    event = QMouseEvent(QEvent.MouseMove, QPointF(point), where, Qt.NoButton, Qt.LeftButton, Qt.NoModifier)
    QApplication.sendEvent(widget, event)


def _ask(port: int, raw: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 20) as client:
        client.sendall(raw)
        data = b""
        while not (data.endswith(b"\n") and not raw.startswith((b"GET", b"POST"))):
            part = client.recv(65_536)
            if not part:
                break
            data += part
        return data


@contextmanager
def bench(open_window: Open, qtbot: QtBot, *configs: ServiceConfig, name: str = "") -> Iterator[Bench]:
    """A window on a Post with real sockets. All services are stopped at the end."""
    post = Post(reactor, Workspace(configs))
    window = open_window(post=post)
    try:
        yield Bench(window, post, name or configs[0].name, qtbot)
    finally:
        over: list[object] = []
        Deferred.fromCoroutine(post.shut_down()).addCallback(over.append)
        qtbot.waitUntil(lambda: bool(over) and not post.recorder._timer)
