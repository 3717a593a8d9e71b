"""Hints at framing that does not go with the rules of a script."""

from __future__ import annotations

from json import loads
from typing import Any

import pytest

from app import responders
from app.responders.rulebook import hints_of
from app.text.framing import FRAMINGS
from tests.helpers import run


def found(protocol: str = "tcp", framing: str = "none", **rule: Any) -> list[tuple[str, int | None, str]]:
    options = {"rules": [rule]} | ({"framing": framing} if protocol == "tcp" else {})
    return [(hint.key, hint.item, hint.text) for hint in hints_of("script", protocol, options)]


@pytest.mark.parametrize("rule", [
    {"when": "text", "match": "READ"}, {"when": "bytes", "match": "01 ??"}, {"when": "regex", "match": r"^READ (\d+)$"},
])  # fmt: skip
def test_a_whole_message_cannot_be_compared_without_framing(rule: dict[str, str]) -> None:
    [(key, _, text)] = found(**rule)
    assert key == "match"
    assert "without framing" in text
    assert found(framing="gap", **rule) == []
    assert found("udp", **rule) == found("websocket", **rule) == []
    assert found(on=False, **rule) == []


def test_a_part_of_a_piece_is_nothing_to_point_out() -> None:
    assert found(when="contains", match="READ") == found(when="regex", match="READ") == found(when="connected") == []


def test_the_framings_own_end_is_not_to_be_written_again() -> None:
    then = ["send READY", r"send OK\n\n", r"raw OK\n"]
    assert found(framing="delimiter", then=then) == [
        ("then", 1, r"step 2: ends with \n, and the framing adds one more. Leave it out, or use raw")
    ]
    assert found(framing="none", then=then) == []


def test_every_choice_of_framing_says_what_it_means() -> None:
    script = responders.find("script")
    assert script is not None
    [option] = [option for option in script.options_for("tcp") if option.name == "framing"]
    assert option.helps == tuple(framing.help for framing in FRAMINGS.values())
    assert option.help_of("none").startswith("No messages")
    assert option.help_of("unknown") == option.help


def test_a_variable_that_the_workspace_does_not_have_is_pointed_out() -> None:
    rule = {"then": ["wait 1", "send {{var.a}} {{var.b}}", "send-hex 01"]}
    for protocol in ("tcp", "udp", "websocket"):
        [hint] = hints_of("script", protocol, {"rules": [rule]}, {"a": "1"})
        assert (hint.key, hint.item) == ("then", 1)
        assert hint.text == "step 2: the workspace has no variable b. It has var.a"
        assert not hints_of("script", protocol, {"rules": [rule]}, {"a": "1", "b": "2"})
        assert not hints_of("script", protocol, {"rules": [{**rule, "on": False}]})


def test_check_warns_of_them(tmp_path: Any) -> None:
    workspace = tmp_path / "w.toml"
    workspace.write_text(
        'version = 1\n[[service]]\nname = "lab"\nprotocol = "tcp"\nlisten = "127.0.0.1:9100"\nresponder = "script"\n'
        '[[service.options.rules]]\nwhen = "text"\nmatch = "READ"\nthen = ["send {{var.a}} {{var.b}}"]\n'
        '[variables]\na = "1"\n'
    )
    done = run("check", workspace)
    assert done.returncode == 0
    assert "lab, rule 1: match compares a whole message, but without framing" in done.stderr
    assert "then step 1: the workspace has no variable b. It has var.a" in done.stderr
    [hint] = [
        told for line in run("check", workspace, "--json").stdout.splitlines() if "hint" in (told := loads(line))
    ][1:]
    assert (hint["service"], hint["rule"], hint["key"]) == ("lab", 1, "match")
