"""Saves one direction of a stream to a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt5.QtCore import QCoreApplication

from app.capture.reading import streams
from app.capture.reading.streams import About
from app.errors import PostError
from app.files.replacing import replacing
from app.text.escapes import amount


class _StoppedError(Exception):
    pass


def save_side(
    capture: Path, about: About, received: bool, path: Path, progress: Callable[[int], bool]
) -> tuple[str, bool]:
    """Write all bytes of one direction to ``path``. Blocks.

    Calls ``progress`` with the number of bytes written. If it returns False, saving stops and no
    file is left. Returns a text for the user, and whether saving succeeded.
    """

    def on_written(written: int) -> bool:
        if not progress(written):
            raise _StoppedError
        return True

    try:
        with replacing(path) as out:
            written = streams.save(capture, about, received, out, on_written)
    except _StoppedError:
        return "", True
    except PostError as e:
        return str(e), False
    except OSError as e:
        return QCoreApplication.translate("Saving", "Cannot save to {path}: {reason}.").format(
            path=path, reason=e.strerror or e
        ), False
    return QCoreApplication.translate("Saving", "Saved {size} to {path}.").format(size=amount(written), path=path), True
