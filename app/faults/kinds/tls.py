"""``tls``: a handshake goes wrong, or a certificate is. It acts below the Tap, on connections of a service with TLS."""

from __future__ import annotations

from typing import cast

from app.faults import CONNECT, STREAMS, FaultKind
from app.faults.hits import Hit
from app.faults.kinds.delay import DAY_MS
from app.faults.targets import SecuredTarget
from app.options import Option

EXPIRED, NOT_YET_VALID, WRONG_NAME = "expired", "not-yet-valid", "wrong-name"
UNKNOWN_AUTHORITY, MISSING_INTERMEDIATE = "unknown-authority", "missing-intermediate"
SELF_SIGNED, WEAK_KEY, WRONG_ALPN = "self-signed", "weak-key", "wrong-alpn"
STALL_BEFORE, STALL_WITHIN = "stall-before", "stall-within"
CUT_HELLO, CUT_SERVER_HELLO = "cut-after-client-hello", "cut-after-server-hello"
GARBAGE, ALERT, NO_CLOSE_NOTIFY = "garbage", "alert", "no-close-notify"

_HOW = {
    EXPIRED: "shows a certificate that expired yesterday",
    NOT_YET_VALID: "shows a certificate that will be valid in a year",
    WRONG_NAME: "shows a certificate for wrong.invalid",
    UNKNOWN_AUTHORITY: "shows a certificate of an authority that nobody knows",
    MISSING_INTERMEDIATE: "shows a certificate without that of the intermediate authority, which signed it",
    SELF_SIGNED: "shows a certificate that has signed itself",
    WEAK_KEY: "shows a certificate for an RSA key of 1,024 bits",
    WRONG_ALPN: "chooses an application protocol that no client offers",
    STALL_BEFORE: "leaves the ClientHello without an answer",
    STALL_WITHIN: "sends the ServerHello and not what follows it",
    CUT_HELLO: "ends the connection after the ClientHello",
    CUT_SERVER_HELLO: "ends the connection after the ServerHello",
    GARBAGE: "sends noise in the place of the ServerHello, then closes",
    ALERT: "sends the alert {code} in the place of the ServerHello, then closes",
    NO_CLOSE_NOTIFY: "will close without close_notify",
}

SHOWN = (
    EXPIRED, NOT_YET_VALID, WRONG_NAME, UNKNOWN_AUTHORITY, MISSING_INTERMEDIATE, SELF_SIGNED, WEAK_KEY, WRONG_ALPN,
)  # fmt: skip
"""What is wrong with what OpenSSL shows of us; the rest is what we do or leave."""

_STALLS, _CUTS = (STALL_BEFORE, STALL_WITHIN), (CUT_HELLO, CUT_SERVER_HELLO)

CLOSE, RESET = "close", "reset"


def _act(hit: Hit) -> str:
    how, milliseconds = hit.options["how"], hit.options["ms"]
    cast(SecuredTarget, hit.target).spoil_handshake(hit)
    words = _HOW[how].format(code=hit.options["code"])
    if how in _STALLS and milliseconds:
        return f"{words}, for {milliseconds:.0f} ms"
    return f"{words}, by RST" if how in _CUTS and hit.options["then"] == RESET else words


KIND = FaultKind(
    "tls",
    "Shows a wrong certificate, or breaks the TLS handshake",
    _act,
    STREAMS,
    (CONNECT,),
    (
        Option("how", str, EXPIRED, "What is wrong: the certificate, the handshake or its end", choices=tuple(_HOW)),
        Option("code", int, 80,
               "Number of the alert (RFC 8446, section 6.2), such as 40: handshake failure, 80: internal error",
               "", 0, 255, when=("how", (ALERT,))),
        Option("ms", float, 0.0, "Duration of a stall; 0: until the fault is switched off", "ms", 0.0, DAY_MS,
            when=("how", _STALLS)),
        Option("then", str, CLOSE, "How the connection ends", choices=(CLOSE, RESET), when=("how", _CUTS)),
    ),
    tls=True,
)  # fmt: skip
