"""Errors of the manhole's login."""

from __future__ import annotations

from app.errors import PostError


class ManholeOpenError(PostError):
    """Whoever logs in can run any code, so the service needs a password or a file of authorized keys. Set one
    of them."""


class AuthorizedKeysError(PostError):
    """The authorized keys in {path} cannot be read: {reason}."""
