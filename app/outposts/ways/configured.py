"""The way to an outpost, from what the workspace says of it."""

from __future__ import annotations

import shutil
from pathlib import Path
from socket import gethostname
from typing import Any

from twisted.internet.endpoints import UNIXClientEndpoint

from app.files.names import typed
from app.outposts.errors import RouterError
from app.outposts.ways import keys, login, ssh
from app.outposts.ways.carrier import Carrier
from app.outposts.ways.process import ProcessEndpoint
from app.outposts.ways.router_carrier import RouterCarrier
from app.outposts.ways.router_console import RouterConsole
from app.outposts.ways.stream import StreamCarrier
from app.workspace.outposts import OutpostConfig, is_router, is_socket


class Ways:
    """Makes ways to outposts. Those through the same router, by the same key, share one login."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._routers: dict[tuple[Any, ...], RouterConsole] = {}

    def to(self, config: OutpostConfig, folder: Path) -> Carrier:
        """The way to ``config.target``; relative paths start in ``folder``."""
        if not is_router(config.target):
            return carrier_to(self._reactor, config, folder)
        name = config.login or gethostname().split(".")[0]
        key, ca = (folder / typed(path) if path else None for path in (config.key, config.ca))
        where = config.target, config.realm, name, key, ca
        if where not in self._routers:
            self._routers[where] = RouterConsole(self._reactor, config.target, name, lambda: _login(*where))
        return RouterCarrier(self._routers[where], config.name, keys.public_key(config.public_key))


def _login(url: str, realm: str, name: str, key: Path | None, ca: Path | None) -> login.Login:
    """Reads files. Raises RouterError, KeyFileError."""
    if key is None:
        raise RouterError(
            url=url, reason='there is no key for it. Make one with listening-post key, and name it: key = "…"'
        )
    return login.checked(url, realm, name, keys.read(key), ca)


def carrier_to(reactor: Any, config: OutpostConfig, folder: Path) -> Carrier:
    """The way to a socket, whose path starts in ``folder``, or to a host of SSH."""
    if is_socket(config.target):
        path = folder / typed(config.target)
        return StreamCarrier(reactor, config.target, UNIXClientEndpoint(reactor, str(path)))
    program = shutil.which("ssh") or "ssh"
    endpoint = ProcessEndpoint(
        reactor, ssh.command(program, config.target, config.command), ssh.in_words_for(config.target)
    )
    return StreamCarrier(reactor, config.target, endpoint)
