"""The examples in docs/rest.md and docs/mock.md are right."""

from __future__ import annotations

import re

import pytest

from app import responders, workspace
from tests.helpers import ROOT


@pytest.mark.parametrize("name", ["rest", "mock"])
def test_the_workspace_in_the_docs_is_one(name: str) -> None:
    text = (ROOT / "docs" / f"{name}.md").read_text()
    (source,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    found, problems = workspace.parse(source)
    assert not problems
    assert [service.responder for service in found.services] == [name]


@pytest.mark.parametrize("name", ["rest", "mock"])
def test_the_docs_name_every_option(name: str) -> None:
    text = (ROOT / "docs" / f"{name}.md").read_text()
    found = responders.find(name)
    assert found is not None
    for option in found.options:
        for named in (option, *option.of):
            assert f"`{named.name}`" in text or f"options.{named.name}" in text, named.name
