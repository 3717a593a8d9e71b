"""The pages of the manual as the program reads them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.helpers import ROOT
from ui.manual.pages import INDEX, Manual, slug


@pytest.fixture(scope="module")
def manual() -> Manual:
    return Manual()


def test_it_has_every_page_of_docs_in_the_order_of_its_contents(manual: Manual) -> None:
    assert set(manual.pages) == {page.stem for page in (ROOT / "docs").glob("*.md")}
    assert list(manual.pages)[:3] == [INDEX, "tour", "device"]
    assert manual.pages["filters"].group == "Reference"
    assert manual.pages["filters"].title == "Filters"


def test_no_page_shows_marks_of_sphinx_or_comments(manual: Manual) -> None:
    for page in manual.pages.values():
        assert "toctree" not in page.markdown
        assert "<!--" not in page.markdown


def test_every_link_inside_the_manual_leads_to_a_heading(manual: Manual) -> None:
    anchors = {name: {section.anchor for section in page.sections} for name, page in manual.pages.items()}
    wrong = []
    for name, page in manual.pages.items():
        for target, anchor in re.findall(r"\]\(([\w-]*?)(?:\.md)?#([^)]+)\)", page.markdown):
            if anchor not in anchors[target or name]:
                wrong.append((name, target, anchor))
    assert wrong == []


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("certificate trust", ("tls", "have-clients-trust-it")),
        ("TRUST", ("workspace", "trust")),
        ("connections_per_peer", ("services", "servicelimits")),
        ("checksum crc script", ("script", "")),
    ],
)
def test_a_search_finds_sections_that_have_all_words(manual: Manual, words: str, place: tuple[str, str]) -> None:
    found = manual.find(words)
    assert place[0] in {one.section.page for one in found}
    assert not place[1] or place in {(one.section.page, one.section.anchor) for one in found}
    for one in found:
        page = manual.pages[one.section.page]
        whole = f"{page.title} {one.section.title} {one.section.text}".casefold()
        assert all(word in whole for word in words.casefold().split())


def test_a_heading_with_the_word_comes_first(manual: Manual) -> None:
    assert "tls" in f"{manual.find('tls')[0].section.title} {manual.find('tls')[0].section.page}".casefold()


@pytest.mark.parametrize("words", ["", "   ", "zebra crossing"])
def test_a_search_for_nothing_or_for_what_is_not_there_finds_nothing(manual: Manual, words: str) -> None:
    assert manual.find(words) == []


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("Have clients trust it", "have-clients-trust-it"),
        ("`[service.tls]`", "servicetls"),
        ("2. Talk to it", "2-talk-to-it"),
    ],
)
def test_anchors_are_those_of_github(heading: str, anchor: str) -> None:
    assert slug(heading) == anchor


def test_headings_inside_code_are_no_sections(tmp_path: Path) -> None:
    (tmp_path / "index.md").write_text("# Title\n\n```sh\n# a comment\n```\n\n## Next\ntext\n")
    page = Manual(tmp_path).pages[INDEX]
    assert [section.title for section in page.sections] == ["Title", "Next"]


def test_a_manual_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="index"):
        Manual(tmp_path)
