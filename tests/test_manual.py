"""The manual: every line that it has people type does what it says, every workspace in it is right, and it builds."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from app import events
from app.capture.filters import language as filters
from app.workspace import reading as workspace
from tests.helpers import ROOT
from tests.manual import Reader, blocks
from ui.actions.table import ACTIONS

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
TYPED = [page for page in PAGES if any(block.language == "console" for block in blocks(page))]
TASKS = (
    "tour",
    "device",
    "api",
    "webhook",
    "twisted",
    "wireshark",
    "send",
    "tls",
    "fail",
    "watch",
    "blocked",
    "program",
)


@pytest.mark.parametrize("page", TYPED, ids=lambda page: page.stem)
def test_what_a_page_has_people_type_does_what_it_says(page: Path, tmp_path: Path) -> None:
    reader = Reader(page, tmp_path, real=page.stem == "tour")
    reader.follow()
    assert reader.typed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_workspaces_of_a_page_are_right(page: Path, tmp_path: Path) -> None:
    """With the plugins that stand beside them."""
    for block in blocks(page):
        path = tmp_path / (block.file or "unnamed.toml")
        path.parent.mkdir(exist_ok=True)
        path.write_text(block.text)
        if block.language == "toml" and block.text.startswith("version = "):
            workspace.load(path)


def test_the_examples_of_filters_are_filters() -> None:
    for example in blocks(DOCS / "filters.md")[0].text.splitlines():
        assert filters.parse(example)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_actions_that_a_page_names_have_the_shortcuts_it_says(page: Path) -> None:
    """As *Menu → Text* (Ctrl+X), or *Text* (Ctrl+X)."""
    texts = {action.text.replace("&", "").rstrip("…"): action for action in ACTIONS}
    for menu, text, keys in re.findall(r"\*(?:(\w+) → )?([^*→]+)\*(?: \((Ctrl[^)]*)\))?", page.read_text("utf-8")):
        if menu or keys:
            assert text in texts
            assert menu in ("", texts[text].menu)
            assert keys in ("", texts[text].keys)


@pytest.mark.parametrize("task", TASKS)
def test_each_task_has_a_page_with_something_to_type_and_a_picture(task: str) -> None:
    page = DOCS / f"{task}.md"
    assert page in TYPED
    assert "](pictures/" in page.read_text("utf-8")


def test_each_picture_is_in_some_page() -> None:
    text = "".join(page.read_text("utf-8") for page in PAGES)
    shown = {path.name for path in (DOCS / "pictures").iterdir() if f"](pictures/{path.name})" in text}
    shown |= {f"{name.removesuffix('.png')}-dark.png" for name in shown}  # the same in the dark theme
    assert [path.name for path in (DOCS / "pictures").iterdir() if path.name not in shown] == []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built pages. One that is in no table of contents, or a link that leads nowhere, fails the build."""
    folder = tmp_path_factory.mktemp("site")
    looks = ROOT / "packaging" / "manual"
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-W",
        "--keep-going",
        "-q",
        "-c",
        looks,
        "-d",
        folder / "tree",
        DOCS,
        folder,
    ]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_pages_build_without_a_warning(site: Path) -> None:
    assert all((site / f"{page.stem}.html").exists() for page in PAGES)


def test_the_built_pages_load_nothing_from_elsewhere(site: Path) -> None:
    loaded = (
        r'<(?:script|img|iframe)[^>]* src="(?:https?:)?//|<link(?![^>]*rel="(?:canonical|license)")[^>]* href="https?:'
    )
    assert [page.name for page in site.glob("*.html") if re.search(loaded, page.read_text("utf-8"))] == []


def test_every_kind_of_event_is_described() -> None:
    assert all(kind.meaning for kind in events.KINDS.values())
