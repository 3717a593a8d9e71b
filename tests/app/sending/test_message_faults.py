"""Faults that a saved message is sent with: read, checked, written, remembered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.workspace import history
from app.workspace.message import Message
from app.workspace.reading import Workspace, parse
from app.workspace.saving import save

CUT = {"kind": "cut", "bytes": 3, "then": "reset"}
LATE = {"kind": "delay", "ms": 20.0, "name": "late"}
MESSAGE = Message("hello", "tcp://127.0.0.1:9007", data="hello", fields=[], faults=(CUT, LATE))

TEXT = """version = 1

[[message]]
name = "hello"
url = "{url}"

[[message.fault]]
{fault}
"""


def test_they_are_written_and_read_again(tmp_path: Path):
    file = tmp_path / "x.toml"
    save(Workspace(messages=(MESSAGE, Message("other", "udp://127.0.0.1:9", faults=({"kind": "lose"},)))), file)
    assert "[[message.fault]]" in file.read_text()
    found, problems = parse(file.read_text())
    assert not problems
    assert found.messages[0] == MESSAGE
    assert found.messages[1].faults == ({"kind": "lose"},)
    before = file.read_bytes()
    save(found, file)
    assert file.read_bytes() == before


def test_the_history_has_them(tmp_path: Path):
    history.save(tmp_path / "sent.json", [history.Past(1.0, MESSAGE, "")])
    [past] = history.load(tmp_path / "sent.json")
    assert past.message == MESSAGE


@pytest.mark.parametrize(
    ("fault", "url", "wrong"),
    [
        ('kind = "lose"', "tcp://127.0.0.1:9007", '"lose" is not for tcp'),
        ('kind = "cut"', "udp://127.0.0.1:9007", '"cut" is not for udp'),
        ('kind = "cut"\nbytes = -1', "tcp://127.0.0.1:9007", "must be at least 0"),
        ('kind = "status"', "http://127.0.0.1:9007/", '"status" is not for tcp'),
        ('kind = "refuse"', "tcp://127.0.0.1:9007", "refuse is for services: it acts on their port; how=reset"),
        ('kind = "refuse"', "udp://127.0.0.1:9007", "refuse is for services: it acts on their port"),
        ('kind = "tls"', "tls://127.0.0.1:9007", "tls is for services: it acts on the TLS of a server"),
        ("nth = 2", "tcp://127.0.0.1:9007", "is missing. Use one of"),
        ('kind = "refuse"\nhow = "reset"', "tcp://127.0.0.1:9007", ""),
        ('kind = "cut"', "{{where}}", ""),
    ],
)
def test_what_is_wrong_is_said_with_its_line(fault: str, url: str, wrong: str):
    found, problems = parse(TEXT.replace("{url}", url).replace("{fault}", fault))
    assert bool(found.messages) == (not wrong)
    for problem in problems:
        assert wrong in problem.text
        assert problem.line >= 7
    assert bool(problems) == bool(wrong)


@pytest.mark.parametrize("given", ["fault = 3", 'fault = ["cut"]', "fault = {}"])
def test_what_are_no_tables_is_said(given: str):
    text = f'version = 1\n[[message]]\nname = "x"\nurl = "tcp://127.0.0.1:9"\n{given}\n'
    _, [problem] = parse(text)
    assert (problem.line, problem.text) == (5, "must be tables that begin with [[message.fault]]")


@pytest.mark.parametrize("table", [{"kind": "cut"}, {}])
def test_a_message_without_any_has_no_key(table: dict[str, Any]):
    faults = (table,) if table else ()
    assert ("fault" in Message("x", "tcp://127.0.0.1:9", faults=faults).as_table()) == bool(table)
