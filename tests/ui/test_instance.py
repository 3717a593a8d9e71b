"""One window for a user: what a second start hands over, and what is not taken."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PyQt5.QtCore import QMimeData, QPoint, Qt, QUrl
from PyQt5.QtGui import QDragEnterEvent, QDropEvent
from PyQt5.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot

from app.workspace.reading import Workspace
from app.workspace.saving import save
from tests.helpers import short_folder
from tests.ui.conftest import Open
from tests.ui.desk import Peer, config, pressing, settle
from ui import instance
from ui.instance import MAX_BYTES, Reception, Wish, decode
from ui.window.main_window import MainWindow

# Of the offscreen platform, when a window is brought to the front.
pytestmark = pytest.mark.qt_log_ignore(r"^This plugin does not support raise\(\)$")


@pytest.fixture
def name(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with short_folder() as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
        found = instance.address()
        assert found is not None
        yield found


@pytest.fixture
def reception(name: str, qtbot: QtBot) -> Iterator[Reception]:
    made = Reception(name)
    made.taken = []  # type: ignore[attr-defined]
    made.wished.connect(made.taken.append)  # type: ignore[attr-defined]
    assert made.open
    yield made
    made.close()
    settle()


def taken(reception: Reception) -> list[Wish]:
    return reception.taken  # type: ignore[attr-defined, no-any-return]


def caller(name: str) -> socket.socket:
    found = socket.socket(socket.AF_UNIX)
    found.settimeout(5)
    found.connect(name)
    found.setblocking(False)
    return found


def answer(peer: socket.socket) -> bytes | None:
    try:
        return peer.recv(100)
    except BlockingIOError:
        return None
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize("wish", [Wish(), Wish(Path("/w/a b.toml"), True), Wish(Path(os.fsdecode(b"/w/\xff.toml")))])
def test_a_wish_arrives_as_it_was(wish: Wish) -> None:
    assert decode(wish.encode()) == wish


@pytest.mark.parametrize(
    "line",
    [
        b"", b"{}", b"[]", b"null", b"1", b"{", b"\xff", b'{"path": "/x"}', b'{"path": 1, "start": false}',
        b'{"path": "x.toml", "start": false}', b'{"path": "/x\\u0000y", "start": false}',
        b'{"path": "/x", "start": 1}', b'{"path": "/x", "start": false, "run": "sh"}', b"[" * 5000,
    ],
)  # fmt: skip
def test_nothing_but_a_whole_path_and_a_flag_is_a_wish(line: bytes) -> None:
    assert decode(line) is None


@given(st.binary(max_size=200))
def test_no_bytes_do_harm(line: bytes) -> None:
    assert decode(line) is None or json.loads(line)


def test_the_socket_is_in_a_folder_that_only_its_user_enters(reception: Reception, name: str) -> None:
    assert Path(name).parent.stat().st_mode & 0o077 == 0
    assert Path(name).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_a_folder_that_others_enter_is_not_used(name: str, mode: int) -> None:
    Path(name).parent.chmod(mode)
    assert instance.address() is None


def test_a_folder_of_somebody_else_is_not_used(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    assert instance.address() is None


def test_a_link_to_a_folder_is_not_used(name: str, tmp_path: Path) -> None:
    Path(name).parent.rename(tmp_path / "other")
    Path(name).parent.symlink_to(tmp_path / "other")
    assert instance.address() is None


def test_another_screen_has_another_window(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":4711")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert instance.address() != name


def test_where_nobody_answers_nothing_is_handed_over(name: str) -> None:
    assert not instance.hand_over(Wish(), name)


def test_what_a_crash_left_is_taken_over(name: str, qtbot: QtBot) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(name)
    left.close()
    assert not instance.hand_over(Wish(), name)
    reception = Reception(name)
    assert reception.open
    reception.close()


def test_a_wish_in_two_pieces_is_taken_once(reception: Reception, name: str, qtbot: QtBot) -> None:
    with caller(name) as peer:
        peer.sendall(b'{"path": "/w/a.toml", ')
        settle()
        peer.sendall(b'"start": true}\n')
        qtbot.waitUntil(lambda: taken(reception) == [Wish(Path("/w/a.toml"), True)])
        qtbot.waitUntil(lambda: answer(peer) == b"taken\n")


@pytest.mark.parametrize("line", [b"hello\n", b"x" * (MAX_BYTES + 1), Wish().encode() * 2])
def test_who_says_anything_else_is_cut_off(reception: Reception, name: str, qtbot: QtBot, line: bytes) -> None:
    with caller(name) as peer:
        peer.sendall(line)
        qtbot.waitUntil(lambda: answer(peer) == b"")
    assert taken(reception) == []


def test_no_more_than_a_few_are_heard_at_a_time(reception: Reception, name: str, qtbot: QtBot) -> None:
    peers = [caller(name) for _ in range(instance.MAX_CALLERS)]
    qtbot.waitUntil(lambda: len(reception._callers) == instance.MAX_CALLERS)
    with caller(name) as one_more:
        qtbot.waitUntil(lambda: answer(one_more) == b"")
    for peer in peers:
        peer.close()
    qtbot.waitUntil(lambda: not reception._callers)


def test_afterwards_no_socket_is_left(reception: Reception, name: str) -> None:
    reception.close()
    assert not Path(name).exists()


def test_a_wish_opens_its_file_in_the_window(open_window: Open, tmp_path: Path, qtbot: QtBot) -> None:
    path = tmp_path / "mine.toml"
    save(Workspace((config("mine"),)), path)
    window = open_window()
    window.showMinimized()
    window.open_wish(Wish(path, True))
    qtbot.waitUntil(lambda: list(window._post.services) == ["mine"] and window._post.services["mine"].running)
    assert not window.isMinimized()
    assert QApplication.activeWindow() is window


def test_a_wish_without_a_file_starts_what_is_here(open_window: Open) -> None:
    window = open_window()
    window.open_wish(Wish(None, True))
    assert all(service.running for service in window._post.services.values())


@pytest.fixture
def on_file(open_window: Open, tmp_path: Path) -> MainWindow:
    """A window on a file with one service, which runs and has a client, and an unsaved change."""
    path = tmp_path / "mine.toml"
    save(Workspace((config("mine"),)), path)
    window = open_window()
    window.files.open_path(path)
    window.service_actions.start_all()
    window._post.services["mine"].connections[1] = Peer(1)  # type: ignore[assignment]
    window.edits.add(config("more", 9050))
    return window


def test_a_wish_for_the_open_file_only_raises_the_window(on_file: MainWindow, tmp_path: Path) -> None:
    (tmp_path / "link.toml").symlink_to("mine.toml")
    running = on_file._post.services["mine"]
    on_file.showMinimized()
    on_file.open_wish(Wish(tmp_path / "link.toml"))
    assert not on_file.isMinimized()
    assert on_file._post.services["mine"] is running
    assert running.connections
    assert on_file.files.modified
    assert not on_file._post.services["more"].running


def test_a_wish_to_start_the_open_file_starts_what_is_down(on_file: MainWindow, tmp_path: Path) -> None:
    on_file.open_wish(Wish(tmp_path / "mine.toml", True))
    assert on_file._post.services["mine"].connections
    assert on_file._post.services["more"].running


def test_a_wish_for_another_file_asks_one_question(on_file: MainWindow, tmp_path: Path) -> None:
    save(Workspace((config("other"),)), tmp_path / "other.toml")
    answer = pressing(QMessageBox.Cancel)
    on_file.open_wish(Wish(tmp_path / "other.toml"))
    assert answer.asked == ["Save the changes to “mine.toml”?"]
    assert list(on_file._post.services) == ["mine", "more"]


def test_a_wish_that_comes_while_a_dialog_is_open_waits_for_no_answer(on_file: MainWindow, tmp_path: Path) -> None:
    save(Workspace((config("other"),)), tmp_path / "other.toml")
    dialog = on_file.service_actions.create()
    on_file.open_wish(Wish(tmp_path / "other.toml"))
    assert on_file.notices.notice.label.text() == "other.toml was not opened, because a dialog is open."
    settle()
    assert QApplication.activeWindow() is dialog
    assert dialog.isVisible()
    dialog.reject()


def test_a_workspace_that_is_dropped_on_the_window_opens(open_window: Open, tmp_path: Path) -> None:
    save(Workspace((config("dropped"),)), tmp_path / "some.toml")
    window, data = open_window(), QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "some.toml"))])
    entering = QDragEnterEvent(QPoint(9, 9), Qt.CopyAction, data, Qt.LeftButton, Qt.NoModifier)
    window.dragEnterEvent(entering)
    assert entering.isAccepted()
    window.dropEvent(QDropEvent(QPoint(9, 9), Qt.CopyAction, data, Qt.LeftButton, Qt.NoModifier))
    settle()
    assert list(window._post.services) == ["dropped"]
    assert window.files.title == "some.toml"
