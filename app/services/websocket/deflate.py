"""permessage-deflate (RFC 7692): which offers are accepted, and a workaround for messages that were cut short."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from autobahn.websocket.compress import (
    PERMESSAGE_COMPRESSION_EXTENSION,
    PerMessageDeflate,
    PerMessageDeflateOffer,
    PerMessageDeflateOfferAccept,
)

NAME = "permessage-deflate"

WINDOW_BITS, MEMORY_LEVEL = 12, 5
"""Settings of zlib that take 36 kB for each connection instead of 300 kB (RFC 7692 section 7.1.2)."""

Parameters = dict[str, list[Any]]
"""Parameters as autobahn parses them: a list of values by name; the value is True for a parameter without one."""

_NO_VALUE = re.compile("True")
_VALUES = {
    "server_no_context_takeover": _NO_VALUE,
    "client_no_context_takeover": _NO_VALUE,
    "server_max_window_bits": re.compile("9|1[0-5]"),  # 8 is legal, but zlib cannot do it
    "client_max_window_bits": re.compile("True|[89]|1[0-5]"),
}


def usable(offers: Iterable[tuple[str, Parameters]]) -> Iterator[tuple[str, Parameters]]:
    """The offers that we can accept, of extensions with their parameters. The others do not fail the handshake.

    RFC 7692 sections 5.1 and 7.1.
    """
    for name, parameters in offers:
        if name == NAME and all(_is_right(*parameter) for parameter in parameters.items()):
            yield name, _without_small_window(parameters)


def _is_right(name: str, values: Sequence[Any]) -> bool:
    known = _VALUES.get(name)
    return known is not None and len(values) == 1 and known.fullmatch(str(values[0])) is not None


def _without_small_window(parameters: Parameters) -> Parameters:
    """Without ``client_max_window_bits`` if it is smaller than ours: the client keeps to it without an answer, and
    accepts no larger value in one."""
    (wanted,) = parameters.get("client_max_window_bits", [True])
    if wanted is True or int(wanted) >= WINDOW_BITS:
        return parameters
    return {name: values for name, values in parameters.items() if name != "client_max_window_bits"}


def accept(offers: Sequence[Any]) -> PerMessageDeflateOfferAccept | None:
    """The answer to the first offer of permessage-deflate; None without one."""
    for offer in offers:
        if isinstance(offer, PerMessageDeflateOffer):
            return PerMessageDeflateOfferAccept(
                offer,
                request_max_window_bits=WINDOW_BITS if offer.accept_max_window_bits else 0,
                window_bits=min(offer.request_max_window_bits or WINDOW_BITS, WINDOW_BITS),
                mem_level=MEMORY_LEVEL,
            )
    return None


class _Whole(PerMessageDeflate):
    """WORKAROUND: autobahn has zlib stop at the length of the largest message, and takes the output for all of it.

    zlib may have read the whole frame and not yet have returned the end of its content. One more byte of
    output shows that, and autobahn's own check of the length refuses the message. The code in autobahn is
    ``PerMessageDeflate.decompress_message_data`` in autobahn/websocket/compress_deflate.py.
    """

    def decompress_message_data(self, data: bytes, max_output_len: int | None = None) -> bytes:
        most = None if max_output_len is None else max_output_len + 1
        found: bytes = super().decompress_message_data(data, most)
        return found


def keep_whole() -> None:
    """Install ``_Whole`` in autobahn; calling it again changes nothing."""
    PERMESSAGE_COMPRESSION_EXTENSION[NAME]["PMCE"] = _Whole
