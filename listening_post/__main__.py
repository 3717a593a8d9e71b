"""The installed program's entry: the command ``listening-post``, and ``python -m listening_post``."""

from __future__ import annotations

from listening_post import add_to_path


def main() -> None:
    """Run the command line and leave with its exit code."""
    add_to_path()
    from ui import entry

    entry.main()


if __name__ == "__main__":
    main()
