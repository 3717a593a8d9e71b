"""The docs: their tables are those of the code, their links lead somewhere, their workspaces are right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.commands.reference import pages, tables
from app.workspace import reading as workspace
from tests.helpers import ROOT
from ui.actions import reference as shortcut_reference

DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [*DOCS, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_tables_made_from_the_code_are_fresh(page: Path) -> None:
    """`make docs` writes them."""
    text = page.read_text("utf-8")
    assert text == pages.refreshed(text, {**tables.BLOCKS, **shortcut_reference.BLOCKS})


def test_each_block_of_the_reference_is_in_some_page() -> None:
    written = "".join(page.read_text("utf-8") for page in DOCS)
    assert all(f"<!-- {name} -->" in written for name in (*tables.BLOCKS, *shortcut_reference.BLOCKS))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_that_are_there(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", [*DOCS, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_a_paragraph_is_one_line(page: Path) -> None:
    """Two beside each other are what a merge leaves of two versions of one: they would be shown as one paragraph."""
    prose = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert re.findall(r"^[*\[`]{0,2}\w.*\n[*\[`]{0,2}[A-Za-z].*", prose, re.MULTILINE) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_section_stands_once(page: Path) -> None:
    """A second one of the same name is what a merge leaves of two versions."""
    sections = re.findall(r"^## .*", page.read_text("utf-8"), re.MULTILINE)
    assert len(sections) == len(set(sections))


@pytest.mark.parametrize("house", ["app", "ui"])
def test_the_plan_of_rooms_is_that_of_the_folders(house: str) -> None:
    """Each room stands in the table of CONTRIBUTING.md, and what the table names is there."""
    plan = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition(f"| room of `{house}` |")[2].partition("\n\n")[0]
    rooms = set[str]()
    for row in plan.splitlines()[2:]:
        _, names, lives = row.strip("| ").split(" | ", 2)
        here = re.findall(r"`([^`]+)`", names)
        rooms.update(here)
        for name in re.findall(r"`([^`]+)`", lives):
            assert any((place / name).exists() for place in (ROOT, *(ROOT / house / room for room in here))), name
    folders = {path.parent.name for path in (ROOT / house).glob("*/__init__.py")}
    assert rooms == folders | {path.name for path in (ROOT / house).glob("*.py")} - {"__init__.py"}


@pytest.mark.parametrize("name", ["demo.toml", "showcase.toml"])
def test_workspaces_that_come_along_are_right(name: str) -> None:
    assert workspace.problems_of(ROOT / "resources" / name) == []


def test_the_showcase_has_a_service_of_each_protocol_and_responder() -> None:
    from app import responders
    from app.services.protocols import PROTOCOLS

    services = workspace.load(ROOT / "resources" / "showcase.toml").services
    demo = workspace.load(ROOT / "resources" / "demo.toml").services
    assert {service.protocol for service in services} == set(PROTOCOLS)
    assert {service.responder for service in (*services, *demo)} == set(responders.built_in())
    assert any(service.tls is not None for service in services)
    assert not any(service.exposed for service in services)


@pytest.mark.parametrize("name", ["docs/mock.md", "resources/showcase.toml"])
def test_what_is_escaped_for_json_stands_in_quotes(name: str) -> None:
    around = re.findall(r"(.)\{\{[^{}]*\| json\}\}(.)", (ROOT / name).read_text())
    assert set(around) == {('"', '"')}
