"""What is remembered between two runs; a broken file costs nothing but what it held."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt5.QtCore import QByteArray

from app.files.folders import APP_NAME
from ui.looks.theme import Fonts
from ui.looks.times import DIGITS, TimeFormat
from ui.settings import LARGEST, MAX_RECENT, MAX_USED, SMALLEST, Settings


def with_text(path: Path, text: str) -> Settings:
    path.write_text(text)
    return Settings(path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "window.ini"


def test_a_new_file_has_the_defaults(file: Path) -> None:
    settings = Settings(file)
    assert (settings.theme, settings.recent, settings.state("geometry")) == ("system", [], None)


def test_values_are_there_in_the_next_run(file: Path, tmp_path: Path) -> None:
    settings = Settings(file)
    settings.theme = "light"
    settings.add_recent(tmp_path / "a, b.toml")
    settings.save_state("left", QByteArray(b"\x00\xff"))
    del settings
    again = Settings(file)
    assert again.theme == "light"
    assert again.recent == [tmp_path / "a, b.toml"]
    assert again.state("left") == QByteArray(b"\x00\xff")


def test_the_newest_workspace_comes_first_once_and_the_oldest_go(file: Path) -> None:
    settings = Settings(file)
    for i in range(MAX_RECENT + 3):
        settings.add_recent(Path(f"/w/{i}.toml"))
    settings.add_recent(Path("/w/7.toml"))
    found = [path.stem for path in settings.recent]
    assert found == ["7", "10", "9", "8", "6", "5", "4", "3"]


def test_a_relative_path_is_remembered_whole(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings(file)
    settings.add_recent(Path("here.toml"))
    assert settings.recent == [tmp_path / "here.toml"]


@pytest.mark.parametrize(
    "value", ["purple", "", "1", "dark, light", "@Invalid()", "@Point(1 2)", "@ByteArray(dark)", "@Variant(\\0\\0)"]
)
def test_a_theme_that_is_none_falls_back(file: Path, value: str) -> None:
    assert with_text(file, f"[General]\ntheme={value}\n").theme == "system"


@pytest.mark.parametrize("value", ["@Point(1 2)", "@Invalid()", "", "@Rect(1 2 3 4)"])
def test_recent_workspaces_that_are_none_fall_back(file: Path, value: str) -> None:
    settings = with_text(file, f"[General]\nrecent={value}\n")
    assert settings.recent == []
    settings.add_recent(Path("/w/a.toml"))
    assert settings.recent == [Path("/w/a.toml")]


def test_paths_that_no_system_has_are_left_out(file: Path) -> None:
    settings = with_text(file, '[General]\nrecent="/w/a\\0b.toml", /w/c.toml, ""\n')
    assert settings.recent == [Path("/w/c.toml")]


@pytest.mark.parametrize("value", ["1", "text", "@Point(1 2)", "@Invalid()", "a, b"])
def test_a_state_that_is_no_bytes_falls_back(file: Path, value: str) -> None:
    assert with_text(file, f"[state]\ngeometry={value}\n").state("geometry") is None


@pytest.mark.parametrize("content", [b"\x00\xff" * 100, b"[[[", b"=\n=", b"[General\ntheme=dark"])
def test_a_file_that_is_no_ini_has_the_defaults(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    settings = Settings(file)
    assert (settings.recent, settings.state("left")) == ([], None)
    assert settings.theme in ("system", "dark")


def test_a_file_that_cannot_be_written_only_forgets(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings = Settings(tmp_path / "file" / "window.ini")
    settings.theme = "dark"
    settings.add_recent(Path("/w/a.toml"))
    del settings
    assert Settings(tmp_path / "file" / "window.ini").recent == []


def test_fonts_times_and_the_rest_are_there_in_the_next_run(file: Path, tmp_path: Path) -> None:
    settings = Settings(file)
    settings.fonts, settings.times = Fonts(15, "Some Mono", 12), TimeFormat(True, 3)
    settings.host, settings.captures = "::1", tmp_path / "captures"
    for key in ("a", "b", "a"):
        settings.add_used(key)
    del settings
    again = Settings(file)
    assert (again.fonts, again.times) == (Fonts(15, "Some Mono", 12), TimeFormat(True, 3))
    assert (again.host, again.captures, again.used) == ("::1", tmp_path / "captures", ["a", "b"])


@pytest.mark.parametrize("value", ["@Point(1 2)", "@Invalid()", "", "x", "-1", "99999999999999999999"])
def test_sizes_and_formats_that_are_none_fall_back(file: Path, value: str) -> None:
    keys = ("font_size", "mono_size", "time_digits", "time_zone")
    settings = with_text(file, "[General]\n" + "".join(f"{key}={value}\n" for key in keys))
    assert SMALLEST <= settings.fonts.size <= LARGEST
    assert SMALLEST <= settings.fonts.mono_size <= LARGEST
    assert settings.times == TimeFormat(digits=settings.times.digits)
    assert settings.times.digits in DIGITS


@pytest.mark.parametrize("value", ["@Point(1 2)", "@Invalid()", "", "relative/path", '"/w/a\\0b"'])
def test_a_folder_or_address_that_is_none_falls_back(file: Path, value: str) -> None:
    settings = with_text(file, f"[General]\ncaptures={value}\nmono={value}\nused={value}\n")
    assert settings.captures is None
    assert isinstance(settings.fonts.mono, str)
    assert len(settings.used) <= 1
    if value.startswith("@"):
        assert with_text(file, f"[General]\nhost={value}\n").host == "127.0.0.1"


def test_what_was_used_is_bounded(file: Path) -> None:
    settings = Settings(file)
    for number in range(MAX_USED + 5):
        settings.add_used(str(number))
    assert len(settings.used) == MAX_USED
    assert settings.used[0] == str(MAX_USED + 4)


def test_it_lives_in_the_folder_of_the_platform() -> None:
    assert Path(Settings()._store.fileName()).parts[-2:] == (APP_NAME, "window.ini")
