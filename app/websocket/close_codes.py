"""WebSocket's opcodes, and the meanings of its close codes: RFC 6455 sections 5.2, 7.4, 11.7 and IANA's registry."""

from __future__ import annotations

PROTOCOL_ERROR, NO_STATUS, ABNORMAL, INVALID_PAYLOAD = 1002, 1005, 1006, 1007
"""Close codes; no frame may carry ``NO_STATUS`` and ``ABNORMAL`` (RFC 6455 section 7.4.1)."""

_UNSENDABLE = {1004, NO_STATUS, ABNORMAL, 1015}

OPCODES = {"continuation": 0x0, "text": 0x1, "binary": 0x2, "close": 0x8, "ping": 0x9, "pong": 0xA}

_MEANINGS = {
    1000: ("Normal closure", "what the connection was for is done"),
    1001: ("Going away", "a server goes down, or a browser leaves the page"),
    1002: ("Protocol error", "the other side broke the rules of WebSocket"),
    1003: ("Unsupported data", "a type of message that cannot be taken, such as binary where only text is"),
    1004: ("Reserved", "without a meaning so far"),
    1005: ("No status received", "the close frame had no code; never sent as one"),
    1006: ("Abnormal closure", "the connection was lost without a close frame; never sent as one"),
    1007: ("Invalid frame payload data", "a message that does not fit its type, such as text that is not UTF-8"),
    1008: ("Policy violation", "a message that is against the rules of the service"),
    1009: ("Message too big", "a message larger than the other side takes"),
    1010: ("Mandatory extension", "the server did not agree on an extension that the client needs"),
    1011: ("Internal error", "the server met something that it did not expect"),
    1012: ("Service restart", "the service restarts; come again a little later"),
    1013: ("Try again later", "the service is overloaded"),
    1014: ("Bad gateway", "a gateway got a wrong answer from the server behind it"),
    1015: ("TLS handshake", "TLS failed; never sent as a code"),
    3000: ("Unauthorized", "who connects has to say who it is"),
    3003: ("Forbidden", "this is not allowed"),
    3008: ("Timeout", "it took too long"),
}


def meaning(code: int) -> str:
    """The name and meaning of a close code; for a code without a meaning, who may use it."""
    if code in _MEANINGS:
        return ": ".join(_MEANINGS[code])
    if code < 1000:
        return "not used"
    if code < 3000:
        return "reserved for WebSocket itself, and not defined so far"
    if code < 4000:
        return "for libraries and frameworks; not in IANA's registry as we know it"
    if code < 5000:
        return "for private use: what it means is between client and server"
    return "not a close code: they end at 4999"


def may_be_sent(code: int) -> bool:
    """Whether a close frame may carry ``code``: one of IANA's registry, or from 3000 to 4999.

    RFC 6455 section 7.4.2.
    """
    return 3000 <= code < 5000 or (code in _MEANINGS and code not in _UNSENDABLE)


def allow_registered() -> None:
    """Make autobahn accept every code of IANA's registry. A second call changes nothing.

    WORKAROUND: autobahn treats 1014, which was registered after RFC 6455, as a protocol error.
    """
    from autobahn.websocket.protocol import WebSocketProtocol

    allowed = WebSocketProtocol.CLOSE_STATUS_CODES_ALLOWED
    if 1014 not in allowed:
        allowed.append(1014)
