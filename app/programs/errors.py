"""Errors of starting a hosted program."""

from __future__ import annotations

from app.errors import PostError


class NoProgramError(PostError):
    """There is no program {name}: {reason}."""


class OnlyTheProgramError(PostError):
    """Only the program {program} itself can open {name}. Start the program again."""
