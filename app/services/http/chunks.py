"""Twisted's decoder of chunked bodies (RFC 9112 section 7.1), which refuses quoted pairs in extensions."""

from __future__ import annotations

import re

from twisted.web.http import _ChunkedTransferDecoder

_QUOTED = re.compile(rb'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"')


class Chunks(_ChunkedTransferDecoder):
    """A decoder that accepts quoted pairs behind the size of a chunk (section 7.1.1), and ignores them as all there."""

    def _dataReceived_CHUNK_LENGTH(self) -> bool:
        buffer = self._buffer
        end = buffer.find(b"\r\n", self._start)
        extension = buffer.find(b";", 0, max(end, 0))
        if extension >= 0 and buffer.find(b"\\", extension, end) >= 0:
            # Of the same length, so that the bound for the line stays what it is.
            buffer[extension:end] = _QUOTED.sub(lambda quoted: b"_" * len(quoted[0]), bytes(buffer[extension:end]))
        return bool(super()._dataReceived_CHUNK_LENGTH())

    @property
    def trailers(self) -> list[tuple[bytes, bytes]]:
        """The fields behind the last chunk (section 7.1.2), as far as they are fields."""
        lines = (bytes(line).partition(b":") for line in self._trailerHeaders)
        return [(name, value.strip(b" \t")) for name, colon, value in lines if colon]
