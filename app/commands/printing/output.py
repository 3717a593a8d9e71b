"""Standard output and standard error, through which all goes that commands write; and an event as a line.

Standard output may be a full disk, closed, or a pipe that nobody reads any more.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import sys
from collections.abc import Iterator
from io import TextIOWrapper
from typing import BinaryIO, TextIO, cast

from app.commands import errors
from app.events import NAMES, Row, rfc3339
from app.text.escapes import one_line, printable


def line(event: Row) -> str:
    """An event as one line of text for people."""
    time = rfc3339(event.time)[11:26]
    size = "" if event.size is None else str(event.size)
    kind = NAMES.get(event.kind, str(event.kind))
    return f"{event.id:>7} {time} {event.service:<16} {event.peer or '-':<21} {kind:<18} {size:>6} {event.summary}"


def warn(words: str) -> None:
    """Say something in one line on standard error, where there is something to say."""
    if words:
        print(one_line(f"listening-post: {words}"), file=sys.stderr)


@contextlib.contextmanager
def raising_output_errors() -> Iterator[None]:
    """Raise OutputError for an OSError that writing standard output raised.

    BrokenPipeError stays as it is: the reader of a pipe, as ``head``, has read all it wanted.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as e:
        raise errors.OutputError(reason=e.strerror or e) from e


class _Output(TextIOWrapper):
    """Takes the place of ``sys.stdout``: writes an escape for each character that would not show.

    Whatever a command prints may quote a peer, a file or a path, and a terminal obeys what it is sent. Line ends and
    tabs stay; who prints a line makes sure that what is quoted in it has none. Raises OutputError and BrokenPipeError.
    """

    def write(self, text: str) -> int:
        with raising_output_errors():
            super().write(printable(text))
        return len(text)

    def flush(self) -> None:
        with raising_output_errors():
            super().flush()


@contextlib.contextmanager
def checked_stdout() -> Iterator[None]:
    """Let ``print`` raise OutputError, and write escapes for what would not show, or what the encoding lacks."""
    before = sys.stdout if sys.stdout is not None else _closed_stdout()
    if not isinstance(before, TextIOWrapper):  # a test has put something else there
        yield
        return
    sys.stdout = checked = _Output(
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
            checked.detach()  # otherwise it closes the buffer, which ``before`` still uses


class _Errors(TextIOWrapper):
    """Takes the place of ``sys.stderr``. Writes escapes for what would not show, and what a terminal would obey."""

    before: TextIO | None = None

    def write(self, text: str) -> int:
        super().write(_TEXT.sub(lambda found: one_line(found[0]), text))
        return len(text)


_TEXT = re.compile(r"[^\n\t]+")


@contextlib.contextmanager
def checked_stderr() -> Iterator[None]:
    """Have nothing that anybody has sent or written into a file reach the terminal as it came: errors quote them.

    After an exception it stays so, for the traceback that Python prints.
    """
    before = sys.stderr
    if not isinstance(before, TextIOWrapper) or isinstance(before, _Errors):
        yield
        return
    before.flush()
    sys.stderr = checked = _Errors(
        before.buffer, before.encoding, "backslashreplace", line_buffering=True, write_through=before.write_through
    )
    checked.before = before  # which closes the buffer when nobody has it
    yield
    sys.stderr = before
    with contextlib.suppress(OSError, ValueError):
        checked.detach()  # otherwise it closes the buffer, which ``before`` still uses


def _closed_stdout() -> TextIO:
    """A file that cannot be written, for standard output that was closed before the program started.

    It occupies file descriptor 1, which a socket or a file of the program would get otherwise.
    """
    descriptor = os.open(os.devnull, os.O_RDONLY)
    if descriptor != 1:
        os.dup2(descriptor, 1)
        os.close(descriptor)
    return cast(TextIO, open(1, "w", encoding="utf-8", closefd=False))


def write(data: bytes) -> None:
    """Write bytes of a peer or a file, and flush. May block. Raises OutputError, BrokenPipeError.

    They are written as they are to a file or a pipe. On a terminal, which would obey them, each character that would
    not show is an escape, but for line ends and tabs.
    """
    if sys.stdout.isatty():
        sys.stdout.write(_TERMINAL.take(data))
        sys.stdout.flush()
        return
    with raising_output_errors():
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def write_text(text: str) -> None:
    """Print ``text`` past the buffer of standard output. May block. Raises OutputError, BrokenPipeError.

    For a thread that may still wait in here when the program ends: it holds no lock of the buffer, without which
    Python could not end but by a crash.
    """
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    if raw is None:  # a test has put something else there
        print(text, end="", flush=True)
        return
    sys.stdout.flush()
    rest = memoryview(printable(text).encode(sys.stdout.encoding, "backslashreplace"))
    with raising_output_errors():
        while rest:
            written = raw.write(rest)
            if written is None:
                raise BlockingIOError("it takes nothing now")
            rest = rest[written:]


def binary() -> BinaryIO:
    """Standard output as a binary file, for an export; on a terminal, what is written is shown as by ``write``."""
    return cast(BinaryIO, _Bytes()) if sys.stdout.isatty() else sys.stdout.buffer


class _Bytes:
    def write(self, data: bytes) -> int:
        write(data)
        return len(data)


class Terminal:
    """Makes text for a terminal of bytes that come in any parts."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._held = ""

    def take(self, data: bytes) -> str:
        """What to show of these bytes. Half a character, or half a line end, is shown with the next."""
        text = self._held + self._decoder.decode(data)
        self._held = "\r" if text.endswith("\r") else ""
        text = text.removesuffix("\r").replace("\r\n", "\n")
        return "".join(part if part in "\n\t" else one_line(part) for part in _ENDS.split(text))


_TERMINAL = Terminal()
_ENDS = re.compile(r"([\n\t])")


def discard_rest() -> None:
    """Discard what is still written to standard output, which nobody reads any more.

    Otherwise Python reports an error when it flushes standard output at the end.
    """
    with contextlib.suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
