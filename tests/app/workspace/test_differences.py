"""What differs between two workspace files."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.services.config import ServiceConfig
from app.workspace.differences import Differences, differences
from app.workspace.message import Message
from app.workspace.reading import Workspace
from app.workspace.saving import as_text

BEFORE = """# by hand
version = 1
[[service]]
name = "a"
protocol = "tcp"
listen = "127.0.0.1:9007"
[[service]]
name = "b"
protocol = "http"
listen = "127.0.0.1:9080"
[service.limits]
"""
A = ServiceConfig("a", "tcp", "127.0.0.1", 9007, "echo")
B = ServiceConfig("b", "http", "127.0.0.1", 9080, "inspector")
C = ServiceConfig("c", "tcp", "127.0.0.1", 9010, "echo")


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        ((A, B), Differences()),
        ((A, B, C), Differences(added=("c",))),
        ((B,), Differences(removed=("a",))),
        ((ServiceConfig("a", "tcp", "127.0.0.1", 9008, "echo"), B), Differences(changed=("a",))),
        ((B, A), Differences(others=True)),
        ((replace(A, faults=({"kind": "delay"},)), B), Differences(changed=("a",))),
        ((A, replace(B, seed=7)), Differences(changed=("b",))),
    ],
)
def test_it_is_told_by_names(services: tuple[ServiceConfig, ...], expected: Differences) -> None:
    assert differences(BEFORE, as_text(Workspace(services)).decode()) == expected


def test_messages_are_other_changes() -> None:
    after = as_text(Workspace((A, B), messages=(Message("m", "tcp://127.0.0.1:1"),))).decode()
    assert differences(BEFORE, after) == Differences(others=True)


@pytest.mark.parametrize("odd", ["", "no toml", "service = 7", "service = [1]", "[[service]]\nname = 3\nprotocol = 9"])
def test_what_is_no_workspace_has_no_services_that_count(odd: str) -> None:
    assert "a" in differences(odd, BEFORE).added
    assert "a" in differences(BEFORE, odd).removed


def test_programs_are_named_as_services_are():
    program = '[[program]]\nname = "p"\nrun = ["p.py"]\n'
    assert differences(BEFORE, BEFORE + program) == Differences(added=("p",))
    assert differences(program, program + "autostart = true\n") == Differences(changed=("p",))
    assert differences(program, "") == Differences(removed=("p",))
