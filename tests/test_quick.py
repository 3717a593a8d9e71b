"""What ``make quick`` runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import quick
from tests.helpers import ROOT

IMPORTED = {
    "app/a.py": set(),
    "app/b.py": {"app/a.py"},
    "tests/shared.py": {"app/b.py"},
    "tests/app/test_a.py": {"app/a.py"},
    "tests/app/test_c.py": {"app/a.py", "app/b.py"},
    "tests/app/test_d.py": {"tests/shared.py"},
    "tests/e2e/test_e.py": {"app/a.py"},
}


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in IMPORTED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")


@pytest.mark.parametrize(
    ("changed", "chosen"),
    [
        (["app/a.py"], ["tests/app/test_a.py", "tests/app/test_c.py", "tests/app/test_d.py"]),
        (["app/b.py"], ["tests/app/test_c.py", "tests/app/test_d.py"]),
        (["tests/shared.py"], ["tests/app/test_d.py"]),
        (["tests/e2e/test_e.py"], ["tests/e2e/test_e.py"]),
        (["README.md"], []),
    ],
)
def test_the_nearest_tests_of_what_has_changed_come_first(changed: list[str], chosen: list[str]) -> None:
    assert quick.choose(changed, IMPORTED) == chosen


def test_a_file_that_is_not_python_is_touched_by_tests_that_name_it(tmp_path: Path) -> None:
    (tmp_path / "tests/app/test_c.py").write_text('open("docs/tour.md")')
    assert quick.choose(["docs/tour.md"], IMPORTED) == ["tests/app/test_c.py"]


def test_imports_are_files_of_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    found = quick.imports("tests/test_quick.py")
    assert {"tests/quick.py", "tests/helpers.py", "tests/conftest.py"} <= found
    assert all(Path(path).exists() for path in found)
