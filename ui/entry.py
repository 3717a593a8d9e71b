"""The entry point of the program. Commands run without Qt, which is imported only for the window."""

from __future__ import annotations

import atexit
import os
import sys
from contextlib import suppress
from pathlib import Path

from app.commands import main as cli


def main() -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(cli.main(sys.argv[1:], _window))


def _window(workspace: Path | None, capture: Path | None, start: bool, separate: bool) -> int:
    from ui import screen

    with screen.importing_qt():
        from ui import boot

        codes: list[int] = []
        atexit.register(_leave, codes)
        codes.append(boot.run(workspace, capture, start, separate))
    return codes[0]


def _leave(codes: list[int]) -> None:
    """End the process here if the window has finished.

    WORKAROUND: PyQt5's own function at exit, which would run next, deletes QObjects while sip walks over the list of
    their wrappers (sip_api_visit_wrappers in siplib.c). Now and then one deletion frees the wrapper that is next in
    that list, and the process ends with SIGSEGV after all was stored. What was registered after PyQt5's has run by
    now, such as the removal of temporary folders.
    """
    if codes:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                with suppress(OSError, ValueError):
                    stream.flush()
        os._exit(codes[0])


if __name__ == "__main__":
    main()
