"""A Unix socket through which an outpost is read and steered on the same machine, by the same user."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import struct
from pathlib import Path
from typing import Any

from twisted.internet.interfaces import IAddress, IListeningPort
from twisted.internet.protocol import Factory

from app.errors import system_words
from app.outposts.errors import SocketTakenError
from app.outposts.outpost import Outpost
from app.outposts.ways.answering import Link

MOST_LINKS = 32
"""Consoles at once."""

MOST_BYTES = 100
"""Of the path of a socket; the system's bound is 107 on Linux, 103 on macOS."""


class _Links(Factory):
    noisy = False

    def __init__(self, outpost: Outpost) -> None:
        self._outpost = outpost
        self._links: set[Link] = set()

    def buildProtocol(self, addr: IAddress | None) -> Link:
        link = Link(self._outpost, self._not_admitted, self._links.discard)
        self._links.add(link)
        return link

    def _not_admitted(self, transport: Any) -> str:
        if len(self._links) > MOST_LINKS:
            return f"No more than {MOST_LINKS} consoles can be connected at once"
        return "" if _is_ours(transport.socket) else "Only the user who started this outpost may control it"

    def close(self) -> None:
        for link in list(self._links):
            transport: Any = link.transport
            transport.loseConnection()


def _is_ours(peer: socket.socket) -> bool:
    """Whether the same user, or root, is at the other end. Where the system does not tell, the file's mode decides."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    _, user, _ = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return user in (os.getuid(), 0)


class ControlSocket:
    """The socket of an outpost, on which it listens until ``close``.

    Nobody but its user may connect: the file has mode 0600, a folder that is made for it 0700, and Linux tells who
    connects.
    """

    def __init__(self, reactor: Any, path: Path, outpost: Outpost) -> None:
        """Listen on ``path``. A file that a program has left there which is gone is removed.

        Raises SocketTakenError.
        """
        self.path = path
        self._links = _Links(outpost)
        if not hasattr(socket, "AF_UNIX") or not hasattr(reactor, "listenUNIX"):
            raise SocketTakenError(path=path, reason="this system has no Unix sockets")
        if len(os.fsencode(path)) > MOST_BYTES:
            raise SocketTakenError(path=path, reason=f"its path is longer than {MOST_BYTES} bytes")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make_way(path)
            self._port: IListeningPort = reactor.listenUNIX(str(path), self._links, mode=0o600)
        except SocketTakenError:
            raise
        except Exception as e:
            reason = getattr(e, "socketError", e)
            words = system_words(reason) if isinstance(reason, OSError) else str(reason)
            raise SocketTakenError(path=path, reason=words) from e

    async def close(self) -> None:
        self._links.close()
        closing = self._port.stopListening()
        if closing is not None:
            await closing


def _make_way(path: Path) -> None:
    """Remove the socket of a program that is gone. Raises SocketTakenError, OSError."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise SocketTakenError(path=path, reason="another file is there")
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as probe:
        probe.setblocking(False)  # who listens takes it at once, or has many who wait
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except BlockingIOError:
            pass
    raise SocketTakenError(path=path, reason="another program listens there")
