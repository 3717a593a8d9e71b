"""The names at the manhole's prompt, and the keys that it accepts. (tests/app/services/test_ssh.py logs in.)"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.conch.ssh.keys import Key

from app.responders.manhole import errors
from app.responders.manhole.responder import authorized_keys, namespace


def test_services_have_names_that_can_be_typed() -> None:
    post = SimpleNamespace(services={"tcp-echo": 1, "2nd": 2, "post": 3, "help": 4})
    known = namespace({"post": post})
    assert (known["tcp_echo"], known["_2nd"], known["post"], known["services"]) == (1, 2, post, post.services)
    assert callable(known["help"])


def test_help_tells_of_the_services_and_of_things(capsys: Any) -> None:
    known = namespace({"post": SimpleNamespace(services={"tcp-echo": 1})})
    known["help"]()
    assert "tcp_echo" in capsys.readouterr().out
    known["help"](namespace)
    assert "The names at the prompt" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["exit", "quit"])
def test_leaving_does_not_close_the_programs_own_input(name: str, capsys: Any) -> None:
    import sys

    with pytest.raises(SystemExit):
        namespace({})[name]()
    assert not sys.stdin.closed


def test_keys_that_are_none_of_ours_let_nobody_in(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_bytes(b"# comment\n\nnonsense\nssh-new AAAA me\n")
    assert authorized_keys(file, Key.fromString) == []


def test_a_file_that_is_not_there_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(errors.AuthorizedKeysError, match="No such file"):
        authorized_keys(tmp_path / "none", Key.fromString)
