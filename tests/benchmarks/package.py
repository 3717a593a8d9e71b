"""The packaged program: its size, and the time from its start to a painted window."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from tests.benchmarks import startup
from tests.benchmarks.context import Bench
from tests.benchmarks.marks import Result
from tests.benchmarks.procs import ROOT
from tests.benchmarks.program import executable, workspace

FOLDER = ROOT / "dist" / "listening-post"
PROGRAM = FOLDER / "listening-post"


def one_file() -> Path | None:
    """The newest one-file program."""
    found = [p for p in ROOT.glob("dist/listening-post-*") if p.is_file() and p.suffix not in (".deb", ".whl", ".gz")]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def built() -> bool:
    return PROGRAM.exists() and one_file() is not None


def measure_size(bench: Bench) -> Result:
    file = one_file()
    assert file is not None, "make package first"
    folder = sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file() and not path.is_symlink())
    return Result("size", file.stat().st_size / 1e6, notes=[f"{file.name}; the folder has {folder / 1e6:.0f} MB"])


def measure_start(bench: Bench) -> Result:
    file = one_file()
    assert file is not None, "make package first"
    commands = {"folder": [str(PROGRAM)], "one file": [str(file)], "checkout": executable()}
    painted: dict[str, list[float]] = {name: [] for name in commands}
    with bench.folder() as folder:
        path = workspace(folder)
        runs = 2 if bench.quick else startup.RUNS
        # The first run of each only fills the file cache.
        for run in range(runs + 1):
            for name, command in commands.items():
                more = [str(path), "--start", "--capture", str(folder / f"{name}-{run}.lpost")]
                _, took = startup.once(bench, folder, [*command, *more])
                if run:
                    painted[name].append(took)
    seconds = {name: median(found) for name, found in painted.items()}
    return Result(
        "frozen",
        seconds["folder"],
        references={name: seconds[name] for name in ("one file", "checkout")},
        notes=[f"painted after {seconds[name]:.2f} s: {name}" for name in commands],
        details={"painted": painted},
    )
