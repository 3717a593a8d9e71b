"""autobahn as we need it, for servers and clients alike."""

from __future__ import annotations

from typing import Any

import txaio

from app.services.websocket import deflate
from app.services.websocket.autobahn_tls import accept_taps
from app.websocket import close_codes


def prepare(reactor: Any) -> None:
    """Mend what has to be mended before one of its factories is made; calling it again changes nothing."""
    accept_taps()
    deflate.keep_whole()
    close_codes.allow_registered()
    # autobahn asks txaio for timers, which would import the global reactor by itself.
    txaio.use_twisted()
    txaio.config.loop = reactor  # type: ignore[attr-defined]
