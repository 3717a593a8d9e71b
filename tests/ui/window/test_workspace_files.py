"""New, Open, Save, Save as, Recent, and the question about unsaved changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QFileDialog, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from app.post import Post
from app.status import Listening, Stopped, Stopping
from app.workspace import reading as workspace
from app.workspace.reading import Workspace
from app.workspace.saving import save
from tests.ui.desk import (
    Answer,
    Peer,
    accept_file,
    choosing,
    config,
    memory_post,
    pressing,
    settle,
    type_file,
)
from ui.edits import Edits
from ui.settings import Settings
from ui.window.workspace_files import WorkspaceFiles, demo, demo_file

Press = QMessageBox


class Desk:
    def __init__(self, folder: Path, qtbot: QtBot) -> None:
        opened = save(Workspace((config("alpha"),)), folder / "first.toml")
        self.folder = folder
        self.post: Post = memory_post(*opened.services)[0]
        self.settings = Settings(folder / "window.ini")
        window = QWidget()
        qtbot.addWidget(window)
        self.files = WorkspaceFiles(self.post, Edits(self.post, window), self.settings, opened, "first.toml", window)
        self.failed: list[str] = []
        self.files.failed.connect(self.failed.append)

    def names(self) -> list[str]:
        return list(self.post.services)

    def change(self) -> None:
        self.post.add(config("changed", 9100))

    def other(self, name: str = "other", **more: object) -> Path:
        path = self.folder / f"{name}.toml"
        save(Workspace((config(name, 9200, **more),)), path)
        return path


@pytest.fixture
def desk(tmp_path: Path, qtbot: QtBot) -> Desk:
    return Desk(tmp_path, qtbot)


def test_what_was_opened_is_not_modified_until_it_is(desk: Desk) -> None:
    assert not desk.files.modified
    desk.change()
    assert desk.files.modified


def test_new_begins_without_services_and_without_a_file(desk: Desk) -> None:
    desk.files.new()
    assert (desk.names(), desk.files.path, desk.files.modified) == ([], None, False)
    assert desk.files.title == "New workspace"


def test_opening_takes_the_services_of_the_file_and_remembers_it(desk: Desk) -> None:
    answer = choosing(desk.other())
    desk.files.open()
    assert not answer.isActive()
    assert (desk.names(), desk.files.title, desk.files.modified) == (["other"], "other.toml", False)
    assert [path.name for path in desk.settings.recent] == ["other.toml", "first.toml"]


def test_a_cancelled_open_changes_nothing(desk: Desk) -> None:
    answer = Answer(lambda dialog: dialog.reject())
    desk.files.open()
    assert not answer.isActive()
    assert desk.names() == ["alpha"]


def test_opening_starts_what_is_to_start_by_itself(desk: Desk) -> None:
    desk.files.open_path(desk.other(autostart=True))
    assert isinstance(desk.post.services["other"].status, Listening)
    answer = pressing(Press.Ok)
    desk.files.open_path(desk.other("second"))
    assert not answer.isActive()
    assert desk.post.services["second"].status == Stopped()


def test_an_invalid_workspace_shows_where_and_what_and_changes_nothing(desk: Desk) -> None:
    bad = desk.folder / "bad.toml"
    bad.write_text('version = 1\n\n[[service]]\nname = "x"\nprotocol = "smoke"\nlisten = "127.0.0.1:1"\n')
    desk.files.open_path(bad)
    [text] = desk.failed
    assert "bad.toml was not opened, and nothing was changed." in text
    assert f"{bad}:5: protocol:" in text
    assert (desk.names(), desk.files.title) == (["alpha"], "first.toml")
    assert [path.name for path in desk.settings.recent] == ["first.toml"]


def test_a_file_that_is_gone_says_so(desk: Desk) -> None:
    desk.files.open_path(desk.folder / "gone.toml")
    assert "Cannot read the workspace" in desk.failed[0]
    assert desk.names() == ["alpha"]


def test_what_goes_well_takes_the_old_complaint_away(desk: Desk) -> None:
    desk.files.open_path(desk.folder / "gone.toml")
    desk.files.open_path(desk.other())
    assert desk.failed[-1] == ""


def test_save_writes_to_the_file_it_came_from(desk: Desk) -> None:
    desk.change()
    assert desk.files.save()
    assert not desk.files.modified
    assert [s.name for s in workspace.load(desk.folder / "first.toml").services] == ["alpha", "changed"]


@pytest.mark.parametrize(("typed", "written"), [("mine", "mine.toml"), ("mine.txt", "mine.txt")])
def test_save_as_writes_elsewhere_and_goes_on_there(desk: Desk, typed: str, written: str) -> None:
    desk.change()
    answer = choosing(desk.folder / typed)
    assert desk.files.save_as()
    assert not answer.isActive()
    assert desk.files.path == desk.folder / written
    assert len(workspace.load(desk.folder / written).services) == 2
    assert len(workspace.load(desk.folder / "first.toml").services) == 1


def test_save_as_asks_before_it_writes_over_the_file_that_the_suffix_leads_to(desk: Desk) -> None:
    other = desk.other()
    before = other.read_text()
    questions: list[Answer] = []

    def reply(dialog: QFileDialog) -> None:
        questions.append(pressing(Press.No))
        accept_file(dialog, desk.folder / "other")
        dialog.reject()

    answer = Answer(reply)
    assert not desk.files.save_as()
    assert not answer.isActive()
    assert len(questions[0].asked) == 1
    assert other.read_text() == before


def test_a_place_that_cannot_be_written_to_is_told_and_nothing_is_saved(desk: Desk) -> None:
    desk.change()
    answer = Answer(lambda dialog: (type_file(dialog, desk.folder / "no" / "x.toml"), dialog.done(1)))
    assert not desk.files.save_as()
    assert not answer.isActive()
    assert "Cannot save the workspace" in desk.failed[-1]
    assert desk.files.modified


def test_the_demo_is_saved_elsewhere(desk: Desk) -> None:
    desk.files.open_demo()
    assert desk.names() == [service.name for service in demo().services]
    assert (desk.files.path, desk.files.modified) == (None, False)


@pytest.mark.parametrize(
    ("button", "settled", "saved"), [(Press.Save, True, 2), (Press.Discard, True, 1), (Press.Cancel, False, 1)]
)
def test_unsaved_changes_are_asked_about(
    desk: Desk, button: QMessageBox.StandardButton, settled: bool, saved: int
) -> None:
    desk.change()
    answer = pressing(button)
    assert desk.files.settled() is settled
    assert answer.asked == ["Save the changes to “first.toml”?"]
    assert len(workspace.load(desk.folder / "first.toml").services) == saved


def test_without_changes_nobody_is_asked(desk: Desk) -> None:
    assert desk.files.settled()


@pytest.mark.parametrize("act", ["new", "open_showcase", "open_demo"])
def test_cancelled_at_the_question_nothing_is_opened(desk: Desk, act: str) -> None:
    desk.change()
    answer = pressing(Press.Cancel)
    getattr(desk.files, act)()
    assert len(answer.asked) == 1
    assert desk.names() == ["alpha", "changed"]


def test_a_workspace_opened_while_services_stop_waits_for_them(desk: Desk) -> None:
    alpha = desk.post.services["alpha"]
    desk.post.start_all()
    peer = alpha.connections[1] = Peer(1)  # type: ignore[assignment]
    alpha.stop()
    assert alpha.status == Stopping()
    desk.files.open_path(desk.other("second", autostart=True))  # nothing is up any more that could be asked about
    desk.files.open_path(desk.other("third", autostart=True))
    assert desk.names() == ["alpha"]
    alpha.remove_connection(peer)
    settle()
    assert desk.names() == ["third"]
    assert isinstance(desk.post.services["third"].status, Listening)
    assert desk.files.title == "third.toml"


def test_open_asks_once_it_knows_the_file(desk: Desk) -> None:
    desk.change()
    answers: list[Answer] = []

    def choose(dialog: QFileDialog) -> None:
        answers.append(pressing(Press.Cancel))
        accept_file(dialog, desk.other())

    first = Answer(choose)
    desk.files.open()
    assert not first.isActive()
    assert answers[0].asked == ["Save the changes to “first.toml”?"]
    assert desk.names() == ["alpha", "changed"]


# -- what would stop


def start(desk: Desk, *peers: int) -> None:
    desk.post.start_all()
    for number in peers:
        desk.post.services["alpha"].connections[number] = Peer(number)  # type: ignore[assignment]


def texts_at(act: Callable[[], object], button: QMessageBox.StandardButton) -> list[tuple[str, str]]:
    """Texts of the questions that ``act`` leads to; each is answered by that button."""
    found: list[tuple[str, str]] = []

    def reply(box: QMessageBox) -> None:
        found.append((box.text(), box.informativeText()))
        QTest.mouseClick(box.button(button), Qt.LeftButton)

    answer = Answer(reply)
    act()
    answer.stop()
    return found


def test_what_runs_is_named_before_another_file_stops_it(desk: Desk) -> None:
    start(desk, 1, 2)
    other = desk.other()
    assert texts_at(lambda: desk.files.open_path(other), Press.Cancel) == [
        (
            "Stop the services and open “other.toml”?",
            "Opening “other.toml” stops 1 service and disconnects 2 clients.",
        )
    ]
    assert isinstance(desk.post.services["alpha"].status, Listening)
    desk.post.services["alpha"].connections.clear()
    texts_at(lambda: desk.files.open_path(other), Press.Ok)
    assert desk.names() == ["other"]


def test_unsaved_changes_and_what_runs_are_one_question(desk: Desk) -> None:
    start(desk, 1)
    desk.change()
    assert texts_at(desk.files.new, Press.Cancel) == [
        (
            "Save the changes to “first.toml”?",
            "Your changes are lost if you do not save them. The capture is kept either way.\n\n"
            "Opening “New workspace” stops 1 service and disconnects 1 client.",
        )
    ]
    assert isinstance(desk.post.services["alpha"].status, Listening)


def test_who_leaves_the_program_is_asked_about_clients_that_would_be_cut_off(desk: Desk) -> None:
    start(desk)
    assert desk.files.settled()  # nobody is connected: nothing is lost
    start(desk, 1, 2)
    [(asked, more)] = texts_at(desk.files.settled, Press.Cancel)
    assert asked == "Quit and disconnect 2 clients?"
    assert more == "Connected to “alpha”: 2 clients. Quitting stops all services. The capture is kept."
    assert isinstance(desk.post.services["alpha"].status, Listening)
    answers = []
    texts_at(lambda: answers.append(desk.files.settled()), Press.Ok)
    assert answers == [True]


def test_unsaved_changes_and_clients_that_would_be_cut_off_are_one_question(desk: Desk) -> None:
    start(desk, 1)
    desk.change()
    [(asked, more)] = texts_at(desk.files.settled, Press.Cancel)
    assert asked == "Save the changes to “first.toml”?"
    assert "Connected to “alpha”: 1 client. Quitting stops all services." in more


# -- the file that is open


@pytest.fixture
def ways(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Paths of the file that is open."""
    monkeypatch.chdir(desk.folder)
    (desk.folder / "link.toml").symlink_to("first.toml")
    return [desk.folder / "first.toml", Path("first.toml"), Path("link.toml"), desk.folder / "x" / ".." / "first.toml"]


def test_the_open_file_is_known_by_every_path(desk: Desk, ways: list[Path]) -> None:
    (desk.folder / "x").mkdir()
    assert all(map(desk.files.is_open, ways))
    assert not desk.files.is_open(desk.other())
    (desk.folder / "first.toml").unlink()
    assert desk.files.is_open(desk.folder / "first.toml")


def test_the_demo_is_known_by_its_file(desk: Desk) -> None:
    assert not desk.files.is_open(demo_file())
    desk.files.open_path(demo_file())
    assert (desk.files.path, desk.files.title) == (None, "Demo")
    assert desk.files.is_open(demo_file())


def test_opening_the_open_file_stops_nothing(desk: Desk) -> None:
    start(desk, 1)
    before = desk.post.services["alpha"]
    desk.files.open_path(desk.folder / "first.toml")
    assert desk.post.services["alpha"] is before
    assert isinstance(before.status, Listening)


def test_opening_the_open_file_reads_it_again_once_it_differs(desk: Desk) -> None:
    save(Workspace((config("beta", 9300),)), desk.folder / "first.toml")
    desk.files.open_path(desk.folder / "first.toml")
    assert desk.names() == ["beta"]
    desk.change()
    texts_at(lambda: desk.files.open_path(desk.folder / "first.toml"), Press.Discard)
    assert (desk.names(), desk.files.modified) == (["beta"], False)


# -- saving over what another program wrote


@pytest.mark.parametrize(("button", "saved"), [(Press.Save, ["alpha", "changed"]), (Press.Cancel, ["theirs"])])
def test_what_another_program_wrote_is_asked_about_before_it_is_overwritten(
    desk: Desk, button: QMessageBox.StandardButton, saved: list[str]
) -> None:
    desk.change()
    path = desk.folder / "first.toml"
    save(Workspace((config("theirs", 9400),)), path)
    [(text, _)] = texts_at(desk.files.save, button)
    assert text == "Another program has changed “first.toml”. Overwrite its changes?"
    assert [service.name for service in workspace.load(path).services] == saved
    assert desk.files.modified == (button == Press.Cancel)


def test_a_file_that_is_gone_is_written_without_a_question(desk: Desk) -> None:
    desk.change()
    (desk.folder / "first.toml").unlink()
    assert desk.files.save()
    desk.post.add(config("again", 9101))
    assert desk.files.save()
