"""The manual's pages as their reader follows them: files written, services started, lines typed.

A block below a line that ends with ``name.toml``: is that file. In a block ``console`` what stands
behind ``$`` is typed into a shell, and the lines below it must come back; ``…`` stands for any text, and
alone in a line for any lines. The window is taken for ``serve``, which runs the same services.
Ports are others, so that pages, and whatever else runs, are not in each other's way.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from app.commands import table
from tests import preloaded
from tests.helpers import Serve, kept_port, wait_for

_BLOCK = re.compile(r"(?:`([\w./-]+)`:\n\n)?^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_PORT = re.compile(r"(?<=[:\s=])9\d{3}\b")
_PATIENCE = 60.0
_STARTS = re.compile(r"listening-post (serve )?(\S+\.toml)(.*)")


@dataclass(frozen=True)
class Block:
    """One fenced block: the file that it is, or an empty name."""

    file: str
    language: str
    text: str


def blocks(page: Path) -> list[Block]:
    return [Block(*found.groups("")) for found in _BLOCK.finditer(page.read_text("utf-8"))]


class Reader:
    """Does in ``folder`` what a page says.

    Its commands are forked from a program that is loaded already (``tests.preloaded``), or started as people
    start them (``real``).
    """

    def __init__(self, page: Path, folder: Path, *, real: bool) -> None:
        self._folder = folder
        self._path = Path(sys.executable).parent
        self._passed: list[int] = []
        if not real:
            self._path = folder / "forked"
            self._path.mkdir()
            self._passed.append(preloaded.command(self._path / "listening-post"))
        self._ports: dict[str, str] = {}
        self._held = ExitStack()
        self._serving: dict[str, Serve] = {}
        self._blocks = blocks(page)
        self.typed = 0

    def follow(self) -> None:
        with ExitStack() as stack:
            stack.callback(self._end)
            for block in self._blocks:
                text = _PORT.sub(self._port, block.text)
                if block.file:
                    path = self._folder / block.file
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(text)
                elif block.language == "console":
                    for line, wanted in _lines(text):
                        self._type(line, wanted)

    def _end(self) -> None:
        for serving in self._serving.values():
            serving.end()
        self._held.close()

    def _port(self, found: re.Match[str]) -> str:
        if found[0] not in self._ports:
            self._ports[found[0]] = str(self._held.enter_context(kept_port()))
        return self._ports[found[0]]

    def _type(self, line: str, wanted: str) -> None:
        self.typed += 1
        if starts := _STARTS.fullmatch(line):
            more = starts[3].split()
            if not starts[1]:
                table.window_parser().parse_args([starts[2], *more])  # leaves with a SystemExit where it is wrong
                more = [word for word in more if word != "--start"]
            self._start(starts[2], more)
            return
        pattern, said = _pattern(wanted), self._said(line)
        deadline = monotonic() + _PATIENCE
        # A query may come before the writer has stored the newest.
        while line.startswith("listening-post query") and not pattern.fullmatch(said) and monotonic() < deadline:
            said = self._said(line)
        assert pattern.fullmatch(said), f"$ {line}\n{said}\n-- instead of --\n{wanted}"

    def _said(self, line: str) -> str:
        done = subprocess.run(
            ["bash", "-c", line], cwd=self._folder, env=self._environment(),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False, pass_fds=self._passed,
        )  # fmt: skip
        return done.stdout.decode("utf-8", "backslashreplace").replace("\r", "").strip("\n")

    def _start(self, workspace: str, more: list[str]) -> None:
        if before := self._serving.pop(workspace, None):
            before.end()
        capture = self._folder / "unnamed.lpost"
        if "--capture" in more:
            at = more.index("--capture")
            capture = self._folder / more[at + 1]
            del more[at : at + 2]
        serving = Serve(self._folder / workspace, capture, *more, folder=self._folder)
        self._serving[workspace] = serving
        wait_for(lambda: serving.wait_up() or serving.process.poll() is not None, 60)
        assert serving.process.poll() is None, serving.said

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        path = f"{self._path}:{Path(sys.executable).parent}:{kept.get('PATH', '')}"
        # At a terminal, too, what comes on both streams comes in its order.
        ours = {"PYTHONUNBUFFERED": "1", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        return kept | ours | {"PATH": path, "HOME": str(self._folder)}


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """What is typed, and what is to come back."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        line, _, rest = part.partition("\n")
        while line.endswith("\\"):
            more, _, rest = rest.partition("\n")
            line = line[:-1] + more.removeprefix(">").strip()
        yield line, rest.rstrip("\n")


def _pattern(wanted: str) -> re.Pattern[str]:
    lines = [".*" if line == "…" else ".*?".join(map(re.escape, line.split("…"))) for line in wanted.split("\n")]
    return re.compile("\n".join(lines), re.DOTALL)
