"""Standard output, which may be full, closed, or a pipe that nobody reads any more."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from io import TextIOWrapper
from typing import TextIO, cast

from app import errors


@contextlib.contextmanager
def in_words() -> Iterator[None]:
    """What goes wrong when standard output is written raises OutputError.

    A pipe whose reader has had enough raises BrokenPipeError, which is no mistake.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as e:
        raise errors.OutputError(reason=e.strerror or e) from e


class _Output(TextIOWrapper):
    """For ``sys.stdout``: raises as ``in_words`` does."""

    def write(self, text: str) -> int:
        with in_words():
            return super().write(text)

    def flush(self) -> None:
        with in_words():
            super().flush()


@contextlib.contextmanager
def ours() -> Iterator[None]:
    """Have ``print`` raise OutputError, and show in some way whatever it is given."""
    before = sys.stdout if sys.stdout is not None else _of_nothing()
    if not isinstance(before, TextIOWrapper):  # a test's
        yield
        return
    sys.stdout = made = _Output(
        before.buffer,
        before.encoding,
        "backslashreplace",
        line_buffering=before.line_buffering,
        write_through=before.write_through,
    )
    try:
        yield
    finally:
        sys.stdout = before
        with contextlib.suppress(errors.OutputError, BrokenPipeError):
            made.detach()  # or it would close what others still use


def _of_nothing() -> TextIO:
    """Stands for standard output that was closed before we began: cannot be written, as it should.

    It also keeps the number 1 from a socket or file of ours.
    """
    nothing = os.open(os.devnull, os.O_RDONLY)
    if nothing != 1:
        os.dup2(nothing, 1)
        os.close(nothing)
    return cast(TextIO, open(1, "w", encoding="utf-8", closefd=False))


def write(data: bytes) -> None:
    """Write bytes, now. May block. Raises OutputError, BrokenPipeError."""
    with in_words():
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def let_go() -> None:
    """Nobody takes our output any more: say no more, nor complain at the end."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
