"""app.http.media_types."""

from __future__ import annotations

import mimetypes
import re

import pytest

from app.http import media_types
from app.http.media_types import type_of


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.HTML", "text/html; charset=utf-8"),
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.mjs", "text/javascript; charset=utf-8"),
        ("a.json", "application/json"),
        ("a.svg", "image/svg+xml"),
        ("a.wasm", "application/wasm"),
        ("a.png", "image/png"),
        ("a.tar.gz", "application/gzip"),
        ("a.css.gz", "application/gzip"),
        ("a.b.tar", "application/x-tar"),
        ("a.svgz", "application/gzip"),
        ("a.md", "text/markdown; charset=utf-8"),
        ("a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (".json", "application/octet-stream"),
        ("README", "application/octet-stream"),
        ("a.nothing-known", "application/octet-stream"),
    ],
)
def test_a_name_tells_its_type(name: str, kind: str) -> None:
    assert type_of(name) == kind


def test_c17_a_segment_of_a_video_is_one_whatever_the_machine_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(mimetypes.types_map, ".ts", "text/vnd.trolltech.linguist")
    monkeypatch.setattr(mimetypes, "guess_type", lambda name: ("text/vnd.trolltech.linguist", None))
    assert type_of("a.ts") == "video/mp2t"
    assert type_of("a.m3u8") == "application/vnd.apple.mpegurl"


def test_each_suffix_has_one_type_and_each_type_is_one() -> None:
    suffixes = [suffix for several in media_types._SUFFIXES.values() for suffix in several.split()]
    assert len(suffixes) == len(set(suffixes))
    assert all(re.fullmatch(r"[a-z0-9]+", suffix) for suffix in suffixes)
    for kind in media_types._SUFFIXES:
        assert re.fullmatch(r"(application|audio|font|image|message|model|text|video)/[a-z0-9.+-]+", kind)
