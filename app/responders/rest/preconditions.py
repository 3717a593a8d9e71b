"""Conditional requests (RFC 9110 section 13) for resources with a strong entity tag."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Any

from app.http.problem_json import Problem
from app.http.request_parts import field

_TAG = re.compile(r'\s*(W/)?("[\x21\x23-\x7e\x80-\xff]*")\s*(?:,|$)|\s*,')


def entity_tag(body: bytes) -> bytes:
    """A strong entity tag for a resource with this body."""
    return b'"%s"' % blake2b(body, digest_size=12).hexdigest().encode()


def check(request: Any, tag: bytes | None) -> bool:
    """Whether a GET or HEAD is answered with 304. ``tag`` is None if the resource does not exist.

    Raises Problem 412 if a precondition fails.
    """
    headers = request.requestHeaders
    if headers.hasHeader(b"if-match"):
        wanted = field(request, b"if-match")
        if tag is None or (wanted.strip() != "*" and (False, tag.decode()) not in _tags(wanted)):
            raise Problem(
                412, f"If-Match asks for {wanted}, and {_current_tag(tag, wanted)}", {b"ETag": tag} if tag else None
            )
    if tag is not None and headers.hasHeader(b"if-none-match"):
        unwanted = field(request, b"if-none-match")
        if unwanted.strip() == "*" or any(tag.decode() == other for _, other in _tags(unwanted)):
            if request.method in (b"GET", b"HEAD"):
                return True
            raise Problem(412, f"If-None-Match: {unwanted} forbids it, and it is there", {b"ETag": tag})
    return False


def _current_tag(tag: bytes | None, wanted: str) -> str:
    if tag is None:
        return "it is not there"
    if (True, tag.decode()) in _tags(wanted):  # responses that were compressed have a weak tag
        return f"that is weak: leave out its W/, as in {tag.decode()}"
    return f"its ETag is {tag.decode()}. GET it again"


def _tags(text: str) -> list[tuple[bool, str]]:
    """The entity tags in a header, each as ``(is weak, opaque tag)``."""
    found, at = [], 0
    while match := _TAG.match(text, at):
        if match[2]:
            found.append((match[1] is not None, match[2]))
        if match.end() == at:
            break
        at = match.end()
    return found
