"""docs/plugins.md: every example is loaded as a plugin, and its tests run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from app.plugin_loader import loading
from app.plugin_loader.source import fault_offers, offers
from app.plugin_loader.table import Table
from app.responders import Responder
from app.services.protocols import PROTOCOLS
from app.workspace import reading
from tests.helpers import ROOT

PAGE = ROOT / "docs" / "plugins.md"
BLOCKS = {
    block[0]: block[1]
    for block in re.findall(r"^```\w+\n# (\S+)\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
}
PLUGINS = [name for name in BLOCKS if name.startswith("plugins/")]


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    for name, text in BLOCKS.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return tmp_path


def test_every_block_of_the_page_has_the_name_of_a_file() -> None:
    assert PAGE.read_text().count("```") == 2 * len(BLOCKS)
    assert {f"tests/test_{Path(name).name}" for name in PLUGINS} <= set(BLOCKS)


@pytest.mark.parametrize("name", PLUGINS)
def test_an_example_loads_and_offers_what_its_text_says(name: str, examples: Path) -> None:
    path = examples / name
    try:
        [brought] = loading.load(path, path.read_bytes())
        [(offered, protocols)] = offers(path.read_bytes(), path.stem) + fault_offers(path.read_bytes())
    finally:
        loading.unload(path)
    fits = set(brought.builders if isinstance(brought, Responder) else brought.protocols)
    assert brought.name == offered == path.stem
    assert set(protocols) <= fits <= set(PROTOCOLS)
    assert brought.help
    assert not brought.help.startswith("From ")


def test_the_workspace_of_the_fault_is_right(examples: Path) -> None:
    table = Table()
    table.trust.everything = True
    try:
        table.enter(examples)
        assert reading.parse((examples / "stutter.toml").read_text())[1] == []
    finally:
        table.enter(None)


def test_the_examples_tests_pass(examples: Path) -> None:
    (examples / "pytest.ini").write_text("[pytest]\npythonpath = plugins\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    # Authors need pytest alone, and its plugins take longer to load than these tests.
    env = os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=examples, env=env, capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == 0, done.stdout
    assert f"{sum(text.count('def test_') for text in BLOCKS.values())} passed" in done.stdout


def test_the_package_offers_what_its_entry_point_says(examples: Path, monkeypatch: Any) -> None:
    project = tomllib.loads(BLOCKS["package/pyproject.toml"])["project"]
    monkeypatch.syspath_prepend(examples / "package")
    [(group, entries)] = project["entry-points"].items()
    [(name, value)] = entries.items()
    [responder] = loading.load_entry_point(EntryPoint(name, value, group))
    assert isinstance(responder, Responder)
    sys.modules.pop("reverse_responder")
    assert (responder.name, responder.help, set(responder.builders)) == ("reverse", "Says it backwards.", {"tcp"})
