"""What is wrong with a server's answer to the opening handshake, before autobahn reads it (RFC 6455 section 4.1)."""

from __future__ import annotations

MAX_HEAD = 64 << 10
"""Bytes of the answer; autobahn has no limit."""

MAX_FIELDS = 200
"""Fields of the answer."""


def problem(received: bytes) -> str:
    """Why the answer, of which ``received`` has come so far, cannot be read; empty where nothing is wrong yet.

    It completes a sentence about the server: "it …".
    """
    head, end, _ = received[: MAX_HEAD + 4].partition(b"\r\n\r\n")
    if len(head) > MAX_HEAD:
        return f"sent more than {MAX_HEAD:,} bytes of headers"
    if head.count(b"\r\n") > MAX_FIELDS:
        return f"sent more than {MAX_FIELDS} headers"
    if end:
        try:
            head.decode()
        except UnicodeDecodeError:  # autobahn would raise
            return "sent headers that are not text"
    return ""
