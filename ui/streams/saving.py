"""Saving one side of a stream, whole. Run in a thread."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.capture.reading import streams
from app.capture.reading.streams import About
from app.errors import PostError
from app.files.replacing import replacing
from app.text.escapes import amount


class _StoppedError(Exception):
    pass


def save_side(
    capture: Path, about: About, received: bool, path: Path, going_on: Callable[[int], bool]
) -> tuple[str, bool]:
    """Write all bytes of one side to ``path``. Returns what to say, and whether it worked.

    ``going_on`` is told how many were written; when it returns False, nothing is left of it.
    """

    def watch(written: int) -> bool:
        if not going_on(written):
            raise _StoppedError
        return True

    try:
        with replacing(path) as out:
            written = streams.save(capture, about, received, out, watch)
    except _StoppedError:
        return "", True
    except PostError as e:
        return str(e), False
    except OSError as e:
        return f"Cannot save to {path}: {e.strerror or e}.", False
    return f"Saved {amount(written)} to {path}.", True
