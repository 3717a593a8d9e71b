"""Does once, on all processors, what each process of tests would do for itself before its first test.

pytest rewrites the assertions of each module of tests, and hypothesis looks for constants in each module of
ours, and for the characters that texts may have; both keep what they have made. In a fresh checkout that is most of
what their start takes. What is called here are inner parts of both: where they have changed, this does nothing, and
the tests do it themselves.
"""

from __future__ import annotations

import os
import py_compile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]
OURS = ("app", "ui", "listening_post")


def rewrite(path: Path) -> None:
    """Keep a module of tests as pytest will run it."""
    from _pytest.assertion import rewrite as inner

    folder = inner.get_cache_dir(path)
    kept = folder / (path.stem + inner.PYC_TAIL)
    if inner._read_pyc(path, kept) is None:
        folder.mkdir(parents=True, exist_ok=True)
        source, code = inner._rewrite_test(path, None)
        inner._write_pyc(None, code, source, kept)


def look_for_constants(path: Path) -> None:
    """Keep what hypothesis finds in one of our modules."""
    from hypothesis.internal.constants_ast import constants_from_module

    module = ModuleType(path.stem)
    module.__file__ = str(path)
    constants_from_module(module)


def look_for_characters() -> None:
    """Keep what hypothesis makes of the tables of Unicode."""
    from hypothesis.internal import charmap

    charmap.charmap()
    charmap.intervals_from_codec("utf-8")


def _prepare(paths: Sequence[Path]) -> None:
    for path in paths:
        if path.is_relative_to(ROOT / "tests"):
            rewritten = path.name == "conftest.py" or path.name.startswith("test_")
            rewrite(path) if rewritten else py_compile.compile(str(path))
        else:
            look_for_constants(path)


def main() -> None:
    paths = [path for name in ("tests", *OURS) for path in sorted((ROOT / name).rglob("*.py"))]
    count = 4 * (os.cpu_count() or 1)
    with ProcessPoolExecutor() as pool:
        parts = [pool.submit(_prepare, paths[i::count]) for i in range(count)]
        for done in [pool.submit(look_for_characters), *parts]:
            try:
                done.result()
            except (AttributeError, ImportError, TypeError) as e:
                print(f"Not prepared, each process of tests does it: {e}")
                return


if __name__ == "__main__":
    main()
