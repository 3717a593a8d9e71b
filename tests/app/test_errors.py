"""The errors that users read: each package has its own, and the reference lists them all."""

from __future__ import annotations

import re
import subprocess
import sys
from types import ModuleType

import pytest

from app.commands.reference import error_tables
from app.errors import PostError
from tests.helpers import ROOT

MODULES = error_tables.modules()


def _descendants(kind: type[PostError]) -> set[type[PostError]]:
    return {found for child in kind.__subclasses__() for found in (child, *_descendants(child))}


def test_each_error_is_in_a_module_that_the_reference_lists() -> None:
    listed = [kind for module in MODULES for kind in error_tables.errors_of(module)]
    assert len(listed) == len(set(listed))
    assert set(listed) == {kind for kind in _descendants(PostError) if kind.__module__.startswith("app.")}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_the_text_of_an_error_is_its_docstring_with_its_fields(module: ModuleType) -> None:
    for kind in error_tables.errors_of(module):
        names = re.findall(r"\{(\w+)\}", kind.__doc__ or "")
        fields = {name: 7 if name == "at" else f"<{name}>" for name in names}
        shown = str(kind(**fields))
        assert all(f"<{name}>" in shown for name in names if name != "at")
        assert "{" not in shown


def test_an_error_is_imported_without_what_raises_it() -> None:
    script = (
        "import sys\n"
        "for name in sys.argv[1:]: __import__(name)\n"
        "print([name for name in sys.modules if name.startswith(('app.', 'twisted')) and not hasattr("
        "sys.modules[name], '__path__') and not name.endswith('.errors')])"
    )
    # The package app.responders itself imports more.
    names = [module.__name__ for module in MODULES if not module.__name__.startswith("app.responders.")]
    command = [sys.executable, "-c", script, *names]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=True)
    assert done.stdout == "[]\n"
