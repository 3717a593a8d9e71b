"""Which C library a frozen program needs: the newest version of it that any of its files asks for.

python packaging/glibc.py FOLDER        prints the version, and for each version above the oldest who asks for it
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

Version = tuple[int, ...]

_NEEDS = re.compile(r"Name: GLIBC_(\d+(?:\.\d+)+)  Flags: (?!WEAK)")
"""As readelf writes it. WEAK is what a file can do without."""


def needs(file: str | Path) -> Version:
    """The version of glibc that an ELF file needs, as (2, 35); () for other files and for those that need none."""
    with open(file, "rb") as opened:
        if opened.read(4) != b"\x7fELF":
            return ()
    said = subprocess.run(
        ["readelf", "--version-info", "--wide", str(file)], capture_output=True, text=True, errors="replace", check=True
    ).stdout
    _, _, needed = said.partition("Version needs section")
    return max((version(found) for found in _NEEDS.findall(needed)), default=())


def version(text: str) -> Version:
    return tuple(map(int, text.split(".")))


def newest(files: Iterable[str | Path]) -> str:
    """What all ``files`` together need, as ``2.35``."""
    return ".".join(map(str, max(map(needs, files), default=())))


def main(folder: str) -> None:
    files = {path: needs(path) for path in Path(folder).rglob("*") if path.is_file() and not path.is_symlink()}
    print(".".join(map(str, max(files.values(), default=()))))
    for path, found in sorted(files.items(), key=lambda item: item[1], reverse=True):
        if found:
            print(f"  {'.'.join(map(str, found)):7} {path.relative_to(folder)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
