"""The dock of outposts: rows, what they show, what is done there, and the forms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QDialogButtonBox, QMainWindow, QMessageBox
from pytestqt.qtbot import QtBot
from twisted.internet.defer import Deferred, fail, succeed

from app.outposts import protocol as p
from app.outposts.changing import services_in
from app.outposts.console import Console
from app.outposts.errors import RefusedError
from app.outposts.ways.carrier import Carrier, Closed, Connected, Connecting, Lost
from app.services.config import ServiceConfig
from app.workspace.outposts import OutpostConfig
from tests.ui.desk import config, memory_post, settle
from ui.edits import Edits
from ui.outposts import words
from ui.outposts.commands import Elsewhere, OutpostCommands
from ui.outposts.connections import ConnectionsDialog
from ui.outposts.dialog import OutpostDialog
from ui.services.elsewhere import ServicesElsewhere

pytestmark = pytest.mark.usefixtures("dark")

ECHO = p.Service(
    "echo", "tcp", "echo", "listening", "10.0.0.7:9007", 2, 5, 10, 10, (p.Fault("late", "delay", "received", False, 0),)
)


TABLE = """[[service]]
name = "echo"
protocol = "http"
listen = "10.0.0.7:9007"
responder = "mock"
group = "lab"

[service.options]
rules = [{ path = "/a", body = "hello" }]
"""


class Pi(Carrier):
    """A way to an outpost that keeps what it is asked."""

    def __init__(self, allow: p.Allow = "control") -> None:
        super().__init__("pi@bench-3")
        self.asked: list[p.Request] = []
        self.allow, self.refusal = allow, ""
        self.table, self.put = p.Table(TABLE, ("options.tokens\x1b",)), ECHO
        self.minor = p.MINOR
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
            return succeed(p.Outpost(1, "pi", "Listening Post 1.2", self.allow, "", 1, 0, 0, self.minor))
        if isinstance(request, p.Status):
            return succeed(p.Services((ECHO,)))
        if isinstance(request, p.Read):
            return Deferred()
        self.asked.append(request)
        if self.refusal:
            return fail(RefusedError(reason=self.refusal))
        if isinstance(request, p.Configuration):
            return succeed(self.table)
        if isinstance(request, p.Put):
            return succeed(p.Services((self.put,)))
        if isinstance(request, p.Connections):
            return succeed(p.OpenConnections(self.connections, 3))
        return succeed(p.Done("done"))


class Small(QMainWindow):
    """A window with the dock alone, on a Post whose services listen in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.post, _ = memory_post(config("echo", 9001))
        self.edits = Edits(self.post, self)
        self.shown: list[tuple[str, str]] = []
        self.said: list[str] = []
        self.told: list[str] = []
        self.taken: list[ServiceConfig] = []
        self.elsewhere = ServicesElsewhere(
            self, self.said.append, self.told.append, self.taken.append, lambda: self.outposts.outposts_now()
        )
        self.reached: list[str] = []
        self.outposts = OutpostCommands(
            self.post, self.edits, self, self.said.append, lambda *shown: self.shown.append(shown),
            Elsewhere(self.elsewhere.do, self.reached.append, self.reached.append),
        )  # fmt: skip

    def follow(self, carrier: Carrier, name: str = "pi") -> None:
        """Show an outpost that is reached so."""
        console = self.outposts.console or Console(self.post.sender.reactor, self.post, "desk")
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
        ["pi", "pi@bench-3: connected (read and control)", "2", "", "+5 ms"],
        ["echo", "listening, 10.0.0.7:9007", "2", "", ""],
    ]  # fmt: skip
    assert window.outposts.dock.figures.text() == "1 connected"
    told = window.outposts.outposts_now()["pi"].told
    told.more, told.services = 1_500, (msgspec.structs.replace(ECHO, tls=True),)
    window.outposts._refresh()
    assert rows(window)[0][1].endswith("read and control); 1,500 more services")
    assert rows(window)[1][1] == "listening, 10.0.0.7:9007, with TLS"


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
    once = faults.actions()[2]
    assert once.text() == "Hit the next one: echo/late"
    once.trigger()
    assert carrier.asked == [
        p.Start(("echo",)), p.Stop(("echo",)), p.Stop(), p.SwitchFault("echo/late", "on"),
        p.SwitchFault("echo/late", "once"),
    ]  # fmt: skip
    carrier.asked.clear()
    action(window, "Start again").trigger()
    assert carrier.asked == [p.Stop(("echo",)), p.Start(("echo",))]


def test_what_is_not_allowed_is_grey_with_the_reason(window: Small) -> None:
    window.follow(Pi("read"))
    start = action(window, "Start")
    assert not start.isEnabled()
    assert start.toolTip() == (
        "pi does not allow this. To allow it, set allow = “control” under [outpost] in the workspace there"
    )  # fmt: skip
    assert action(window, "Connections…").isEnabled()


def test_a_refusal_is_told(window: Small) -> None:
    carrier = Pi("change")
    carrier.refusal = "There is no service echo"
    window.follow(carrier)
    action(window, "Stop").trigger()
    assert window.said == ["pi: There is no service echo."]


def test_an_outpost_goes_with_its_services(window: Small) -> None:
    window.follow(Pi())
    assert len(rows(window)) == 2
    assert window.outposts.console is not None
    del window.outposts.console.outposts["pi"]
    window.outposts._refresh()
    assert rows(window) == []


def test_its_events_are_shown_by_a_filter(window: Small) -> None:
    window.follow(Pi())
    action(window, "Show events", "").trigger()
    action(window, "Show events").trigger()
    action(window, "Show conversations").trigger()
    action(window, "Show failures").trigger()
    assert window.shown == [
        ("outpost == pi", "all"), ("service == pi/echo", "all"), ("service == pi/echo", "conversations"),
        ("service == pi/echo", "failures"),
    ]  # fmt: skip


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
    window.outposts.dock.wanted.emit("remove", "pi-3", "")
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


# -- services there, changed from here


def asked(carrier: Pi) -> list[p.Request]:
    found, carrier.asked = carrier.asked, []
    return found


def test_a_service_is_changed_there_as_it_is_now_and_its_secrets_stay(window: Small) -> None:
    carrier = Pi("change")
    window.follow(carrier)
    action(window, "Change…").trigger()
    assert asked(carrier) == [p.Configuration("echo")]
    dialog = window.elsewhere.dialog
    assert dialog is not None
    assert dialog.windowTitle() == "Service “echo” of pi"
    assert dialog.said.text() == "Not shown here, and kept as it is there: options.tokens\\e"
    assert "copy the service into your workspace" in dialog.rules.text()
    assert (dialog.name.isEnabled(), dialog.only in dialog.buttons.buttons()) == (False, False)
    dialog.port.setText("9008")
    carrier.refusal = "this outpost allows “read”"
    QTest.mouseClick(dialog.ok, Qt.LeftButton)
    assert dialog.isVisible()
    assert dialog.said.text() == "this outpost allows “read”."
    assert dialog.ok.isEnabled()
    carrier.refusal = ""
    asked(carrier)
    QTest.mouseClick(dialog.ok, Qt.LeftButton)
    [put] = asked(carrier)
    assert isinstance(put, p.Put)
    assert put.keep
    [(_, config)] = services_in(put.toml).items()
    assert (config.host, config.port, config.group) == ("10.0.0.7", 9008, "lab")
    assert config.options["rules"] == [{"path": "/a", "body": "hello"}]
    assert window.elsewhere.dialog is None
    assert window.told == ["“echo” was saved on pi"]


def test_a_service_is_added_there_and_what_came_of_it_is_told(window: Small) -> None:
    carrier = Pi("change")
    carrier.put = p.Service("tcp-echo", "tcp", "echo", "held", "asks for\x1b more", 0, 0, 0, 0)
    window.follow(carrier)
    action(window, "Add a service…", "").trigger()
    dialog = window.elsewhere.dialog
    assert dialog is not None
    assert dialog.windowTitle() == "New service on pi"
    dialog.name.setText("echo")
    assert not dialog.ok.isEnabled()  # that is there
    dialog.name.setText("tcp-echo")
    QTest.mouseClick(dialog.only, Qt.LeftButton)
    [put] = asked(carrier)
    assert isinstance(put, p.Put)
    assert (put.start, put.keep, list(services_in(put.toml))) == (False, False, ["tcp-echo"])
    assert window.said == ["“tcp-echo” was saved on pi, but does not run: asks for\\e more"]


def test_an_answer_that_comes_when_the_dialog_is_closed_is_told_all_the_same(window: Small) -> None:
    carrier = Pi("change")
    window.follow(carrier)
    action(window, "Add a service…", "").trigger()
    dialog = window.elsewhere.dialog
    assert dialog is not None
    waiting: Deferred[Any] = Deferred()
    carrier.ask = lambda request: waiting  # type: ignore[method-assign]
    QTest.mouseClick(dialog.ok, Qt.LeftButton)
    assert dialog.said.text() == "Asking pi…"
    assert not dialog.ok.isEnabled()
    dialog.cancel()
    waiting.errback(RefusedError(reason="not today"))
    assert window.said == ["pi: not today."]


def test_removing_one_there_asks_first(window: Small) -> None:
    carrier = Pi("change")
    window.follow(carrier)
    for button, removed in ((QMessageBox.Cancel, []), (QMessageBox.Yes, [p.Remove("echo")])):
        action(window, "Remove from the outpost…").trigger()
        box = window.elsewhere.question
        assert box is not None
        assert box.text() == "Remove “echo” from pi?"
        QTest.mouseClick(box.button(button), Qt.LeftButton)
        assert asked(carrier) == removed
    assert window.told == ["“echo” was removed from pi"]


def test_a_service_is_copied_to_an_outpost_and_from_it(window: Small) -> None:
    carrier = Pi("change")
    window.follow(carrier)
    window.follow(Pi("read"), "rack")
    here = config("echo", 9007)
    menu = window.elsewhere.menu(here)
    assert [(one.text(), one.isEnabled()) for one in menu.actions()] == [("Copy to pi", True), ("Copy to rack", False)]
    assert "does not allow this" in menu.actions()[1].toolTip()
    menu.actions()[0].trigger()
    dialog = window.elsewhere.dialog
    assert dialog is not None
    assert dialog.config() == replace(here, name="echo-2")  # as there is one; at 10.0.0.7 the port is free
    dialog.cancel()
    action(window, "Copy into this workspace").trigger()
    [taken] = window.taken
    assert (taken.name, taken.responder, taken.group) == ("echo", "mock", "lab")
    assert window.said == ["“echo” was copied without the secrets that pi keeps: options.tokens\\e"]


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        (TABLE.replace('"mock"', '"theirs"'), "pi: “echo” cannot be shown here: line 5: responder: "),
        (TABLE.replace('"echo"', '"other"'), "pi answered with another service than “echo”"),
        ("nonsense", "pi: “echo” cannot be shown here: line 1"),
    ],
    ids=["responder", "another", "no table"],
)  # fmt: skip
def test_a_configuration_that_cannot_be_read_is_told(window: Small, toml: str, words: str) -> None:
    carrier = Pi("change")
    carrier.table = p.Table(toml)
    window.follow(carrier)
    action(window, "Change…").trigger()
    assert window.elsewhere.dialog is None
    assert window.said[0].startswith(words)


def test_an_older_outpost_says_what_to_do(window: Small) -> None:
    carrier = Pi("change")
    carrier.minor = 0
    window.follow(carrier)
    action(window, "Change…").trigger()
    assert window.said == [
        "pi: pi runs an older version (Listening Post 1.2), which does not know “configuration”. Update Listening Post"
        " there."
    ]


def test_it_is_reached_from_here(window: Small, qapp: QApplication) -> None:
    carrier = Pi()
    window.follow(carrier)
    carrier.target = "pi@bench-3"
    action(window, "Copy its address").trigger()
    assert qapp.clipboard().text() == "bench-3:9007"
    action(window, "Open in Send").trigger()
    action(window, "Watch it…").trigger()
    assert window.reached == ["tcp://bench-3:9007", "pi/echo"]
    outpost = window.outposts.outposts_now()["pi"]
    outpost.told.by_name = {"echo": msgspec.structs.replace(ECHO, status="stopped")}
    action(window, "Copy its address").trigger()
    assert window.said == ["pi/echo: its status there is stopped"]


def test_menus_offer_all_that_can_be_done_to_a_service_of_here(window: Small) -> None:
    """Beside what is about rules and pages, which are not there, and TLS and copies, for which there is the form."""
    window.follow(Pi("change"))
    menu = window.outposts.dock.menu("pi", "echo")
    texts = [one.text().replace("&", "") for one in menu.actions() if one.text()]
    assert texts == [
        "Show events", "Show conversations", "Show failures", "Start", "Stop", "Start again", "Faults",
        "Connections…", "Open in Send", "Watch it…", "Copy its address", "Change…", "Copy into this workspace",
        "Remove from the outpost…",
    ]  # fmt: skip
    for service in ("echo", ""):
        letters = [
            text[text.index("&") + 1].lower()
            for text in (one.text() for one in window.outposts.dock.menu("pi", service).actions())
            if "&" in text
        ]
        assert len(letters) == len(set(letters))


def test_the_form_says_what_is_missing_once_its_field_was_left_and_asks_a_router_alone_for_its_realm(
    window: Small, qtbot: QtBot
) -> None:
    window.outposts.dock.new_wanted.emit()
    dialog = window.outposts.dialog
    assert isinstance(dialog, OutpostDialog)
    with qtbot.waitExposed(dialog):
        dialog.activateWindow()
    (name, _), (target, words), (realm, _) = (dialog.form._rows[key] for key in ("name", "target", "realm"))
    QTest.keyClicks(name, "pi")
    assert "missing" not in words.text()
    assert not dialog.buttons.button(QDialogButtonBox.Ok).isEnabled()
    target.setFocus()
    name.setFocus()
    assert words.text().startswith("Is missing")
    for text, asked in (("pi@bench", False), ("/run/control", False), ("wss://router:8443/ws", True)):
        target.setText(text)
        assert realm.isVisible() == asked
    dialog.cancel()
