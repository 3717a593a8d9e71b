"""The dock of watches: rows, what they show, what is done there, and the form."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QDialogButtonBox, QMainWindow
from pytestqt.qtbot import QtBot

from app.watch.config import WatchConfig
from app.watch.result import Result, Watch
from tests.ui.desk import Answer, config, memory_post, settle
from ui.bridge import Bridge
from ui.edits import Edits
from ui.watch.commands import WatchCommands
from ui.watch.course import Course
from ui.watch.dialog import WatchDialog
from ui.watch.dock import WatchDock
from ui.watch.row import WatchRow
from ui.watch.words import last_words, state_words, took, uptime_words

pytestmark = pytest.mark.usefixtures("dark")


class Small(QMainWindow):
    """A window with the dock alone, on a Post whose services listen in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.post, _ = memory_post(config("echo", 9001), config("grams", 9002, protocol="udp"))
        self.edits, self.bridge = Edits(self.post, self), Bridge(self.post)
        self.shown: list[str] = []
        self.alerts: list[str] = []
        self.watches = WatchCommands(
            self.post, self.edits, self.bridge, self, lambda: "echo", self.shown.append, self.alerts.append
        )


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[Small]:
    window = Small()
    qtbot.addWidget(window)
    window.resize(1200, 600)
    window.show()
    window.watches.watches()
    yield window
    window.bridge.close()


def dock(window: Small) -> WatchDock:
    return window.watches.dock


def row(window: Small, name: str) -> WatchRow:
    window.bridge._tick()
    return dock(window).rows[name]


def names(window: Small) -> list[str]:
    window.bridge._tick()
    return list(dock(window).rows)


def dialog(window: Small) -> WatchDialog:
    settle()
    assert window.watches.dialog is not None
    return window.watches.dialog


def field(window: Small, name: str) -> object:
    return dialog(window).form._rows[name][0]


def fill(window: Small, **texts: str) -> None:
    for name, text in texts.items():
        field(window, name).setText(text)  # type: ignore[attr-defined]


def ok(window: Small) -> None:
    button = dialog(window).buttons.button(QDialogButtonBox.Ok)
    assert button.isEnabled()
    QTest.mouseClick(button, Qt.LeftButton)
    settle()


def add(window: Small, name: str = "a", target: str = "tcp://127.0.0.1:1", **texts: str) -> None:
    dock(window).new_wanted.emit("")
    fill(window, name=name, target=target, **texts)
    ok(window)


def find(window: Small, ok_: bool = True, name: str = "a", reason: str = "It is gone") -> None:
    watch = window.post.watches[name]
    window.post.watches._take(watch, Result(ok_, 12.34, "" if ok_ else reason, time=1_700_000_000 * 10**9))


def test_offers_a_watch_for_each_service_until_there_is_one(window: Small) -> None:
    empty = dock(window).empty
    assert [button.text() for button in empty.buttons] == ["Watch echo", "Watch grams"]
    QTest.mouseClick(empty.buttons[1], Qt.LeftButton)
    ok(window)
    assert names(window) == ["grams"]
    assert window.edits.state.watches == (WatchConfig("grams", "grams", send="ping"),)
    assert window.post.watches["grams"].config.target == "grams"
    assert dock(window)._stack.currentIndex() == 0


def test_adding_editing_and_removing_are_steps_that_can_be_undone(window: Small) -> None:
    add(window, expect="PONG")
    assert window.edits.stack.undoText() == "adding the watch “a”"
    dock(window).edit_wanted.emit("a")
    assert field(window, "expect").text() == "PONG"  # type: ignore[attr-defined]
    fill(window, name="b", expect="")
    ok(window)
    assert window.edits.state.watches == (WatchConfig("b", "tcp://127.0.0.1:1"),)
    row(window, "b").removed.emit()
    assert names(window) == []
    for undone in ([("b", "")], [("a", "PONG")], []):
        window.edits.undo()
        assert [(w.name, w.expect) for w in window.post.watches.configs()] == undone
    window.edits.redo()
    assert names(window) == ["a"]


def test_what_is_wrong_is_said_below_its_field(window: Small) -> None:
    add(window)
    dock(window).new_wanted.emit("")
    button = dialog(window).buttons.button(QDialogButtonBox.Ok)
    assert not button.isEnabled()
    fill(window, name="a", target="udp://127.0.0.1:9")
    said = {name: words.text() for name, (_, words) in dialog(window).form._rows.items()}
    assert said["name"] == "“a” is taken. Give each watch its own name."
    assert said["send"] == "Is missing: a target is only found by what it answers to a datagram."
    assert not button.isEnabled()
    fill(window, target="rack-9/echo")
    wrong = dialog(window).form._rows["target"][1].text()
    assert wrong.startswith('Names an outpost that the workspace does not read: "rack-9"')
    fill(window, name="b", send="x", target="udp://127.0.0.1:9")
    ok(window)
    assert names(window) == ["a", "b"]


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("tcp://127.0.0.1:1", {"send"}),
        ("tls://127.0.0.1:1", {"send", "certificate_days"}),
        ("http://127.0.0.1:1", {"expect_status"}),
        ("https://127.0.0.1", {"expect_status", "certificate_days"}),
        ("grams", {"send"}),
        ("nobody", set()),
        ("rack-2/echo", {"send", "expect_status", "certificate_days"}),  # what it speaks is not known
    ],
)
def test_the_form_has_what_means_something_for_the_target(target: str, shown: set[str], window: Small) -> None:
    dock(window).new_wanted.emit("")
    fill(window, target=target)
    rows = dialog(window).form._rows
    some = ("send", "expect_status", "certificate_days")
    assert {name for name in some if not rows[name][0].isHidden()} == shown
    dialog(window).cancel()


def test_escape_asks_before_it_discards_what_was_typed(window: Small) -> None:
    dock(window).new_wanted.emit("echo")
    fill(window, name="other")
    answer = Answer(lambda box: box.reject())
    QTest.keyClick(dialog(window), Qt.Key_Escape)
    window.findChild(QDialogButtonBox)
    settle()
    assert window.watches.dialog is not None
    answer.stop()
    dialog(window).cancel()


def test_a_row_shows_lamp_course_uptime_and_last_words(window: Small) -> None:
    add(window, fails_after="2")
    first = row(window, "a")
    assert (first.words.text(), first.time.text(), first.uptime.text()) == ("not checked yet", "", "")
    assert first.lamp._shape == "stopped"
    find(window)
    row(window, "a")
    assert first.words.text().startswith("ok at ")
    assert (first.time.text(), first.uptime.text(), first.lamp._shape) == ("12.3 ms", "100 % of 1", "listening")
    find(window, False)
    assert (row(window, "a").lamp._shape, first.words.text()) == ("starting", "It is gone.")
    find(window, False)
    assert (row(window, "a").lamp._shape, first.uptime.text()) == ("failed", "33.3 % of 3")
    assert dock(window).figures.text() == "1 down"
    assert "is down" in first.lamp.toolTip()


def test_pause_and_go_on(window: Small) -> None:
    add(window)
    QTest.mouseClick(row(window, "a").pause, Qt.LeftButton)
    assert window.post.watches["a"].paused
    assert row(window, "a").pause.toolTip() == "Resume a"
    assert dock(window).figures.text() == "1 paused"
    QTest.mouseClick(dock(window).pause_all, Qt.LeftButton)
    assert not window.post.watches["a"].paused
    row(window, "a")
    QTest.mouseClick(dock(window).pause_all, Qt.LeftButton)
    assert window.post.watches["a"].paused


def test_a_double_click_shows_its_events(window: Small) -> None:
    add(window)
    QTest.mouseDClick(row(window, "a"), Qt.LeftButton, pos=QPoint(30, 10))
    settle()
    assert window.shown == ["watch.name == a"]
    row(window, "a").alert_wanted.emit()
    assert window.alerts == ["watch.name == a and kind == watch.failed"]


def test_the_dock_closes_by_escape_and_gives_the_keyboard_back(window: Small) -> None:
    QTest.keyClick(dock(window), Qt.Key_Escape)
    assert dock(window).isHidden()


def test_a_watch_follows_its_service_and_goes_with_it(window: Small) -> None:
    add(window, target="echo")
    service = window.edits.state.services[0]
    window.edits.replace("echo", config("other", service.port))
    assert [watch.target for watch in window.edits.state.watches] == ["other"]
    window.edits.remove("other")
    assert window.edits.state.watches == ()
    window.edits.undo()
    window.edits.undo()
    assert [watch.target for watch in window.edits.state.watches] == ["echo"]


def test_many_rows_in_a_narrow_window(window: Small, qtbot: QtBot) -> None:
    for number in range(3):
        add(window, f"a name that is long enough to be cut {number}", expect="x" * 300)
    window.resize(900, 600)
    settle()
    for one in dock(window).rows.values():
        assert one.more.geometry().right() <= one.width()
        assert one.course.width() >= one.course.minimumSizeHint().width()


def test_the_course_knows_what_is_under_the_pointer(qtbot: QtBot) -> None:
    course = Course()
    qtbot.addWidget(course)
    course.resize(100, 30)
    assert course.at(50) is None
    course.show_results([Result(True, 1.0), Result(False, 2.0, "gone"), Result(True, 3.0)])
    course.grab()
    assert [course.at(course._place(at, 3)).milliseconds for at in range(3)] == [1.0, 2.0, 3.0]  # type: ignore[union-attr]
    assert course.at(10) is None
    course.show_results([Result(True, float(n)) for n in range(1000)])
    course.grab()


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(None, ""), (0.84, "0.8 ms"), (99.96, "100 ms"), (1234.0, "1,234 ms"), (12_345.0, "12.3 s")],
)
def test_how_long_it_took(milliseconds: float | None, text: str) -> None:
    assert took(milliseconds) == text


def test_words_of_a_watch() -> None:
    watch = Watch(WatchConfig("a", "b"))
    assert (state_words(watch), last_words(watch), uptime_words(watch)) == ("unknown", "not checked yet", "")
    watch.checks, watch.well = 100_000, 99_999
    assert uptime_words(watch) == "99.9 % of 100,000"
    watch.held = "Not trusted."
    assert (state_words(watch), last_words(watch)) == ("not trusted", "Not trusted.")
