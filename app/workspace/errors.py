"""Errors of workspace files."""

from __future__ import annotations

from app.errors import PostError


class WorkspaceError(PostError):
    """{problems}"""


class WorkspaceUnreadableError(PostError):
    """Cannot read the workspace {path}: {reason}."""


class WorkspaceUnwritableError(PostError):
    """Cannot save the workspace to {path}: {reason}. Save it somewhere else."""


class RulesUnreadableError(PostError):
    """These rules cannot be used here. {problems}"""


class FaultsUnreadableError(RulesUnreadableError):
    """These faults cannot be used here. {problems}"""
