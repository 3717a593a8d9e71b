"""The dock of outposts: rows, what they show, what is done there, and the forms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QDialogButtonBox, QMainWindow
from pytestqt.qtbot import QtBot
from twisted.internet.defer import Deferred, fail, succeed

from app.outposts import protocol as p
from app.outposts.carrier import Carrier, Closed, Connected, Connecting, Lost
from app.outposts.console import Console
from app.outposts.errors import RefusedError
from app.workspace.outposts import OutpostConfig
from tests.ui.desk import config, memory_post, settle
from ui.edits import Edits
from ui.outposts import words
from ui.outposts.commands import OutpostCommands
from ui.outposts.connections import ConnectionsDialog

pytestmark = pytest.mark.usefixtures("dark")

ECHO = p.Service(
    "echo", "tcp", "echo", "listening", "10.0.0.7:9007", 2, 5, 10, 10, (p.Fault("late", "delay", "received", False, 0),)
)


class Pi(Carrier):
    """A way to an outpost that keeps what it is asked."""

    def __init__(self, allow: p.Allow = "control") -> None:
        super().__init__("pi@bench-3")
        self.asked: list[p.Request] = []
        self.allow, self.refusal = allow, ""
        self.connections: tuple[p.Connection, ...] = (
            p.Connection(7, "echo", "10.0.0.9:4\x1b", "10.0.0.7:9007", 0, 5, 6),
        )

    def open(self) -> None:
        self.become(Connected())

    def close(self) -> Deferred[None]:
        self.become(Closed())
        return succeed(None)

    def now(self) -> None:
        self.become(Connecting())

    def ask(self, request: p.Request) -> Deferred[Any]:
        if isinstance(request, p.Hello):
            return succeed(p.Outpost(1, "pi", "Listening Post", self.allow, "", 1, 0, 0))
        if isinstance(request, p.Status):
            return succeed(p.Services((ECHO,)))
        if isinstance(request, p.Read):
            return Deferred()
        self.asked.append(request)
        if self.refusal:
            return fail(RefusedError(reason=self.refusal))
        if isinstance(request, p.Connections):
            return succeed(p.OpenConnections(self.connections, 3))
        return succeed(p.Done("done"))


class Small(QMainWindow):
    """A window with the dock alone, on a Post whose services listen in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.post, _ = memory_post(config("echo", 9001))
        self.edits = Edits(self.post, self)
        self.shown: list[str] = []
        self.said: list[str] = []
        self.outposts = OutpostCommands(self.post, self.edits, self, self.said.append, self.shown.append)

    def follow(self, carrier: Carrier, name: str = "pi") -> None:
        """Show an outpost that is reached so."""
        console = Console(self.post.sender.reactor, self.post, "desk")
        self.outposts.console = console
        console.add(name, carrier).open(None, [])  # type: ignore[arg-type]
        self.outposts._refresh()


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[Small]:
    window = Small()
    qtbot.addWidget(window)
    window.resize(1200, 600)
    window.show()
    window.outposts.outposts()
    yield window
    window.outposts._closed = True


def rows(window: Small) -> list[list[str]]:
    tree = window.outposts.dock.tree
    found = []
    for at in range(tree.topLevelItemCount()):
        top = tree.topLevelItem(at)
        found += [top, *(top.child(below) for below in range(top.childCount()))]
    return [[item.text(column) for column in range(tree.columnCount())] for item in found]


def action(window: Small, text: str, service: str = "echo") -> Any:
    menu = window.outposts.dock.menu("pi", service)
    return next(one for one in menu.actions() if one.text().replace("&", "") == text)


def test_says_what_an_outpost_is_until_there_is_one(window: Small) -> None:
    dock = window.outposts.dock
    assert dock._stack.currentIndex() == 1
    assert "There is no outpost" in dock.why.text()
    QTest.mouseClick(dock.first, Qt.LeftButton)
    settle()
    assert window.outposts.dialog is not None


def test_shows_outposts_with_their_services(window: Small) -> None:
    window.follow(Pi())
    window.outposts.console.outposts["pi"].clock = 5_000_000  # type: ignore[union-attr]
    window.outposts._refresh()
    assert rows(window) == [
        ["pi", "pi@bench-3: connected: read and control", "2", "", "+5 ms"],
        ["echo", "listening, 10.0.0.7:9007", "2", "", ""],
    ]  # fmt: skip
    assert window.outposts.dock.figures.text() == "1 connected"


def test_one_that_is_lost_says_why_and_when_it_is_tried_again(window: Small) -> None:
    carrier = Pi()
    window.follow(carrier)
    clock = window.post.sender.reactor
    carrier.become(Lost("no route to host", clock.seconds() + 7))
    window.outposts._refresh()
    assert rows(window)[0][1] == "pi@bench-3: no route to host; tried again in 7 s"
    assert rows(window)[1][1:3] == ["when last seen: listening, 10.0.0.7:9007", ""]
    QTest.mouseClick(window.outposts.dock.now, Qt.LeftButton)
    window.outposts._refresh()
    assert rows(window)[0][1] == "pi@bench-3: connecting…"
    assert not window.outposts.dock.now.isVisible()


def test_services_are_started_stopped_and_broken(window: Small) -> None:
    carrier = Pi()
    window.follow(carrier)
    for text, service in (("Start", "echo"), ("Stop", "echo"), ("Stop all", "")):
        action(window, text, service).trigger()
    faults = action(window, "Faults").menu()
    faults.actions()[0].trigger()
    assert carrier.asked == [p.Start(("echo",)), p.Stop(("echo",)), p.Stop(), p.SwitchFault("echo/late", "on")]


def test_what_is_not_allowed_is_grey_with_the_reason(window: Small) -> None:
    window.follow(Pi("read"))
    start = action(window, "Start")
    assert not start.isEnabled()
    assert start.toolTip() == (
        "pi does not allow it: its workspace would have to say [outpost] allow = “control”"
    )  # fmt: skip
    assert action(window, "Connections…").isEnabled()


def test_a_refusal_is_told(window: Small) -> None:
    carrier = Pi("change")
    carrier.refusal = "There is no service echo"
    window.follow(carrier)
    action(window, "Remove from its workspace").trigger()
    assert window.said == ["pi: There is no service echo."]


def test_its_events_are_shown_by_a_filter(window: Small) -> None:
    window.follow(Pi())
    action(window, "Show events", "").trigger()
    action(window, "Show events").trigger()
    assert window.shown == ["outpost == pi", "service == pi/echo"]


def fill(window: Small, **texts: str) -> QDialogButtonBox:
    settle()
    dialog: Any = window.outposts.dialog
    for name, text in texts.items():
        dialog.form._rows[name][0].setText(text)
    return dialog.buttons.button(QDialogButtonBox.Ok)


def test_adding_editing_and_removing_are_steps_that_can_be_undone(window: Small) -> None:
    window.outposts.dock.new_wanted.emit()
    ok = fill(window, name="pi", target="-oProxyCommand=x")
    assert not ok.isEnabled()
    ok = fill(window, target="pi@bench-3")
    QTest.mouseClick(ok, Qt.LeftButton)
    settle()
    assert window.edits.state.outposts == (OutpostConfig("pi", "pi@bench-3"),)
    window.outposts.edit("pi")
    QTest.mouseClick(fill(window, name="pi-3"), Qt.LeftButton)
    settle()
    window.outposts.dock.removed.emit("pi-3")
    for undone in (["pi-3"], ["pi"], []):
        window.edits.undo()
        assert [outpost.name for outpost in window.post.outposts] == undone


def test_connections_are_seen_sent_to_and_closed(window: Small) -> None:
    carrier = Pi()
    window.follow(carrier)
    action(window, "Connections…").trigger()
    dialog = window.outposts.dialog
    assert isinstance(dialog, ConnectionsDialog)
    item = dialog.list.topLevelItem(0)
    assert [item.text(at) for at in range(5)] == ["7", "echo", "10.0.0.9:4\\e", "5", "6"]
    assert dialog.said.text() == "and 3 more"
    assert not dialog.send.isEnabled()
    dialog.data.setText("hi\\n")
    QTest.mouseClick(dialog.send, Qt.LeftButton)
    QTest.mouseClick(dialog.abort_one, Qt.LeftButton)
    sent = [one for one in carrier.asked if not isinstance(one, p.Connections)]
    assert sent == [p.Send(7, b"hi\n"), p.Disconnect(7, True)]
    assert dialog.said.text() == "done"
    dialog.close()


@pytest.mark.parametrize(
    ("ns", "said"),
    [
        (0, ""), (900_000, ""), (12_000_000, "+12 ms"), (-3_000_000, "-3 ms"),
        (86_400 * 10**9, "+86,400 s"),
    ],
)  # fmt: skip
def test_the_clock_is_said_where_it_differs(ns: int, said: str) -> None:
    assert words.clock(ns) == said
