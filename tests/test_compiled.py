"""What is done before the processes of tests start is what they would do."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import pytest
from _pytest.assertion.rewrite import AssertionRewritingHook

from tests import compiled


def test_pytest_runs_what_was_rewritten_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    path = tmp_path / "test_x.py"
    path.write_text("def test():\n    x = [1]\n    assert x == [2]\n")
    compiled.rewrite(path)
    monkeypatch.setattr("_pytest.assertion.rewrite._rewrite_test", None)  # it would have to rewrite it again
    hook = AssertionRewritingHook(pytestconfig)
    spec = spec_from_loader("test_x", hook, origin=str(path))
    assert spec is not None
    module = module_from_spec(spec)
    hook.exec_module(module)
    with pytest.raises(AssertionError, match=r"assert \[1\] == \[2\]"):
        module.test()


def test_hypothesis_finds_what_was_found_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from hypothesis.internal import constants_ast

    from app import errors

    path = Path(errors.__file__)
    compiled.look_for_constants(path)
    read: list[object] = []
    found = constants_ast._constants_from_source

    def counted(source: bytes, *, limit: bool) -> object:
        read.append(source)
        return found(source, limit=limit)

    monkeypatch.setattr(constants_ast, "_constants_from_source", counted)
    constants_ast.constants_from_module.__wrapped__(errors)
    assert len(read) == 1
    assert read[0] != path.read_bytes()
