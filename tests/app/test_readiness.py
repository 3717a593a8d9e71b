"""app.readiness: what a service would miss is told before it starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.readiness import missing
from app.services.config import ServiceConfig


def of(protocol: str, responder: str, folder: Path, host: str = "127.0.0.1", **more: Any) -> list[tuple[str, str, str]]:
    return list(missing(ServiceConfig("x", protocol, host, 9, responder, **more), folder))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "there.json").write_text("{}")
    (tmp_path / "pages").mkdir()
    return tmp_path


def test_nothing_is_missing_where_nothing_is_named(folder: Path):
    assert of("http", "rest", folder, tls={}) == of("tcp", "echo", folder) == []


@pytest.mark.parametrize(
    ("responder", "options", "expected"),
    [
        ("rest", {"seed": "there.json", "keep": "new.db"}, []),
        ("rest", {"seed": "none.json"}, [("options", "seed", 'names a file that is not there: "none.json"')]),
        ("rest", {"seed": "pages"}, [("options", "seed", 'names a file that is not there: "pages"')]),
        ("rest", {"seed": "a\0b"}, [("options", "seed", 'names a file that is not there: "a\0b"')]),
        ("static", {"root": "pages"}, []),
        ("static", {"root": "there.json"}, [("options", "root", 'names a folder that is not there: "there.json"')]),
        ("mock", {"rules": [{"file": "there.json"}, {"body": "x"}]}, []),
        (
            "mock",
            {"rules": [{"body": "x"}, {"file": "none.txt"}]},
            [("options", "rules", 'number 2: file names a file that is not there: "none.txt"')],
        ),
    ],
)
def test_files_and_folders(responder: str, options: dict[str, Any], expected: list[Any], folder: Path):
    assert of("http", responder, folder, options=options) == expected


def test_a_certificate(folder: Path):
    assert of("tcp", "echo", folder, tls={"certificate": "there.json", "key_log": "new.txt"}) == []
    found = of("tcp", "echo", folder, tls={"certificate": "none.pem", "client_ca": "none.pem"})
    assert [(section, key) for section, key, _ in found] == [("tls", "certificate"), ("tls", "client_ca")]


def test_who_may_log_in_and_from_where(folder: Path):
    assert of("ssh", "manhole", folder, options={"password": "auto"}) == []
    [(section, key, text)] = of("ssh", "manhole", folder)
    assert (section, key) == ("options", "password")
    assert "a password or a file of authorized keys is needed" in text
    [(section, key, text)] = of("ssh", "manhole", folder, "0.0.0.0", options={"password": "auto"})
    assert (section, key) == ("", "listen")
    assert "is for this machine only" in text
