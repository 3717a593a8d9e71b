"""The reason phrase of each status of HTTP, as IANA's registry has it (RFC 9110 section 15)."""

from __future__ import annotations

from http import HTTPStatus

UNKNOWN = "Unknown Status"

PHRASES = {status.value: status.phrase for status in HTTPStatus} | {
    # Python 3.11 still has the words of RFC 2616.
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}


def phrase(status: int) -> bytes:
    """The reason phrase of a status; ``UNKNOWN`` for one that is not registered."""
    return PHRASES.get(status, UNKNOWN).encode()
