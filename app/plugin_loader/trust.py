"""The user's answers whether a plugin may run, stored in a file of the data folder."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Literal

Answer = Literal["load", "never"]


class Trust:
    """Answers by path. An answer stays valid when the file changes.

    Attributes:
        everything: whether all plugins may run until the program ends, unless the answer is "never".
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.everything = False
        self._answers: dict[str, Answer] = {}
        with contextlib.suppress(OSError, ValueError, AttributeError):
            read = json.loads(file.read_bytes())
            self._answers = {path: answer for path, answer in read.items() if answer in ("load", "never")}

    def of(self, path: Path) -> Answer | None:
        """The answer for this file; None if the user must be asked."""
        answer = self._answers.get(str(path))
        return "load" if self.everything and answer is None else answer

    def set(self, path: Path, answer: Answer) -> None:
        """Set an answer in memory. ``save`` writes it."""
        self._answers[str(path)] = answer

    def save(self) -> None:
        """Write the answers to the file, which only its owner can read (0600). Blocks. Raises OSError."""
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        spare = self.file.with_suffix(".new")
        with contextlib.suppress(FileNotFoundError):
            spare.unlink()
        with os.fdopen(os.open(spare, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            json.dump(self._answers, file, indent=1)
        os.replace(spare, self.file)
