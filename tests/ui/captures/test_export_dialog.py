"""The export dialog: what is exported, the format, the file, and the progress."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from pytestqt.qtbot import QtBot
from twisted.internet.defer import Deferred

from app.exports import formats as exporters
from app.exports.part import WHOLE, Part
from tests.ui.desk import BASE, Capture
from ui.captures.export_dialog import CONNECTION, SHOWN, ExportDialog, Run, export

pytestmark = pytest.mark.usefixtures("dark")


class Threads:
    """Runs the calls meant for a thread when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[Any] = []

    def __call__(self, call: Callable[..., Any], *args: Any) -> Deferred[Any]:
        done: Deferred[Any] = Deferred()
        self.waiting.append((call, args, done))
        return done

    def run(self) -> None:
        for call, args, done in self.waiting:
            done.callback(call(*args))
        self.waiting.clear()


@pytest.fixture
def threads() -> Threads:
    return Threads()


Open = Callable[..., ExportDialog]


@pytest.fixture
def open_dialog(capture: Capture, threads: Threads, tmp_path: Path, qtbot: QtBot) -> Iterator[Open]:
    def make(typed: str = "", shown: Part | None = WHOLE, conn: int | None = None) -> ExportDialog:
        dialog = ExportDialog(capture.path, typed, shown, conn, threads)
        dialog.setAttribute(Qt.WA_DeleteOnClose, False)
        qtbot.addWidget(dialog)
        dialog.show()
        choose(dialog, "jsonl")
        dialog.file.setText(str(tmp_path / "out.jsonl"))
        return dialog

    return make


def choose(dialog: ExportDialog, format: str) -> None:
    exporter = exporters.find(format)
    assert exporter is not None
    dialog.format.setCurrentIndex(dialog.format.findText(exporter.title))
    dialog.format.activated.emit(0)


def exported(tmp_path: Path) -> list[int]:
    return [json.loads(line)["id"] for line in (tmp_path / "out.jsonl").read_text().splitlines()]


def press(dialog: ExportDialog, threads: Threads) -> None:
    QTest.mouseClick(dialog.export_button, Qt.LeftButton)
    threads.run()


def test_everything_is_exported_and_the_dialog_says_so(
    open_dialog: Open, capture: Capture, threads: Threads, tmp_path: Path
) -> None:
    capture.add([b"one", b"two"])
    dialog = open_dialog()
    press(dialog, threads)
    assert exported(tmp_path) == [1, 2]
    assert dialog.state.text().startswith("Exported 2 lines to ")
    assert dialog._file_words.text() == ""  # it was not replaced, and what is said is no warning
    assert dialog.export_button.isEnabled()


@pytest.mark.parametrize("format", exporters.names())
def test_each_format_can_be_chosen(
    open_dialog: Open, capture: Capture, threads: Threads, tmp_path: Path, format: str
) -> None:
    capture.add([b"one"])
    dialog = open_dialog()
    choose(dialog, format)
    path = Path(dialog.file.text())
    exporter = exporters.find(format)
    assert exporter is not None
    assert path.suffix == exporter.suffix
    press(dialog, threads)
    assert path.exists()


def test_what_the_filter_shows_can_be_exported(
    open_dialog: Open, capture: Capture, threads: Threads, tmp_path: Path
) -> None:
    capture.add([b"one", b"two", b"one more"])
    dialog = open_dialog("one", Part.typed("one"))
    assert dialog.part.currentData() == SHOWN  # what one sees is what one means
    press(dialog, threads)
    assert exported(tmp_path) == [1, 3]


@pytest.mark.parametrize("format", exporters.names())
def test_it_begins_with_a_format(capture: Capture, threads: Threads, qtbot: QtBot, format: str) -> None:
    dialog = ExportDialog(capture.path, "", WHOLE, None, threads, None, format)
    qtbot.addWidget(dialog)
    assert dialog._exporter() is exporters.find(format)
    assert dialog.file.text().endswith(dialog._exporter().suffix)


def test_a_connection_can_be_exported(open_dialog: Open, capture: Capture, threads: Threads, tmp_path: Path) -> None:
    capture.add([b"one"])
    dialog = open_dialog(conn=7)
    assert dialog.part.itemText(dialog.part.findData(CONNECTION)) == "Connection #7"
    dialog.part.setCurrentIndex(dialog.part.findData(CONNECTION))
    press(dialog, threads)
    assert exported(tmp_path) == []


def test_what_is_not_about_events_is_not_offered(open_dialog: Open, capture: Capture) -> None:
    dialog = open_dialog(shown=None)
    assert dialog.part.count() == 1


def test_a_range_of_time_bounds_it(open_dialog: Open, capture: Capture, threads: Threads, tmp_path: Path) -> None:
    capture.add([b"%d" % i for i in range(5)], step=10**9)
    dialog = open_dialog()
    for edit, second in ((dialog.since, 1), (dialog.until, 3)):
        edit.setText(datetime.fromtimestamp(BASE // 10**9 + second).astimezone().isoformat())
    press(dialog, threads)
    assert exported(tmp_path) == [2, 3, 4]


@pytest.mark.parametrize("typed", ["yesterday", '12:00:00" or 1 == 1', "1 or 2", "25:00:00"])
def test_what_is_no_time_is_said_and_not_exported(open_dialog: Open, capture: Capture, typed: str) -> None:
    dialog = open_dialog()
    dialog.since.setText(typed)
    assert not dialog.export_button.isEnabled()
    assert dialog.since.property("invalid")
    dialog.since.setText("-5m")
    assert dialog.export_button.isEnabled()


def test_a_file_is_needed_in_a_folder_that_is_there(open_dialog: Open, tmp_path: Path) -> None:
    dialog = open_dialog()
    dialog.file.setText("")
    assert not dialog.export_button.isEnabled()
    dialog.file.setText(str(tmp_path / "nowhere" / "x.csv"))
    assert not dialog.export_button.isEnabled()
    assert dialog._file_words.text() == "There is no such folder."
    for name in (
        "~",
        "~nobody-is-called-so",
        "~nobody-is-called-so/x.csv",
        "x" * 5000,
        "x" * 5000 + "/x.csv",
        "\0/x.csv",
    ):
        dialog.file.setText(name)  # as it is typed, nothing is raised
    assert dialog._file_words.text() == "There is no such folder."
    (tmp_path / "x.csv").write_text("old")
    dialog.file.setText(str(tmp_path / "x.csv"))
    assert dialog._file_words.text() == "This file exists: the export replaces it."


def test_cancel_leaves_the_old_file_as_it_was(
    open_dialog: Open, capture: Capture, threads: Threads, tmp_path: Path
) -> None:
    capture.add([b"one"])
    (tmp_path / "out.jsonl").write_text("old")
    dialog = open_dialog()
    QTest.mouseClick(dialog.export_button, Qt.LeftButton)
    assert dialog.cancel_button.text() == "Cancel"
    assert not dialog.file.isEnabled()
    QTest.mouseClick(dialog.cancel_button, Qt.LeftButton)
    threads.run()
    assert dialog.state.text() == "Cancelled. Nothing was written."
    assert (tmp_path / "out.jsonl").read_text() == "old"
    assert dialog.isVisible()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".out")]


def test_closing_cancels(open_dialog: Open, capture: Capture, threads: Threads, tmp_path: Path) -> None:
    capture.add([b"one"])
    dialog = open_dialog()
    QTest.mouseClick(dialog.export_button, Qt.LeftButton)
    dialog.close()
    assert not dialog.isVisible()
    threads.run()
    assert not (tmp_path / "out.jsonl").exists()


def test_escape_first_cancels_and_then_closes(open_dialog: Open, capture: Capture, threads: Threads) -> None:
    dialog = open_dialog()
    QTest.mouseClick(dialog.export_button, Qt.LeftButton)
    QTest.keyClick(dialog, Qt.Key_Escape)
    threads.run()
    assert dialog.isVisible()
    QTest.keyClick(dialog, Qt.Key_Escape)
    assert not dialog.isVisible()


def test_it_shows_how_far_it_is(open_dialog: Open, capture: Capture, threads: Threads) -> None:
    capture.add([b"%d" % i for i in range(8)])
    dialog = open_dialog()
    QTest.mouseClick(dialog.export_button, Qt.LeftButton)
    [(_, args, _)] = threads.waiting
    run: Run = args[-1]
    run.total, run.looked_at, run.written = 8, 2, 1
    dialog._show_progress()
    assert dialog.bar.value() == 250
    assert dialog.state.text() == "2 of 8 events read"
    threads.run()
    assert run.thousandths == 1000
    assert dialog.bar.isHidden()


def test_what_goes_wrong_is_said(capture: Capture, tmp_path: Path) -> None:
    exporter = exporters.find("csv")
    assert exporter is not None
    said, worked = export(tmp_path / "none.lpost", exporter, WHOLE, tmp_path / "x.csv", Run())
    assert not worked
    assert "none.lpost" in said
    said, worked = export(capture.path, exporter, WHOLE, tmp_path / "nowhere" / "x.csv", Run())
    assert not worked
    assert "nowhere" in said


def test_a_search_that_finds_nothing_can_be_cancelled(capture: Capture, tmp_path: Path) -> None:
    capture.add([b"x"])
    exporter = exporters.find("csv")
    assert exporter is not None
    run = Run(stopped=True)
    assert export(capture.path, exporter, Part.typed("nothing"), tmp_path / "x.csv", run)[0].startswith("Cancelled")
