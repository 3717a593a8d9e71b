"""Homes of nobody in a workspace: it opens, and what they name is a folder that is not there."""

from __future__ import annotations

import pytest

from app.outposts.ways.configured import Ways
from app.workspace.gate import all_asks
from app.workspace.outposts import OutpostConfig
from app.workspace.reading import load

NOBODY = "~nobody-of-this-name"


def test_a_program_in_the_home_of_nobody_is_asked_about(tmp_path):
    text = f'version = 1\n[[program]]\nname = "tutorial"\nrun = ["echo.py"]\nfolder = "{NOBODY}/x"\n'
    path = tmp_path / "shop.toml"
    path.write_text(text)
    [ask] = all_asks(load(path))
    assert ask.text.startswith(f"starts the program echo.py in {tmp_path / NOBODY / 'x'}")


@pytest.mark.parametrize("key", ["key", "ca"])
def test_a_key_in_the_home_of_nobody_is_looked_for_when_it_is_needed(tmp_path, key):
    config = OutpostConfig("pi-3", "wss://router.example/ws", **{key: f"{NOBODY}/key"})
    assert Ways(None).to(config, tmp_path).target == "pi-3 at wss://router.example/ws"
