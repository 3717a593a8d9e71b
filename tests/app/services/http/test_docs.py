"""The examples in docs/rest.md and docs/mock.md are right."""

from __future__ import annotations

import json
import re

import pytest

from app import responders
from app.workspace import reading as workspace
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


@pytest.mark.parametrize("path", ["docs/mock.md", "resources/showcase.toml"])
def test_what_the_examples_answer_as_json_is_json(path: str) -> None:
    """Whatever is asked for: the filter ``json`` gives what stands between quotes, and not these."""
    text = (ROOT / path).read_text()
    bodies = re.findall(r"^body = '(\{.*\})'$", text, re.MULTILINE)
    assert bodies
    for body in bodies:
        told = re.sub(r"\{\{[^{}]*\| json\}\}", lambda _: r"a \"name\"", body)
        json.loads(re.sub(r"\{\{[^{}]*\}\}", "1", told))
