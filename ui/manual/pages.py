"""The pages of the manual, as Markdown files: their order, their sections, and a search in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import resources

INDEX = "index"
"""The page that the manual begins with. Its hidden tables of contents give the order of the others."""

MOST_FOUND = 50
"""Sections that a search gives at the most."""

_HEADING = re.compile(r"(#{1,3}) (.+)")
_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_TOCTREE = re.compile(r"```\{toctree\}\n(.*?)```\n?", re.DOTALL)
_CAPTION = re.compile(r":caption: (.+)")
_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MARKS = re.compile(r"^[-:| ]+$|[`*|]+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with the text below it, up to the next heading.

    Attributes:
        page: name of the page.
        anchor: as in the links of the pages; empty: the beginning of the page.
        title: the heading.
        text: without the marks of Markdown.
    """

    page: str
    anchor: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page. ``group`` is the heading it stands under in the contents; empty: none."""

    name: str
    title: str
    group: str
    markdown: str
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A section that a search found, with the part of its text that has the words."""

    section: Section
    excerpt: str


class Manual:
    """All pages, by name and in their order.

    Attributes:
        folder: that of the pages and of their pictures.
        pages: the index first.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """``folder``: by default the manual that came with the program. Raises OSError if it is not there."""
        self.folder = folder or Path(resources.__file__).parents[1] / "docs"
        index = (self.folder / f"{INDEX}.md").read_text("utf-8")
        self.pages = {INDEX: _page(INDEX, "", index)}
        for listed in _TOCTREE.findall(index):
            caption = _CAPTION.search(listed)
            for name in listed.split("\n"):
                if name and not name.startswith(":"):
                    text = (self.folder / f"{name}.md").read_text("utf-8")
                    self.pages[name] = _page(name, caption[1] if caption else "", text)

    def find(self, words: str) -> list[Found]:
        """The sections that contain all words, those with a word in their heading first."""
        wanted = words.casefold().split()
        if not wanted:
            return []
        found: list[tuple[int, Found]] = []
        for page in self.pages.values():
            for section in page.sections:
                heading = f"{page.title} {section.title}".casefold()
                whole = f"{heading} {section.text}".casefold()
                if all(word in whole for word in wanted):
                    in_heading = sum(word in heading for word in wanted)
                    found.append((-in_heading, Found(section, _excerpt(section.text, wanted))))
        found.sort(key=lambda pair: pair[0])
        return [one for _, one in found[:MOST_FOUND]]


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub and MyST make it."""
    return re.sub(r"[^\w\- ]", "", _plain(heading).lower()).strip().replace(" ", "-")


def _page(name: str, group: str, text: str) -> Page:
    markdown = _COMMENT.sub("", _TOCTREE.sub("", text))
    sections: list[Section] = []
    title, anchor, fence = "", "", ""
    lines: list[str] = []

    def close() -> None:
        if title:
            sections.append(Section(name, anchor if sections else "", title, _plain("\n".join(lines)).strip()))

    for line in markdown.splitlines():
        if mark := _FENCE.match(line):
            fence = "" if fence == mark[1] else fence or mark[1]
            continue
        heading = None if fence else _HEADING.fullmatch(line)
        if heading is None:
            lines.append(line)
            continue
        close()
        title, anchor, lines = _plain(heading[2]), slug(heading[2]), []
    close()
    return Page(name, sections[0].title if sections else name, group, markdown, tuple(sections))


def _plain(markdown: str) -> str:
    return _MARKS.sub("", _LINK.sub(r"\1", markdown))


def _excerpt(text: str, words: list[str], length: int = 100) -> str:
    """The part of ``text`` around the first of ``words``, on one line."""
    flat = " ".join(text.split())
    at = min((place for word in words if (place := flat.casefold().find(word)) >= 0), default=0)
    start = max(0, flat.rfind(" ", 0, max(0, at - length // 3)) + 1) if at > length // 3 else 0
    part = flat[start : start + length]
    return ("… " if start else "") + part + (" …" if start + length < len(flat) else "")
