"""Errors of scripts."""

from __future__ import annotations

from app.errors import PostError


class ScriptError(PostError):
    """{problem}."""


class ScriptFailedError(PostError):
    """{text}"""
