"""The window as a whole: what it says, what it remembers, how it closes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PyQt5.QtCore import QByteArray, Qt
from PyQt5.QtWidgets import QApplication, QMenu, QMessageBox, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from app.capture.reading.reader import Reader
from app.workspace import reading as workspace
from app.workspace.reading import Workspace
from app.workspace.saving import save
from tests.ui.conftest import Open
from tests.ui.desk import config, do, memory_post, pressing, settle
from ui.looks import theme
from ui.settings import Settings
from ui.window.main_window import MainWindow

pytestmark = [
    # Of the offscreen platform, when a dialog is brought to the front or a menu opens.
    pytest.mark.qt_log_ignore(r"^This plugin does not support (raise\(\)|grabbing the keyboard)$"),
]

# -- what it says


def test_trouble_with_the_capture_is_told_until_it_is_mended(window: MainWindow) -> None:
    assert not window.notices.trouble.isVisible()
    assert window.capture_button.text().strip() == "Capturing"
    window._post.recorder.on_trouble("no room left for /<b>x</b>")
    assert window.notices.trouble.isVisible()
    assert "no room left" in window.notices.trouble.label.text()
    assert window.capture_button.text().strip() == "Not capturing"
    assert "<b>" not in window.capture_button.toolTip()
    window._post.recorder.on_stored(0, window._post.recorder.range)
    assert not window.notices.trouble.isVisible()
    assert window.capture_button.text().strip() == "Capturing"


def test_an_invalid_workspace_is_told_in_the_notice_and_the_next_good_one_ends_it(
    window: MainWindow, tmp_path: Path
) -> None:
    bad, good = tmp_path / "bad.toml", tmp_path / "good.toml"
    bad.write_text("version = 1\ncolour = 1\n")
    save(Workspace((config("fresh"),)), good)
    window.files.open_path(bad)
    assert window.notices.notice.isVisible()
    assert f"{bad}:2: colour:" in window.notices.notice.label.text()
    assert list(window._post.services) == ["alpha", "beta"]
    window.files.open_path(good)
    assert not window.notices.notice.isVisible()
    assert window.services.names() == ["fresh"]


def test_the_title_names_the_workspace_and_marks_changes(window: MainWindow) -> None:
    assert window.windowTitle() == "Demo[*] - Listening Post"
    assert not window.isWindowModified()
    window._post.add(config("new", 9100))
    assert window.isWindowModified()


def test_a_file_called_like_qts_own_mark_is_shown_as_it_is(window: MainWindow, tmp_path: Path) -> None:
    odd = tmp_path / "a[*].toml"
    save(Workspace((config(),)), odd)
    window.files.open_path(odd)
    assert window.windowTitle() == "a[*][*].toml[*] - Listening Post"


def test_recent_workspaces_are_in_the_menu_as_they_are_written(window: MainWindow, tmp_path: Path) -> None:
    path = tmp_path / "R&D.toml"
    save(Workspace((config("recent"),)), path)
    window.files.open_path(path)
    recent = window.findChild(QMenu, "recent")
    assert recent is not None
    assert recent.isEnabled()
    assert recent.actions()[0].text() == str(path).replace("&", "&&")
    window.files.new()
    recent.actions()[0].trigger()
    assert list(window._post.services) == ["recent"]


# -- the window itself


@pytest.mark.parametrize(
    ("button", "closed"), [(QMessageBox.Save, True), (QMessageBox.Discard, True), (QMessageBox.Cancel, False)]
)
def test_unsaved_changes_are_asked_about_on_close(
    window: MainWindow, tmp_path: Path, button: QMessageBox.StandardButton, closed: bool
) -> None:
    path = tmp_path / "mine.toml"
    save(Workspace((config("mine"),)), path)
    window.files.open_path(path)
    window._post.add(config("new", 9100))
    told: list[int] = []
    window.closed.connect(lambda: told.append(1))
    answer = pressing(button)
    do(window, "quit")
    assert len(answer.asked) == 1
    assert (not window.isVisible(), bool(told)) == (closed, closed)
    assert len(workspace.load(path).services) == (2 if button == QMessageBox.Save else 1)


def test_without_changes_it_closes_at_once(window: MainWindow, qtbot: QtBot) -> None:
    with qtbot.waitSignal(window.closed):
        window.close()


KIND_COLUMN = 6
"""It is never left out, however narrow the pane is."""


def test_the_next_window_is_as_the_last_one_was(window: MainWindow, open_window: Open) -> None:
    window.resize(1111, 666)
    window.middle.moveSplitter(400, 1)
    window.browser.setSizes([200, 400])
    window.panes.current().view.header.resizeSection(KIND_COLUMN, 222)
    settle()
    sizes = (window.middle.sizes(), window.browser.sizes(), window.side.sizes())
    window.close()
    again = open_window()
    settle()
    assert (again.width(), again.height()) == (1111, 666)
    assert (again.middle.sizes(), again.browser.sizes(), again.side.sizes()) == sizes
    assert again.panes.current().view.header.sectionSize(KIND_COLUMN) == 222


def test_broken_state_is_as_good_as_none(open_window: Open, settings: Settings) -> None:
    for name in ("geometry", "left", "right", "middle", "event_columns"):
        settings.save_state(name, QByteArray(b"\x00\xff nonsense"))
    window = open_window()
    assert (window.width(), window.height()) == (1366, 768)
    assert min(window.middle.sizes()) > 100


@pytest.mark.parametrize("name", ["n" * 60, "漢" * 60, "a & <b>b</b>"])
def test_a_long_name_does_not_widen_the_window(open_window: Open, name: str) -> None:
    window = open_window(config(name))
    settle()
    assert window.minimumSizeHint().width() < 1000
    assert window.middle.sizes()[0] < 400


def test_everything_that_takes_the_focus_has_a_name(window: MainWindow) -> None:
    def named(widget: QWidget) -> bool:
        text = getattr(widget, "text", None)
        return bool(widget.accessibleName() or (callable(text) and text()))

    nameless = [
        f"{type(widget).__name__} {widget.objectName()} in {type(widget.parent()).__name__}"
        for widget in window.findChildren(QWidget)
        if widget.focusPolicy() & Qt.TabFocus and widget.isVisibleTo(window) and not named(widget)
    ]
    assert nameless == []


def test_every_button_of_the_window_has_a_tip(window: MainWindow) -> None:
    assert [b for b in window.findChildren(QToolButton) if b.isVisible() and not b.toolTip() and b.text()] == []


def test_events_that_arrive_after_another_was_chosen_are_not_shown(window: MainWindow) -> None:
    window.browser._on_event_id(7)
    window.browser._on_event_id(0)
    window.browser._on_event(7, None)
    assert window.detail.event_shown() is None


@pytest.mark.usefixtures("dark")
def test_a_window_that_is_gone_does_not_mind_another_theme(
    threaded: Callable[[Path], Reader], settings: Settings, qapp: QApplication, tmp_path: Path
) -> None:
    post: Any = memory_post(config())[0]
    window = MainWindow(post, threaded(tmp_path / "none.lpost"), settings, Workspace(post.configs()), "Demo")
    window.bridge.close()
    window.deleteLater()
    settle()
    theme.apply(qapp, theme.LIGHT)
    assert theme.current() is theme.LIGHT
