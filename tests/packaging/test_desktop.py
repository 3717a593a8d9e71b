"""The files for Linux desktops: installed below a prefix, and checked by the desktop's own tools."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from PyQt5.QtGui import QImage

from app import __version__
from app.capture import schema
from app.files.folders import APP_NAME
from tests.helpers import ROOT

ENTRY = "share/applications/listening-post.desktop"
METADATA = "share/metainfo/org.listeningpost.ListeningPost.metainfo.xml"

MIME = """
import sys
from PyQt5.QtCore import QMimeDatabase
database = QMimeDatabase()
for path in sys.argv[1:]:
    by_content = QMimeDatabase.MatchContent if path.endswith(".bin") else QMimeDatabase.MatchDefault
    found = database.mimeTypeForFile(path, by_content)
    print(found.name(), *found.allAncestors())
"""


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("usr")
    _ran(sys.executable, ROOT / "packaging" / "linux" / "desktop.py", folder)
    return folder


def _ran(*command: str | Path, **env: str) -> str:
    done = subprocess.run(
        list(map(str, command)), env=env or None, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _entry(prefix: Path) -> dict[str, str]:
    return dict(re.findall(r"^(\w+)=(.*)$", (prefix / ENTRY).read_text(), re.MULTILINE))


def test_the_menu_entry_is_valid(prefix: Path) -> None:
    assert _ran("desktop-file-validate", prefix / ENTRY) == ""


def test_the_metadata_is_valid(prefix: Path) -> None:
    assert "successful" in _ran("appstreamcli", "validate", "--no-net", prefix / METADATA)


def test_the_metadata_names_this_version_and_the_menu_entry(prefix: Path) -> None:
    text = (prefix / METADATA).read_text()
    assert re.findall(r'<release version="(.*?)"', text)[0] == __version__
    assert f">{Path(ENTRY).name}<" in text


def test_window_and_menu_entry_find_each_other(prefix: Path) -> None:
    """By the name that ui/boot.py sets as the desktop file's."""
    assert Path(ENTRY).stem == _entry(prefix)["StartupWMClass"] == APP_NAME


@pytest.mark.parametrize("size", [16, 22, 24, 32, 48, 64, 128, 256, 512])
def test_the_icon_has_the_usual_sizes(prefix: Path, size: int) -> None:
    image = QImage(str(prefix / f"share/icons/hicolor/{size}x{size}/apps/listening-post.png"))
    assert (image.width(), image.height()) == (size, size)
    assert image.pixelColor(0, 0).alpha() == 0
    assert image.pixelColor(size // 2, size // 8).alpha() == 255


def test_the_icon_is_there_as_a_drawing(prefix: Path) -> None:
    assert (prefix / "share/icons/hicolor/scalable/apps/listening-post.svg").read_text().startswith("<svg")


def test_the_menu_entry_opens_captures_and_workspaces(prefix: Path, tmp_path: Path) -> None:
    """By content whatever the name, and without claiming every TOML file."""
    shutil.copytree("/usr/share/mime/packages", tmp_path / "share/mime/packages")
    shutil.copy(prefix / "share/mime/packages/listening-post.xml", tmp_path / "share/mime/packages")
    _ran("update-mime-database", tmp_path / "share/mime")
    capture, renamed = tmp_path / f"a{schema.SUFFIX}", tmp_path / "renamed.bin"
    workspace = tmp_path / "none.toml"
    workspace.write_text("version = 1\n")
    with closing(sqlite3.connect(capture, isolation_level=None)) as db:
        schema.create(db)
    shutil.copy(capture, renamed)
    shutil.copy(workspace, tmp_path / "desk.lpost.toml")
    files = [capture, renamed, tmp_path / "desk.lpost.toml", workspace]
    env = {"XDG_DATA_DIRS": str(tmp_path / "share"), "XDG_DATA_HOME": str(tmp_path), "HOME": str(tmp_path)}
    types = [line.split() for line in _ran(sys.executable, "-c", MIME, *files, **env).splitlines()]
    ours = "application/vnd.listening-post"
    assert [found[0] for found in types] == [f"{ours}.capture"] * 2 + [f"{ours}.workspace+toml", "application/toml"]
    assert "application/toml" in types[2]
    assert {found[0] for found in types} <= set(_entry(prefix)["MimeType"].split(";"))
    assert _entry(prefix)["Exec"] == "listening-post %f"
