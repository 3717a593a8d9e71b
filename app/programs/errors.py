"""Errors of starting a hosted program."""

from __future__ import annotations

from app.errors import PostError


class NoProgramError(PostError):
    """There is no program {name}: {reason}."""


class NoPythonError(PostError):
    """The program cannot run with {python}: {reason}. Choose another Python with
    --python, or with python in [[program]]."""


class OnlyTheProgramError(PostError):
    """Only the program {program} itself can open {name}. Restart the program."""
