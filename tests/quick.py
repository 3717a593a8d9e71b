"""Runs the tests of what has changed: ``python -m tests.quick [SINCE]``.

Changed is what differs from the commit ``SINCE``, by default what is not committed yet, and where that
is nothing, what the last commit changed. The tests are those that import a changed module, by themselves or
by way of other modules, ``FARTHEST`` imports away at the most, and those that name a changed file of another
kind. The nearest come first. Beyond ``MOST`` files they are left out, and so are those in ``SLOW``, unless
they have changed themselves.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MOST, FARTHEST = 30, 3
SLOW = ("tests/e2e/", "tests/packaging/", "tests/test_manual.py")


def main() -> None:
    os.chdir(ROOT)
    changed = _changed(*sys.argv[1:2])
    chosen = choose(changed, {path: imports(path) for path in _sources()})
    left = chosen[MOST:]
    print(f"{len(changed)} files have changed: the tests in {len(chosen[:MOST])} files touch them.", flush=True)
    if left:
        print(f"{len(left)} more do, farther away; make test runs all.", flush=True)
    if chosen:
        command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "worksteal", *chosen[:MOST]]
        os.execv(sys.executable, command)


def choose(changed: Iterable[str], imported: dict[str, set[str]]) -> list[str]:
    """The test files to run for changed files, the nearest first.

    ``imported`` has for each Python file the files that it imports.
    """
    changed = set(changed)
    others = [path for path in changed if not path.endswith(".py")]
    distances = dict.fromkeys(changed, 0)
    distances |= {path: 1 for path in imported if _is_test(path) and any(_names(path, other) for other in others)}
    for distance in range(1, FARTHEST + 1):
        near = {path for path, far in distances.items() if far < distance}
        for path, its in imported.items():
            if path not in distances and its & near:
                distances[path] = distance
    mirrors = {str(Path("tests", path).with_name(f"test_{Path(path).name}")) for path in changed}
    found = [test for test in distances if _is_test(test) and (test in changed or not test.startswith(SLOW))]
    return sorted(found, key=lambda test: (distances[test] > 0 and test not in mirrors, distances[test], test))


def imports(path: str) -> set[str]:
    """The Python files of the project that one of them imports, wherever it does."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(Path(path).read_text("utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        found.update(file for name in names for file in _files(name))
    # conftest.py is imported by where it stands.
    found.update(str(folder / "conftest.py") for folder in Path(path).parents if (folder / "conftest.py").exists())
    return found - {path}


def _files(module: str) -> Iterator[str]:
    place = module.replace(".", "/")
    for file in (f"{place}.py", f"{place}/__init__.py"):
        if module.startswith(("app.", "ui.", "tests.")) and Path(file).exists():
            yield file


def _changed(since: str = "HEAD") -> list[str]:
    names = _git("diff", "--name-only", "--diff-filter=d", since)
    names += _git("ls-files", "--others", "--exclude-standard")
    return names or _git("diff", "--name-only", "--diff-filter=d", "HEAD~1")


def _git(*args: str) -> list[str]:
    return subprocess.run(["git", *args], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()


def _sources() -> list[str]:
    return [str(path) for top in ("app", "ui", "tests") for path in sorted(Path(top).rglob("*.py"))]


def _is_test(path: str) -> bool:
    return path.startswith("tests/") and Path(path).name.startswith("test_")


def _names(test: str, path: str) -> bool:
    """Whether a test names a file that is not Python, or the folder it is in at the top."""
    text = Path(test).read_text("utf-8")
    return Path(path).name in text or f'"{Path(path).parts[0]}"' in text


if __name__ == "__main__":
    main()
