"""Lists every text that a person reads, one a line with its place: ``python -m tests.texts [window|help|errors|…]``.

The window's are those that can be translated; ``options`` are declared in ``app``, ``errors`` are the docstrings that
become messages, ``help`` is what ``--help`` prints, ``said`` is all else in ``app`` and ``ui`` that reads like a text.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.helpers import ROOT

TRANSLATED = {"tr", "translate", "_translate", "QT_TRANSLATE_NOOP", "in_words", "shown"}
"""Functions whose last text is one of the window."""

WORDS = re.compile(r"[A-Za-z]{2,}\W+[A-Za-z]{2,}")
CODE = re.compile(r"\b(SELECT|INSERT|CREATE|UPDATE|DELETE|PRAGMA)\b|^[\w./-]+$|[{;]\s*$")


def texts(*folders: str) -> Iterator[tuple[str, str, int, str]]:
    """Kind, file, line and text of each; of all folders unless some are named."""
    for path in sorted(path for folder in folders or ("app", "ui") for path in ROOT.glob(f"{folder}/**/*.py")):
        yield from _of_file(path)


def _of_file(path: Path) -> Iterator[tuple[str, str, int, str]]:
    tree, name = ast.parse(path.read_text()), str(path.relative_to(ROOT))
    seen: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and name.endswith("errors.py") and (doc := ast.get_docstring(node)):
            yield "errors", name, node.lineno, doc
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            for statement in node.body:  # docstrings, also of attributes
                if isinstance(statement, ast.Expr):
                    seen.update(
                        id(inner) for inner in ast.walk(statement.value) if isinstance(statement.value, ast.Constant)
                    )
        if isinstance(node, ast.Call):
            yield from _of_call(node, name, seen)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in seen:
            continue
        if WORDS.search(node.value) and not CODE.search(node.value):
            yield "said", name, node.lineno, node.value


def _of_call(node: ast.Call, name: str, seen: set[int]) -> Iterator[tuple[str, str, int, str]]:
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    found = [one for one in (*node.args, *(given.value for given in node.keywords)) if isinstance(one, ast.Constant)]
    words = [one for one in found if isinstance(one.value, str) and id(one) not in seen]
    kind = ""
    if called in TRANSLATED or called == "Action":
        texts = [one for one in words if one.value]  # the disambiguation of one with a number is empty
        kind, words = "window", words if called == "Action" else texts[-1:]
    elif called in (
        "Option",
        "_condition",
        "Condition",
        "Responder",
        "Field",
        "Column",
        "GroupColumn",
        "FaultKind",
        "Limit",
        "Exporter",
    ):
        kind = "options"
    elif called in ("add_argument", "ArgumentParser", "add_parser", "add_argument_group", "Command"):
        kind = "help"
    for one in words if kind else ():
        seen.add(id(one))
        if WORDS.search(one.value) or (kind == "window" and one.value.strip()):
            yield kind, name, one.lineno, one.value


if __name__ == "__main__":
    wanted = set(sys.argv[1:])
    for kind, name, line, text in texts():
        if not wanted or kind in wanted:
            print(f"{kind}\t{name}:{line}\t{' '.join(text.split())}")
