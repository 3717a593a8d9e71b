"""The way to an outpost, from what the workspace says of it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from twisted.internet.endpoints import UNIXClientEndpoint

from app.outposts import ssh
from app.outposts.carrier import Carrier
from app.outposts.process import ProcessEndpoint
from app.outposts.stream import StreamCarrier
from app.workspace.outposts import OutpostConfig, is_socket


def carrier_to(reactor: Any, config: OutpostConfig, folder: Path) -> Carrier:
    """The way to ``config.target``; the paths of sockets start in ``folder``."""
    if is_socket(config.target):
        path = folder / Path(config.target).expanduser()
        return StreamCarrier(reactor, config.target, UNIXClientEndpoint(reactor, str(path)))
    program = shutil.which("ssh") or "ssh"
    endpoint = ProcessEndpoint(
        reactor, ssh.command(program, config.target, config.command), ssh.in_words_for(config.target)
    )
    return StreamCarrier(reactor, config.target, endpoint)
