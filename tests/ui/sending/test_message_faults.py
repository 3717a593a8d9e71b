"""Faults of a message in the Send dock: chosen by hand in their dialog, sent with it, saved with it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QDialogButtonBox, QMenu
from pytestqt.qtbot import QtBot

from app.workspace.message import Message
from tests.ui.conftest import Open
from tests.ui.desk import config, do, settle
from tests.ui.workbench.bench import Bench, bench
from ui.looks import theme
from ui.sending.dock import SendDock
from ui.sending.message_form import FAULTS
from ui.workbench.faults.dialog import FaultsDialog

pytestmark = pytest.mark.qt_log_ignore(
    r"^This plugin does not support (grabbing the keyboard|raise\(\)|propagateSizeHints\(\))"
)

CUT = {"kind": "cut", "bytes": 3, "then": "reset"}
LATE = {"kind": "delay", "ms": 200.0, "jitter_ms": 50.0, "name": "late"}


@pytest.fixture
def desk(open_window: Open, qtbot: QtBot) -> Iterator[Bench]:
    with bench(open_window, qtbot, config("echo", 0)) as made:
        made.start()
        do(made.window, "send_to_service")
        settle()
        yield made
        made.window.sending.stop()


def dock_of(desk: Bench) -> SendDock:
    return desk.window.sending.dock


def show_faults(desk: Bench) -> Any:
    dock_of(desk).form.tabs.setCurrentIndex(FAULTS)
    settle()
    return dock_of(desk).form.faults


def dialog_of(desk: Bench) -> FaultsDialog:
    found = dock_of(desk).form.faults.findChild(FaultsDialog)
    assert isinstance(found, FaultsDialog)
    return found


def log(desk: Bench) -> str:
    return str(dock_of(desk).transcript.toPlainText())


def test_one_is_chosen_by_hand_sent_and_its_hit_is_told(desk: Bench, dark: None) -> None:
    part = show_faults(desk)
    assert part.button.text() == "Add a fault…"
    QTest.mouseClick(part.button, Qt.LeftButton)
    dialog = dialog_of(desk)
    desk.qtbot.waitExposed(dialog)
    QTest.mouseClick(dialog.section.add_button, Qt.LeftButton)
    menu = next(one for one in dialog.section.findChildren(QMenu) if one.isVisible())
    offered = [action.text().partition(":")[0] for action in menu.actions()]
    assert "cut" in offered
    assert not {"refuse", "tls", "status", "lose"} & {*offered}
    next(action for action in menu.actions() if action.text().startswith("cut:")).trigger()
    menu.close()
    row = next(found for group in dialog.section.form.groups if (found := group.row_of("bytes")) is not None)
    desk.type_into(row.editors["bytes"], "3")
    assert dialog.section.tables() == ({"kind": "cut", "bytes": 3},)
    QTest.mouseClick(dialog.buttons.button(QDialogButtonBox.Ok), Qt.LeftButton)
    assert part.lines.item(0).text() == "cut on sent · after 3 B"
    form = dock_of(desk).form
    assert form.tabs.tabText(FAULTS) == "Faults (1)"
    desk.type_into(form.editor, "hello")
    QTest.mouseClick(form.button, Qt.LeftButton)
    desk.qtbot.waitUntil(lambda: "Closed on purpose, by a fault." in log(desk))
    assert "fault cut: cut after 3 bytes, then close" in log(desk)
    assert dock_of(desk).state.property("role") != "error"


def test_one_is_switched_removed_and_taken_back(desk: Bench, dark: None) -> None:
    form, part = dock_of(desk).form, show_faults(desk)
    form.show_message(Message("x", form.url.text(), data="hello", faults=(CUT, LATE)))
    assert [part.lines.item(at).text() for at in range(2)] == [
        "cut on sent · after 3 B, then reset", "late: delay on sent · 200 ± 50 ms",
    ]  # fmt: skip
    part.lines.setFocus()
    part.lines.setCurrentRow(0)
    QTest.keyClick(part.lines, Qt.Key_Space)
    assert part.tables == ({**CUT, "enabled": False}, LATE)
    assert form.tabs.tabText(FAULTS) == "Faults (1)"
    QTest.keyClick(part.lines, Qt.Key_Space)
    assert part.tables == (CUT, LATE)
    QTest.keyClick(part.lines, Qt.Key_Delete)
    assert part.tables == (LATE,)
    QTest.keyClick(part.lines, Qt.Key_Return)
    dialog = dialog_of(desk)
    QTest.keyClick(dialog.section.view, Qt.Key_Delete)
    assert dialog.section.tables() == ()
    QTest.mouseClick(dialog.buttons.button(QDialogButtonBox.Cancel), Qt.LeftButton)
    assert part.tables == (LATE,)


def test_they_are_saved_with_the_message(desk: Bench, dark: None) -> None:
    dock = dock_of(desk)
    show_faults(desk).set_tables([CUT])
    desk.type_into(dock.form.editor, "hello")
    dock.saved.save_requested.emit()
    [message] = desk.window.edits.state.messages
    assert message.faults == (CUT,)
    dock.form.faults.set_tables([])
    dock.saved.chosen.emit(message)
    assert dock.form.faults.tables == (CUT,)


def test_what_a_protocol_cannot_have_is_said_and_not_sent(desk: Bench, dark: None) -> None:
    form, part = dock_of(desk).form, show_faults(desk)
    part.set_tables([CUT])
    assert form.check()
    form.url.setText("udp://127.0.0.1:9")
    assert not form.check()
    assert "not for udp" in part.words.text()
    assert not form.button.isEnabled()


@pytest.mark.parametrize("size", [(900, 600), (1366, 768)])
@pytest.mark.parametrize("look", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
def test_all_of_it_can_be_seen_in_any_window(desk: Bench, qapp: QApplication, size: Any, look: Any) -> None:
    theme.apply(qapp, look)
    desk.window.resize(*size)
    form, part = dock_of(desk).form, show_faults(desk)
    pictures = os.environ.get("PICTURES", "")

    def keep(name: str, what: Any) -> None:
        settle()
        if pictures:
            what.grab().save(str(Path(pictures) / f"{name}-{size[0]}-{look.name}.png"))

    keep("send-no-faults", desk.window)
    form.show_message(Message("x", form.url.text(), data="hello", faults=(CUT, LATE, {"kind": "stall"})))
    settle()
    for child in (part.lines, part.button):
        assert child.isVisible()
        assert part.rect().contains(child.geometry())
    assert part.lines.height() >= 2 * part.fontMetrics().lineSpacing()
    keep("send-faults", desk.window)
    part.open()
    dialog = dialog_of(desk)
    desk.qtbot.waitExposed(dialog)
    settle()
    assert dialog.width() <= size[0]
    assert dialog.height() <= size[1]
    assert dialog.section.form.isVisible()
    keep("faults-dialog", dialog)
    dialog.section.set_faults([], 0)
    keep("faults-dialog-empty", dialog)
    dialog.cancel()
