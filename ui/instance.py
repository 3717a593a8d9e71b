"""One main window for each user and screen: a second start hands over its file to the first, and ends.

The local socket is in a folder that only its user may enter. It carries a path and a flag, nothing
that could be executed.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_runtime_path
from PyQt5.QtCore import QObject, QTimer, pyqtSignal
from PyQt5.QtNetwork import QLocalServer, QLocalSocket

from app.files.folders import APP_NAME

MAX_BYTES = 8192
"""Of a message. A path on Linux has at most 4,096 bytes."""

CONNECT, ANSWER = 500, 3000
"""Milliseconds to wait for a connection, and for the answer. After that the other program counts as gone."""

MAX_CALLERS = 8

_TAKEN = b"taken\n"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a start of the program asks for: a workspace or a capture to open, and whether to start all services."""

    path: Path | None = None
    start: bool = False

    def encode(self) -> bytes:
        # ensure_ascii, the default, keeps the bytes of a path that are not UTF-8, as lone surrogates.
        return json.dumps({"path": str(self.path) if self.path else None, "start": self.start}).encode() + b"\n"


def decode(line: bytes) -> Wish | None:
    """The wish that a line encodes, or None if it encodes none."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or set(found) != {"path", "start"} or not isinstance(found["start"], bool):
        return None
    path = found["path"]
    if path is None:
        return Wish(None, found["start"])
    if not isinstance(path, str) or "\0" in path or not Path(path).is_absolute():
        return None
    return Wish(Path(path), found["start"])


def address() -> str | None:
    """The name of the socket of this user and screen, or None if there is no private folder for it."""
    screen = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY") or ""
    name = f"window-{hashlib.sha256(screen.encode('utf-8', 'surrogateescape')).hexdigest()[:12]}"
    if sys.platform == "win32":
        return f"{APP_NAME}-{os.environ.get('USERNAME', '')}-{name}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns if XDG_RUNTIME_DIR is not set
        folder = user_runtime_path(APP_NAME, appauthor=False)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = folder.lstat()
    except OSError:
        return None
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        return None
    return str(folder / name)


def hand_over(wish: Wish, name: str) -> bool:
    """Hand a wish to the running window. True if it took it. Blocks for a few seconds at most."""
    socket = QLocalSocket()
    socket.connectToServer(name)
    if not socket.waitForConnected(CONNECT):
        return False
    socket.write(wish.encode())
    answer = b""
    while not answer.endswith(b"\n") and socket.waitForReadyRead(ANSWER):
        answer += bytes(socket.readAll())
    socket.abort()
    return answer == _TAKEN


def answers(name: str) -> bool:
    """Whether a window receives wishes there. Blocks for half a second at most."""
    socket = QLocalSocket()
    socket.connectToServer(name)
    found = bool(socket.waitForConnected(CONNECT))
    socket.abort()
    return found


class Reception(QObject):
    """Receives the wishes of later starts of the program.

    Signals:
        wished: a wish arrived; carries the Wish.
    """

    wished = pyqtSignal(object)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.UserAccessOption)
        self._server.setMaxPendingConnections(MAX_CALLERS)
        self._server.newConnection.connect(self._on_caller)
        self._callers: list[QLocalSocket] = []
        if not self._server.listen(name):
            # A program that crashed left the socket: a running one would have answered ``hand_over``.
            QLocalServer.removeServer(name)
            self._server.listen(name)

    @property
    def open(self) -> bool:
        """Whether it is listening."""
        return self._server.isListening()

    def close(self) -> None:
        """Stop listening and remove the socket."""
        self._server.close()
        for caller in list(self._callers):
            caller.abort()

    def _on_caller(self) -> None:
        while (caller := self._server.nextPendingConnection()) is not None:
            if len(self._callers) >= MAX_CALLERS:
                caller.abort()
                caller.deleteLater()
                continue
            self._callers.append(caller)
            caller.setReadBufferSize(MAX_BYTES + 1)
            caller.readyRead.connect(lambda caller=caller: self._on_bytes(caller))
            caller.disconnected.connect(lambda caller=caller: self._forget(caller))
            timer = QTimer(caller)
            timer.setSingleShot(True)
            timer.timeout.connect(caller.abort)
            timer.start(ANSWER)
            self._on_bytes(caller)

    def _on_bytes(self, caller: QLocalSocket) -> None:
        if caller not in self._callers:
            return
        seen = bytes(caller.peek(MAX_BYTES + 1))
        line, end, rest = seen.partition(b"\n")
        if not end and len(seen) <= MAX_BYTES:
            return
        wish = decode(line) if end and not rest else None
        if wish is None:
            caller.abort()
            return
        caller.write(_TAKEN)
        caller.flush()
        caller.disconnectFromServer()
        self.wished.emit(wish)

    def _forget(self, caller: QLocalSocket) -> None:
        if caller in self._callers:
            self._callers.remove(caller)
            caller.deleteLater()
