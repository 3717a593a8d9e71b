"""Errors of the documents that ``rest`` serves."""

from __future__ import annotations

from app.errors import PostError


class DocumentsError(PostError):
    """The documents in {path} cannot be used: {reason}."""
