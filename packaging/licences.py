"""The licences of all files in a bundle, as one text. The packages are found by the collected files, not by a list."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions
from pathlib import Path

_WORDS = ("licen", "copying", "notice", "authors")
_RULE = "=" * 100


def text(sources: Iterable[str]) -> str:
    """The licences of the packages that the files ``sources`` come from. Raises SystemExit if one has none."""
    files = {os.path.realpath(source) for source in sources}
    parts = [_python(), *_packages(files), *_debian(files)]
    parts.sort(key=lambda part: part[0].lower())
    head = "Listening Post comes with the work of others, under these licences:\n\n"
    index = "".join(f"  {title}\n" for title, _ in parts)
    return head + index + "".join(f"\n{_RULE}\n{title}\n{_RULE}\n\n{words.strip()}\n" for title, words in parts)


def _python() -> tuple[str, str]:
    places = [Path(sysconfig.get_path("stdlib"), "LICENSE.txt"), Path(sys.base_prefix, "LICENSE.txt"),
              Path(f"/usr/share/doc/python{sys.version_info[0]}.{sys.version_info[1]}/copyright")]  # fmt: skip
    found = next((place for place in places if place.is_file()), None)
    # A Python compiled by hand has no such file: name the web page, as the module site does.
    words = found.read_text("utf-8") if found else "https://docs.python.org/3/license.html"
    return f"Python {sys.version.split()[0]}", words


def _packages(files: set[str]) -> list[tuple[str, str]]:
    """Licences of Python packages: the files beside their metadata."""
    parts = []
    for package in distributions():
        name = package.metadata["Name"]
        if name == "listening-post":
            continue
        own = {os.path.realpath(package.locate_file(file)) for file in package.files or ()}
        # Always PyInstaller: its launcher is part of every bundle.
        if own & files or name.lower() == "pyinstaller":
            parts.append((f"{name} {package.version}", _words_of(package)))
    return parts


def _words_of(package: Distribution) -> str:
    found = []
    for file in package.files or ():
        inside = str(file).replace("\\", "/").lower()
        if ".dist-info/" in inside and any(word in inside.rsplit("/", 1)[-1] for word in _WORDS):
            found.append(file.locate().read_text("utf-8", "replace"))
    facts = package.metadata
    licence = facts.get("License-Expression") or facts.get("License") or ""
    licence = licence or ", ".join(c for c in facts.get_all("Classifier", []) if c.startswith("License"))
    if not (found or licence):
        raise SystemExit(f"{facts['Name']} says nothing about its licence")
    return "\n\n".join([licence, *found])


def _debian(files: set[str]) -> list[tuple[str, str]]:
    """Licences of the system's libraries: Debian's copyright files."""
    if not shutil.which("dpkg"):
        return []
    packages: dict[str, list[str]] = {}
    for file in sorted(files):
        if not file.startswith(("/usr/lib/", "/lib/")):
            continue
        # If /lib is a link to /usr/lib, a package may list the file under either path.
        for path in (file, file.removeprefix("/usr")):
            done = subprocess.run(["dpkg", "--search", path], capture_output=True, text=True, check=False)
            if done.returncode == 0:
                packages.setdefault(done.stdout.split(":", 1)[0], []).append(Path(file).name)
                break
    return [
        (f"{', '.join(names)} (Debian's {package})", Path(f"/usr/share/doc/{package}/copyright").read_text("utf-8"))
        for package, names in packages.items()
    ]
