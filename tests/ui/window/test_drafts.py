"""Unsaved changes survive the end of the program, and are offered at the next start."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot
from twisted.internet import defer

from app.services.config import ServiceConfig
from app.status import Held, Listening, Stopped
from app.workspace import reading
from app.workspace.drafts import DraftFile, Origin
from app.workspace.reading import Workspace
from app.workspace.saving import save
from tests.app.capture.keeping.test_retention import kill
from tests.ui.conftest import Open
from tests.ui.desk import config, do, memory_post, pressing, settle
from ui.window.main_window import MainWindow

EXPOSED = config("open", 9200, host="0.0.0.0")

Begin = Callable[..., MainWindow]


def at_once(call: Callable[..., Any], *args: Any) -> defer.Deferred[Any]:
    return defer.maybeDeferred(call, *args)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LISTENING_POST_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "drafts"


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    save(Workspace((config("alpha"),)), tmp_path / "desk.toml")
    return tmp_path / "desk.toml"


@pytest.fixture
def begin(open_window: Open, folder: Path, tmp_path: Path) -> Begin:
    """Starts a window, on a file where one is named. Its threads answer at once, and it does not wait for pauses."""

    def start(path: Path | None = None) -> MainWindow:
        post, _ = memory_post(config("alpha"))
        post.capturing.folder = tmp_path / "captures"
        post.sender.in_thread = at_once  # type: ignore[method-assign, assignment]
        window = open_window(config("alpha"), post=post)
        if path is not None:
            window.files.open_path(path)
        window.drafts.pause = 0
        window.drafts._timer.setInterval(0)
        defer.Deferred.fromCoroutine(window.drafts.begin())
        settle()
        return window

    return start


def drafts(folder: Path) -> list[Path]:
    return list(folder.glob("*.toml"))


def crash(folder: Path, *services: ServiceConfig, path: Path | None = None, title: str = "New workspace") -> None:
    """What a window with these unsaved changes leaves behind."""
    draft = DraftFile(folder)
    draft.write(Workspace(services), Origin(path, path.name if path else title))
    draft.leave()


def names(window: MainWindow) -> list[str]:
    return list(window._post.services)


def click(button: Any) -> None:
    QTest.mouseClick(button, Qt.LeftButton)
    settle()


# -- the draft of a window


def test_there_is_a_draft_while_there_are_unsaved_changes(begin: Begin, desk: Path, folder: Path, qtbot: QtBot) -> None:
    window = begin(desk)
    window.edits.add(config("more", 9100))
    qtbot.waitUntil(lambda: len(drafts(folder)) == 1)
    assert '"more"' in drafts(folder)[0].read_text()
    window.edits.add(config("most", 9101))
    qtbot.waitUntil(lambda: '"most"' in drafts(folder)[0].read_text())
    assert window.files.save()
    qtbot.waitUntil(lambda: drafts(folder) == [])


def test_undoing_all_changes_takes_the_draft_away(begin: Begin, desk: Path, folder: Path, qtbot: QtBot) -> None:
    window = begin(desk)
    window.edits.remove("alpha")
    qtbot.waitUntil(lambda: len(drafts(folder)) == 1)
    do(window, "undo")
    qtbot.waitUntil(lambda: drafts(folder) == [])


def test_a_window_that_the_user_closes_leaves_none(begin: Begin, desk: Path, folder: Path, qtbot: QtBot) -> None:
    window = begin(desk)
    window.edits.remove("alpha")
    qtbot.waitUntil(lambda: len(drafts(folder)) == 1)
    answer = pressing(QMessageBox.Discard)
    do(window, "quit")
    assert not answer.isActive()
    defer.Deferred.fromCoroutine(window.drafts.finish())
    assert drafts(folder) == []


def test_one_that_is_ended_from_outside_leaves_its_changes_for_the_next(begin: Begin, desk: Path) -> None:
    first = begin(desk)
    first.edits.add(config("more", 9100))
    defer.Deferred.fromCoroutine(first.drafts.finish())
    second = begin(desk)
    bar = second.notices.recovery
    assert bar.isVisible()
    assert re.fullmatch(r"The system ended Listening Post on .* at .*, before everything was saved\.", bar.label.text())
    click(bar.restore)
    assert names(second) == ["alpha", "more"]


def test_two_windows_leave_each_others_drafts_alone(begin: Begin, desk: Path, folder: Path, qtbot: QtBot) -> None:
    first, second = begin(desk), begin(desk)
    first.edits.add(config("first", 9100))
    second.edits.add(config("second", 9101))
    qtbot.waitUntil(lambda: len(drafts(folder)) == 2)
    third = begin(desk)
    assert not third.notices.recovery.isVisible()


def test_a_folder_that_cannot_be_written_is_told_once(begin: Begin, desk: Path, folder: Path, qtbot: QtBot) -> None:
    window = begin(desk)
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("in the way")
    window.edits.remove("alpha")
    qtbot.waitUntil(window.notices.notice.isVisible)
    assert "Unsaved changes would not survive a crash" in window.notices.notice.label.text()


# -- what an earlier run left


def test_it_is_offered_in_words_and_restored_as_one_step(begin: Begin, desk: Path, folder: Path, qtbot: QtBot) -> None:
    crash(folder, config("beta"), config("more", 9100), path=desk)
    window = begin(desk)
    bar = window.notices.recovery
    assert bar.label.text().startswith("Listening Post ended unexpectedly at ")
    assert bar.draft_label.text() == (
        "The unsaved changes to “desk.toml” are still here.\nAdded beta, more. Removed alpha."
    )
    click(bar.restore)
    assert names(window) == ["beta", "more"]
    assert window.isWindowModified()
    assert not bar.isVisible()
    qtbot.waitUntil(lambda: [path.read_text().count("more") for path in drafts(folder)] == [1])
    do(window, "undo")
    assert names(window) == ["alpha"]
    assert not window.isWindowModified()
    qtbot.waitUntil(lambda: drafts(folder) == [])


def test_of_a_workspace_without_a_file_all_services_are_named(begin: Begin, folder: Path) -> None:
    crash(folder, config("alpha"), config("beta", 9100), title="demo")
    assert begin().notices.recovery.draft_label.text() == (
        "The unsaved changes to “demo” are still here.\nIts services: alpha, beta."
    )


def test_what_was_left_stays_until_the_changes_are_in_a_draft_of_this_window(
    begin: Begin, desk: Path, folder: Path, qtbot: QtBot
) -> None:
    crash(folder, config("beta"), path=desk)
    [left] = drafts(folder)
    window = begin(desk)
    window.drafts._timer.setInterval(3_600_000)
    click(window.notices.recovery.restore)
    assert drafts(folder) == [left]
    window.drafts._follow()
    assert len(drafts(folder)) == 1
    assert drafts(folder) != [left]


def test_discarded_it_is_gone(begin: Begin, desk: Path, folder: Path) -> None:
    crash(folder, config("beta"), path=desk)
    window = begin(desk)
    click(window.notices.recovery.discard)
    assert list(folder.iterdir()) == []
    assert names(window) == ["alpha"]
    assert not window.notices.recovery.isVisible()


def test_unanswered_it_is_offered_again(begin: Begin, desk: Path, folder: Path) -> None:
    crash(folder, config("beta"), path=desk)
    defer.Deferred.fromCoroutine(begin(desk).drafts.finish())
    assert begin(desk).notices.recovery.isVisible()


def test_several_are_offered_one_after_another(begin: Begin, desk: Path, folder: Path) -> None:
    crash(folder, config("one"), path=desk)
    crash(folder, config("two"))
    bar = begin(desk).notices.recovery
    click(bar.discard)
    assert bar.isVisible()
    click(bar.discard)
    assert not bar.isVisible()


def test_its_file_is_opened_first(begin: Begin, desk: Path, folder: Path, tmp_path: Path) -> None:
    crash(folder, config("beta"), path=desk)
    save(Workspace((config("other"),)), tmp_path / "other.toml")
    window = begin(tmp_path / "other.toml")
    click(window.notices.recovery.restore)
    assert (window.files.path, window.files.title, names(window)) == (desk, "desk.toml", ["beta"])
    do(window, "undo")
    assert names(window) == ["alpha"]


def test_who_keeps_what_is_open_is_offered_it_again(begin: Begin, desk: Path, folder: Path, tmp_path: Path) -> None:
    crash(folder, config("beta"), path=desk)
    window = begin()
    window.edits.add(config("mine", 9100))
    answer = pressing(QMessageBox.Cancel)
    click(window.notices.recovery.restore)
    assert not answer.isActive()
    assert names(window) == ["alpha", "mine"]
    assert window.notices.recovery.isVisible()


def test_a_file_that_is_gone_meanwhile_is_written_by_the_next_save(begin: Begin, desk: Path, folder: Path) -> None:
    crash(folder, config("beta"), path=desk)
    desk.unlink()
    window = begin()
    click(window.notices.recovery.restore)
    assert names(window) == ["beta"]
    assert window.files.save()
    assert reading.load(desk).services == (config("beta"),)


def test_a_file_that_cannot_be_read_now_keeps_what_was_left(begin: Begin, desk: Path, folder: Path) -> None:
    crash(folder, config("beta"), path=desk)
    desk.write_text("version = 9\n")
    window = begin()
    click(window.notices.recovery.restore)
    assert "The changes to desk.toml were not restored" in window.notices.notice.label.text()
    assert names(window) == ["alpha"]
    assert window.notices.recovery.isVisible()


def test_what_cannot_be_read_of_it_is_told_and_it_stays(begin: Begin, desk: Path, folder: Path) -> None:
    crash(folder, config("beta"), path=desk)
    [left] = drafts(folder)
    left.write_text(left.read_text().replace('"echo"', '"gone"'))
    window = begin(desk)
    click(window.notices.recovery.restore)
    assert "gone" in window.notices.notice.label.text()
    assert names(window) == ["alpha"]
    assert drafts(folder) == [left]


# -- trust


@pytest.mark.parametrize("with_file", [True, False])
def test_what_is_restored_is_asked_about_as_a_file_is(begin: Begin, desk: Path, folder: Path, with_file: bool) -> None:
    crash(folder, EXPOSED, config("plain", 9201), path=desk if with_file else None)
    window = begin(desk)
    click(window.notices.recovery.restore)
    do(window, "start_all")
    services = window._post.services
    assert isinstance(services["open"].status, Held)
    assert isinstance(services["plain"].status, Listening)
    assert window.notices.question.isVisible()
    assert "0.0.0.0" in window.notices.question.list.toPlainText()
    click(window.notices.question.trust_file)
    assert isinstance(services["open"].status, Listening)


def test_nothing_of_what_is_restored_starts_by_itself(begin: Begin, desk: Path, folder: Path) -> None:
    crash(folder, config("plain", 9201, autostart=True), path=desk)
    window = begin(desk)
    click(window.notices.recovery.restore)
    assert window._post.services["plain"].status == Stopped()


# -- with the capture


def test_changes_and_capture_are_offered_in_one_bar(begin: Begin, desk: Path, folder: Path, tmp_path: Path) -> None:
    kill(tmp_path / "captures" / "2026-11-20 10.00.00.lpost")
    crash(folder, config("beta"), path=desk)
    window = begin(desk)
    window.captures.look_for_cut_off()
    bar = window.notices.recovery
    assert bar.capture_label.isVisible()
    assert bar.draft_label.isVisible()
    click(bar.restore)
    assert bar.isVisible()
    assert not bar.draft_label.isVisible()
    assert bar.label.text() == "Last time, Listening Post ended unexpectedly."
    click(bar.later)
    assert not bar.isVisible()


def test_what_waits_for_a_restart_is_in_the_draft_as_it_was_last_without_a_mistake(
    begin: Begin, desk: Path, folder: Path, qtbot: QtBot
) -> None:
    window = begin(desk)
    do(window, "start_all")
    page = window.workbench.open("alpha")
    assert page is not None
    page.show_address()
    port = page.sections.address.port
    QTest.keyClicks(port, "9300")
    qtbot.waitUntil(lambda: "9300" in "".join(path.read_text() for path in drafts(folder)))
    assert not window.files.modified
    port.selectAll()
    QTest.keyClicks(port, "9301")
    qtbot.waitUntil(lambda: "9301" in drafts(folder)[0].read_text())
    page.header.name.setText("")
    page.header.name.textEdited.emit("")
    window.edits.add(config("more", 9100))
    qtbot.waitUntil(lambda: '"more"' in drafts(folder)[0].read_text())
    assert "9301" in drafts(folder)[0].read_text()
    window.edits.undo()
    page.discard()
    qtbot.waitUntil(lambda: drafts(folder) == [])


def test_two_pages_with_the_same_name_spoil_no_draft(begin: Begin, desk: Path, folder: Path, qtbot: QtBot) -> None:
    window = begin(desk)
    window.edits.add(config("beta", 9100))
    do(window, "start_all")
    for name in ("alpha", "beta"):
        page = window.workbench.open(name)
        assert page is not None
        page.header.name.setText("same")
        page.header.name.textEdited.emit("same")
    state = window.files.unsaved()
    assert state is not None
    assert [one.name for one in state.services] == ["alpha", "beta"]
