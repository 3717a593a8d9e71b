"""Errors of metrics."""

from __future__ import annotations

from app.errors import PostError


class MetricsUnavailableError(PostError):
    """Metrics cannot be served: {reason}"""
