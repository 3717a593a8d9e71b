"""A run of ``listening-post outpost``: serves a workspace to the one console at its standard input and output."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from socket import gethostname
from typing import TYPE_CHECKING, Any

from twisted.internet.stdio import StandardIO

from app.commands.running import Run
from app.outposts.outpost import Outpost
from app.outposts.ways.answering import Link
from app.post import Post
from app.text.escapes import one_line
from app.workspace.reading import Workspace

if TYPE_CHECKING:
    from app.outposts.protocol import Allow


class _Run(Run):
    def __init__(self, reactor: Any, workspace: Workspace, capture: Path | None, limit: int, allow: Allow) -> None:
        super().__init__(reactor)
        self._capture, self._limit = capture, limit
        self._post = Post(reactor, workspace)
        self._outpost = Outpost(reactor, self._post, gethostname(), allow)
        # What a plugin prints is not to stand between answers.
        self._answers = os.dup(1)
        os.dup2(2, 1)

    async def start(self) -> None:
        await self._post.open(self._capture, self._limit)
        if self._post.capturing.refused:
            trouble = self._post.recorder.trouble
            print(one_line(f"listening-post: {trouble.text if trouble else 'no capture'}"), file=sys.stderr)
            self.exit_code = 1
            self.stop()
            return
        link = Link(self._outpost, lambda transport: "", lambda link: self.stop())
        stdio: Any = StandardIO  # mypy takes it for that of Windows
        stdio(link, stdin=0, stdout=self._answers, reactor=self._reactor)
        await self._post.start_all()

    async def shut_down(self) -> None:
        self._outpost.close()
        await self._post.shut_down()


def run(reactor: Any, workspace: Workspace, capture: Path | None, limit: int, allow: Allow) -> int:
    """Serve ``workspace`` until the console is gone. Returns the exit code."""
    return _Run(reactor, workspace, capture, limit, allow).run_reactor()
