"""The settings dialog: what is chosen is kept, and holds at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt5.QtGui import QDesktopServices, QFontDatabase
from PyQt5.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from app.capture.capturing import capture_folder
from app.metrics.serving import MetricsServer
from tests.ui.conftest import Open
from tests.ui.desk import do, memory_post, settle
from ui import settings_dialog
from ui.looks import theme, times
from ui.looks.theme import Fonts
from ui.looks.times import TimeFormat
from ui.settings import Settings
from ui.settings_dialog import SettingsDialog

pytestmark = pytest.mark.usefixtures("dark")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    times.use(TimeFormat())


@pytest.fixture
def opened() -> list[str]:
    return []


@pytest.fixture
def dialog(settings: Settings, qtbot: QtBot, opened: list[str]) -> SettingsDialog:
    made = SettingsDialog(settings, lambda: opened.append("captures"), MetricsServer(None, memory_post()[0]))
    qtbot.addWidget(made)
    made.show()
    return made


def pick(box: object, value: object) -> None:
    box.setCurrentIndex(box.findData(value))  # type: ignore[attr-defined]


def test_a_theme_is_worn_at_once_and_kept(dialog: SettingsDialog, settings: Settings) -> None:
    for name, worn in (("light", theme.LIGHT), ("dark", theme.DARK), ("system", theme.system_theme())):
        pick(dialog.theme, name)
        assert (settings.theme, theme.current()) == (name, worn)


def test_sizes_of_letters_reach_the_whole_program(dialog: SettingsDialog, settings: Settings) -> None:
    dialog.text_size.setValue(15)
    dialog.mono_size.setValue(13)
    assert settings.fonts == Fonts(15, "", 13)
    assert QApplication.font().pointSize() == dialog.font().pointSize() == 15
    assert theme.mono_font().pointSize() == dialog.folder.font().pointSize() == 13


def test_another_font_of_data_is_taken_where_it_is_installed(dialog: SettingsDialog) -> None:
    before = theme.mono_font().family()
    dialog.mono.setCurrentIndex(dialog.mono.count() - 1)
    assert theme.mono_font().family() == dialog.mono.currentData()
    dialog.mono.setCurrentIndex(0)
    assert theme.mono_font().family() == before


def test_times_are_written_as_chosen(dialog: SettingsDialog, settings: Settings) -> None:
    pick(dialog.zone, True)
    pick(dialog.digits, 9)
    assert settings.times == times.current() == TimeFormat(True, 9)
    assert times.clock(3_600_482_007_118 * 1000) == "16:08:02.007 118 000"


def test_a_folder_for_captures_is_kept_and_its_default_is_none(
    dialog: SettingsDialog, settings: Settings, tmp_path: Path
) -> None:
    dialog.folder.setText(str(tmp_path))
    assert settings.captures == tmp_path
    dialog.folder.setText(str(capture_folder()))
    assert settings.captures is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "full path"),
        ("captures", "full path"),
        (__file__, "is a file"),
        ("/" + "x" * 5000, "name is too long"),
        ("/tmp/\0", "full path"),
    ],
)
def test_a_folder_that_is_none_is_told_and_not_kept(
    dialog: SettingsDialog, settings: Settings, text: str, said: str
) -> None:
    dialog.folder.setText(text)
    assert said in dialog.folder.accessibleDescription()
    assert settings.captures is None


def test_the_limit_is_that_of_the_capture_dialog(dialog: SettingsDialog, settings: Settings, opened: list[str]) -> None:
    dialog.limit.setValue(0.5)
    assert settings.capture_limit == 500_000_000
    [more] = [button for button in dialog.findChildren(QPushButton) if "How long" in button.text().replace("&", "")]
    more.click()
    assert opened == ["captures"]


def test_an_address_for_new_services_is_kept_if_it_is_one(dialog: SettingsDialog, settings: Settings) -> None:
    dialog.host.setEditText("[::1]")
    assert settings.host == "::1"
    dialog.host.setEditText("not an address")
    assert settings.host == "::1"
    dialog.host.setEditText("0.0.0.0")
    assert dialog._host_words.text().startswith("⚠ Others on the network")


def test_folders_are_shown_by_the_desktop(
    dialog: SettingsDialog, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: shown.append(url.toLocalFile()))
    dialog.folder.setText(str(tmp_path / "new"))
    for button in dialog.findChildren(QPushButton):
        if "Reveal" in button.text().replace("&", "") and "plugins" not in button.toolTip():
            button.click()
    assert shown == [str(tmp_path / "new")]
    assert (tmp_path / "new").is_dir()


def test_the_window_opens_it_and_new_services_take_its_address(open_window: Open, settings: Settings) -> None:
    settings.host = "::1"
    window = open_window()
    do(window, "settings")
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, SettingsDialog)
    dialog.reject()
    settle()
    made = window.service_actions.create()
    assert made.config().host == "::1"
    made.reject()


def test_larger_letters_make_higher_rows_and_keep_the_columns_in_proportion(
    open_window: Open, settings: Settings, qapp: QApplication
) -> None:
    window = open_window()
    view = window.panes.all.view
    height, width = view._rows.height, view.header.sectionSize(1)
    settings.fonts = Fonts(15, "", 15)
    settings.apply(qapp)
    assert view._rows.height > height
    assert view.header.sectionSize(1) > width * 1.3
    settings.fonts = Fonts()
    settings.apply(qapp)
    assert (view._rows.height, view.header.sectionSize(1)) == (height, width)


def test_the_time_column_grows_with_its_digits(open_window: Open, settings: Settings, qapp: QApplication) -> None:
    view = open_window().panes.all.view
    width = view.header.sectionSize(1)
    settings.times = TimeFormat(digits=9)
    settings.apply(qapp)
    assert view.header.sectionSize(1) > width


@pytest.mark.parametrize("says", [True, False])
def test_d1_a_family_for_data_is_offered_whether_or_not_it_says_that_it_is_one(
    monkeypatch: pytest.MonkeyPatch, says: bool
) -> None:
    monkeypatch.setattr(QFontDatabase, "isFixedPitch", lambda *_: says)
    monkeypatch.setattr(QFontDatabase, "families", lambda *_: [".hidden", "Noto Sans Mono", "Times"])
    assert settings_dialog._mono_families() == (["Noto Sans Mono", "Times"] if says else ["Noto Sans Mono"])
