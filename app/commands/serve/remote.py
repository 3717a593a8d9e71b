"""How others read and steer a workspace that is served, and how it reads its own outposts."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from socket import gethostname
from typing import TYPE_CHECKING, Any

from app.commands.serve.order import Order
from app.post import Post
from app.text.escapes import one_line

if TYPE_CHECKING:
    from app.outposts.console import Console
    from app.outposts.outpost import Outpost
    from app.outposts.ways.joining import Joining
    from app.outposts.ways.login import Login
    from app.outposts.ways.socket import ControlSocket


class Remote:
    """The socket, the router and the outposts of a run, as far as it has them. Only what it has is imported."""

    def __init__(self, reactor: Any, post: Post, order: Order) -> None:
        self._reactor, self._post, self._order = reactor, post, order
        self._outposts: list[Outpost] = []
        self._socket: ControlSocket | None = None
        self._joining: Joining | None = None
        self._console: Console | None = None

    def open(self) -> None:
        """Raises SocketTakenError."""
        if self._order.control is not None:
            self._listen(self._order.control)
        if self._order.join is not None:
            self._join(self._order.join)
        if self._post.outposts:
            self._read_outposts()

    @property
    def reads(self) -> bool:
        """Whether there are outposts that are read."""
        return self._console is not None and bool(self._console.outposts)

    @property
    def held(self) -> Mapping[str, str]:
        """The outposts that are not read, and why."""
        return self._console.held if self._console is not None else {}

    def _outpost(self, name: str) -> Outpost:
        from app.outposts.outpost import Outpost

        self._outposts.append(Outpost(self._reactor, self._post, name, self._order.allow))
        return self._outposts[-1]

    def _listen(self, path: Path) -> None:
        from app.outposts.ways.socket import ControlSocket

        self._socket = ControlSocket(self._reactor, path, self._outpost(gethostname()))

    def _join(self, login: Login) -> None:
        from app.outposts.ways.joining import Joining
        from app.outposts.ways.sealing import SealedAnswers

        seal = self._order.seal
        sealed = SealedAnswers(login.name, login.key, seal) if seal else None
        self._joining = Joining(self._reactor, self._outpost(login.name), login, _tell, sealed=sealed)
        self._joining.open()

    def _read_outposts(self) -> None:
        from app.outposts.console import Console

        self._console = Console(self._reactor, self._post, gethostname())
        self._console.follow_workspace()
        self._console.open()

    async def close(self) -> None:
        if self._console is not None:
            await self._console.close()
        if self._socket is not None:
            await self._socket.close()
        if self._joining is not None:
            await self._joining.close()
        for outpost in self._outposts:
            outpost.close()


def _tell(line: str) -> None:
    print(one_line(line), file=sys.stderr)
