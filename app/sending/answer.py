"""The answer to an HTTP request, without its body."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and times of an answer that has come to its end.

    Attributes:
        method, target: of the request.
        version: as ``HTTP/1.1``.
        fields: its headers, in the order in which they came; latin-1 stands for bytes.
        size: bytes of its body, without the transfer coding.
        first_byte, seconds: from the request to the first byte, and to the last, in seconds.
        whole: whether the body came to its end.
    """

    method: str
    target: str
    version: str
    status: int
    reason: str
    fields: tuple[tuple[str, str], ...]
    size: int
    first_byte: float
    seconds: float
    whole: bool
