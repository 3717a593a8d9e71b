"""Faults as TOML, to be copied and pasted."""

from __future__ import annotations

import pytest

from app.workspace.errors import FaultsUnreadableError
from app.workspace.faults_toml import faults_from_toml, faults_to_toml

FAULTS = ({"kind": "delay", "ms": 20.0, "peer": ["10.0.0.7"]}, {"kind": "reset", "match": "PAY\\n", "enabled": False})
WRITTEN = """\
[[service.fault]]
kind = "delay"
ms = 20.0
peer = ["10.0.0.7"]

[[service.fault]]
kind = "reset"
match = 'PAY\\n'
enabled = false
"""


def test_faults_are_written_as_a_workspace_has_them() -> None:
    assert faults_to_toml(FAULTS) == WRITTEN
    assert faults_from_toml(WRITTEN, "tcp") == FAULTS


@pytest.mark.parametrize(
    "text",
    [
        'kind = "hang"\nms = 5',
        '[[fault]]\nkind = "hang"\nms = 5',
        'version = 1\n[[service]]\nname = "a"\n[[service]]\nname = "b"\n[[service.fault]]\nkind = "hang"\nms = 5',
    ],
)
def test_faults_are_found_wherever_they_stand(text: str) -> None:
    assert faults_from_toml(text, "udp") == ({"kind": "hang", "ms": 5},)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nothing", "Line 1: "),
        ("a = 1", r"There are none in the text: write \[\[service.fault\]\] before each"),
        ('kind = "hang"\nms = -1', "Number 1: ms must be at least 0"),
        ('[[fault]]\nkind = "hang"\n[[fault]]\nkind = "reset"', 'Number 2: kind "reset" is not for udp'),
        ("fault = [1]", "There are none in the text"),
    ],
)
def test_what_is_wrong_is_told(text: str, words: str) -> None:
    with pytest.raises(FaultsUnreadableError, match=words):
        faults_from_toml(text, "udp")
