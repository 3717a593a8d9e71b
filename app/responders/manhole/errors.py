"""Errors of the manhole's login."""

from __future__ import annotations

from app.errors import PostError


class ManholeOpenError(PostError):
    """Whoever logs in can run any code, so a password or a file of authorized keys is needed. Set one of both."""


class AuthorizedKeysError(PostError):
    """The authorized keys in {path} cannot be read: {reason}."""
