"""The context of a measurement: the display, the number of rounds, folders and the program."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.procs import ROOT
from tests.benchmarks.program import WORKSPACE, Program

CACHE = ROOT / "build" / "bench"
"""The folder for captures that take long to make."""


@dataclass(frozen=True, slots=True)
class Bench:
    """One run of the benchmarks.

    Attributes:
        screen: the display.
        quick: whether to measure for a short time, less exactly.
        rounds: how often the program and its references are measured in turns.
    """

    screen: str
    quick: bool

    @property
    def rounds(self) -> int:
        return 1 if self.quick else 3

    def seconds(self, full: float) -> float:
        return max(1.0, full / 4) if self.quick else full

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """An empty folder, which is removed afterwards."""
        path = Path(tempfile.mkdtemp(prefix="listening-post-bench-"))
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def program(
        self, folder: Path, *, start: bool = True, command: list[str] | None = None, services: str = WORKSPACE
    ) -> Program:
        """The program, with its capture in ``capture.lpost`` of that folder."""
        return Program(self.screen, folder, folder / "capture.lpost", start, command, services)
