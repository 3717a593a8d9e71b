"""Sets autobahn up for servers and clients."""

from __future__ import annotations

from typing import Any

import txaio

from app.services.websocket import deflate
from app.services.websocket.autobahn_tls import accept_taps
from app.websocket import close_codes


def prepare(reactor: Any) -> None:
    """Apply all workarounds; call it before making a factory of autobahn. Calling it again changes nothing."""
    accept_taps()
    deflate.keep_whole()
    close_codes.allow_registered()
    # autobahn gets timers from txaio, which would otherwise import the global reactor.
    txaio.use_twisted()
    txaio.config.loop = reactor  # type: ignore[attr-defined]
