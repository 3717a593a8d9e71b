"""The entry point of the program. Commands run without Qt, which is imported only for the window."""

from __future__ import annotations

import sys
from pathlib import Path

from app.commands import main as cli


def main() -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(cli.main(sys.argv[1:], _window))


def _window(workspace: Path | None, capture: Path | None, start: bool, separate: bool) -> int:
    from ui import screen

    with screen.importing_qt():
        from ui import boot

        return boot.run(workspace, capture, start, separate)


if __name__ == "__main__":
    main()
