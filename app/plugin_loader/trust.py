"""Which plugin files may run: the user's answers, kept in a file of the data folder."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Literal

Answer = Literal["load", "never"]


class Trust:
    """Answers by path. A file that may run may be changed, too.

    Attributes:
        everything: whether all plugins may run, in this run of the program.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.everything = False
        self._answers: dict[str, Answer] = {}
        with contextlib.suppress(OSError, ValueError, AttributeError):
            read = json.loads(file.read_bytes())
            self._answers = {path: answer for path, answer in read.items() if answer in ("load", "never")}

    def of(self, path: Path) -> Answer | None:
        """What was answered for this file; None where it is to be asked."""
        answer = self._answers.get(str(path))
        return "load" if self.everything and answer is None else answer

    def set(self, path: Path, answer: Answer) -> None:
        """Remember an answer, until ``save`` only in memory."""
        self._answers[str(path)] = answer

    def save(self) -> None:
        """Write the answers, for us alone to read and change. Blocks. Raises OSError."""
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        spare = self.file.with_suffix(".new")
        with contextlib.suppress(FileNotFoundError):
            spare.unlink()
        with os.fdopen(os.open(spare, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            json.dump(self._answers, file, indent=1)
        os.replace(spare, self.file)
