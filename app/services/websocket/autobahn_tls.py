"""WORKAROUND: autobahn reads the channel ID of a TLS connection (RFC 5929) when the connection opens, and
recognizes only Twisted's own transport class (autobahn.twisted.util.transport_channel_id), not a Tap."""

from __future__ import annotations

from typing import Any

import autobahn.twisted.util
import autobahn.twisted.websocket

from app.services.tap.tap import Tap

_channel_id = autobahn.twisted.util.transport_channel_id


def _of_tap(transport: Any, is_server: bool, channel_id_type: str | None = None) -> bytes | None:
    wire = transport.wire if isinstance(transport, Tap) else transport
    return _channel_id(wire, is_server, channel_id_type)


def accept_taps() -> None:
    """Have autobahn ask the transport below a Tap; calling it again changes nothing."""
    for module in (autobahn.twisted.util, autobahn.twisted.websocket):
        module.transport_channel_id = _of_tap  # type: ignore[attr-defined]
