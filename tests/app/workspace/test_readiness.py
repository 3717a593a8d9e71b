"""app.workspace.readiness: what a service would miss is told before it starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.services.config import ServiceConfig
from app.workspace.readiness import missing


def of(protocol: str, responder: str, folder: Path, host: str = "127.0.0.1", **more: Any) -> list[tuple[str, str, str]]:
    return list(missing(ServiceConfig("x", protocol, host, 9, responder, **more), folder))


WRONG_TEMPLATE = 'number 1: the template "template.txt" is wrong: At character 17: }} is missing.'


NO_JSON = "is of no use: The documents in template.txt cannot be used: Expecting value in line 1, column 1."

ELSEWHERE = (
    "is of no use: ../outside.json is not in the workspace's folder. "
    "Put the file there, and give its path relative to that folder."
)

NO_USE = "is of no use: The file {} cannot be read: {}."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "there.json").write_text("{}")
    (tmp_path / "template.txt").write_text("Dear {{path.name")
    (tmp_path / "pages").mkdir()
    (tmp_path.parent / "outside.json").write_text("{}")
    return tmp_path


def test_nothing_is_missing_where_nothing_is_named(folder: Path):
    assert of("http", "rest", folder, tls={}) == of("tcp", "echo", folder) == []


@pytest.mark.parametrize(
    ("responder", "options", "expected"),
    [
        ("rest", {"seed": "there.json", "keep": "new.db"}, []),
        ("rest", {"seed": "none.json"}, [("options", "seed", NO_USE.format("none.json", "there is no such file"))]),
        ("rest", {"seed": "pages"}, [("options", "seed", NO_USE.format("pages", "it is not a file"))]),
        ("rest", {"seed": "template.txt"}, [("options", "seed", NO_JSON)]),
        ("rest", {"seed": "../outside.json"}, [("options", "seed", ELSEWHERE)]),
        (
            "rest",
            {"keep": "../kept.db"},
            [("options", "keep", 'names a file that is not in the workspace\'s folder: "../kept.db"')],
        ),
        ("static", {"root": "pages"}, []),
        ("static", {"root": "there.json"}, [("options", "root", 'names a folder that is not there: "there.json"')]),
        ("mock", {"rules": [{"file": "there.json"}, {"body": "x"}]}, []),
        (
            "mock",
            {"rules": [{"body": "x"}, {"file": "none.txt"}]},
            [
                (
                    "options",
                    "rules",
                    'number 2: file names a file that cannot be read: "none.txt" (there is no such file)',
                )
            ],
        ),
        (
            "mock",
            {"rules": [{"file": "../outside.json"}]},
            [
                (
                    "options",
                    "rules",
                    'number 1: file names a file that is not in the workspace\'s folder: "../outside.json"',
                )
            ],
        ),
        ("mock", {"rules": [{"file": "template.txt"}, {"file": "there.json", "template": True}]}, []),
        (
            "mock",
            {"rules": [{"file": "template.txt", "template": True}]},
            [("options", "rules", WRONG_TEMPLATE)],
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
    assert "the service needs a password or a file of authorized keys" in text
    [(section, key, text)] = of("ssh", "manhole", folder, "0.0.0.0", options={"password": "auto"})
    assert (section, key) == ("", "listen")
    assert "is for this machine only" in text


def test_a_file_that_a_script_sends(folder: Path):
    rules = [{"then": ["send hello", "send-file there.json"]}, {"then": ["send-file  ../outside.json "]}]
    [(section, key, text)] = of("tcp", "script", folder, options={"rules": rules})
    assert (section, key) == ("options", "rules")
    assert text == 'number 2: then step 1 names a file that is not in the workspace\'s folder: "../outside.json"'
