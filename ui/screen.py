"""Makes the QApplication, and says in words why Qt cannot show a window here.

Where no platform plugin of Qt's starts, Qt ends the process by SIGABRT; where a library of Qt itself is missing,
Python's import fails. What is wrong is looked up only then: a start that goes well pays nothing for it.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.errors import PostError

if TYPE_CHECKING:
    from PyQt5.QtWidgets import QApplication

FAILED = 1
"""The exit code."""

MODULES = ("QtCore", "QtGui", "QtWidgets", "QtNetwork", "QtSvg")
"""Of PyQt5, those that we import."""


class NoWindowError(PostError):
    """The window cannot open: {reason}. To run the services without a window: listening-post serve WORKSPACE"""


class MissingLibrariesError(PostError):
    """The window cannot open: Qt needs {files}, and this system lacks them. On Debian and Ubuntu: sudo apt-get
    install {packages} (elsewhere, look for the packages with these files). To run the services without a window:
    listening-post serve WORKSPACE"""


# -- which libraries are missing

_NAMED_OTHERWISE = {
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libgobject-2.0.so.0": "libglib2.0-0",
    "libz.so.1": "zlib1g",
}


def debian_package(file: str) -> str:
    """The package with a library, as Debian's policy (8.1) names it: ``libxcb-icccm4`` for ``libxcb-icccm.so.4``."""
    found = re.match(r"(?P<name>[\w+.-]+)\.so(?:\.(?P<version>\d+))?", file)
    if file in _NAMED_OTHERWISE or found is None:
        return _NAMED_OTHERWISE.get(file, file)
    name, version = found["name"].lower().replace("_", "-"), found["version"] or ""
    return f"{name}-{version}" if version and name[-1].isdigit() else f"{name}{version}"


def missing_libraries(files: Iterable[Path]) -> list[str]:
    """The libraries that ``files`` need, directly or not, and that are nowhere on this system. Blocks.

    Asks ldd, which comes with the C library; empty where there is none.
    """
    environment = {**os.environ, "LC_ALL": "C"}
    if getattr(sys, "frozen", False):
        environment["LD_LIBRARY_PATH"] = sys._MEIPASS  # type: ignore[attr-defined]
    command = ["ldd", *map(str, files)]
    try:
        said = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return []
    return sorted(set(re.findall(r"^\s*(\S+) => not found", said, re.MULTILINE)))


def _qt_files() -> list[Path]:
    """The modules of PyQt5 that we import, found without loading them."""
    spec = importlib.util.find_spec("PyQt5")
    folders = list(spec.submodule_search_locations or ()) if spec is not None else []
    return [path for folder in folders for name in MODULES for path in Path(folder).glob(f"{name}.*so")]


def _platform_files(platform: str) -> list[Path]:
    """The file of one of Qt's platform plugins, where Qt looks for it."""
    spec = importlib.util.find_spec("PyQt5")
    places = [Path(os.environ.get("QT_QPA_PLATFORM_PLUGIN_PATH") or "/nowhere")]
    places += [Path(path, "platforms") for path in os.environ.get("QT_PLUGIN_PATH", "").split(os.pathsep) if path]
    for folder in list(spec.submodule_search_locations or ()) if spec is not None else []:
        places += [Path(folder, qt, "plugins", "platforms") for qt in ("Qt5", "Qt")]
    # The plugin for "wayland" is libqwayland-generic.so.
    names = (f"libq{platform}.so", f"libq{platform}-generic.so")
    return [path for place in places for name in names if (path := place / name).exists()][:1]


def _missing(files: Iterable[Path]) -> MissingLibrariesError | None:
    found = missing_libraries(files)
    if not found:
        return None
    packages = dict.fromkeys(map(debian_package, found))
    words = " and ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)
    return MissingLibrariesError(files=words, packages=" ".join(packages))


# -- Qt's own modules


@contextmanager
def importing_qt() -> Iterator[None]:
    """Import PyQt5 inside this. Raises MissingLibrariesError where a library that Qt is linked with is missing."""
    try:
        yield
    except ImportError as e:
        if "cannot open shared object file" not in str(e):
            raise
        missing = _missing([*_qt_files(), *_platform_files("xcb")])
        if missing is None:
            # Without ldd only the first is known.
            file = str(e).partition(":")[0]
            missing = MissingLibrariesError(files=file, packages=debian_package(file))
        raise missing from e


# -- the application

_TRIED = r'platform plugin "([^"]*)"'


def application(arguments: Sequence[str]) -> QApplication:
    """Make the application; where Qt cannot start, say why on standard error and leave with exit code 1."""
    from PyQt5.QtCore import QtFatalMsg, qInstallMessageHandler
    from PyQt5.QtWidgets import QApplication

    from ui.looks import english

    said: list[str] = []

    def take(kind: Any, _: Any, text: str) -> None:
        said.append(text)
        if kind == QtFatalMsg:
            _leave(why(said))

    before: Callable[..., Any] | None = qInstallMessageHandler(take)
    try:
        made = QApplication([*arguments, *_platform_arguments()])
    finally:
        qInstallMessageHandler(before)
    for text in said:
        print(text, file=sys.stderr)
    english.install(made)
    return made


def _platform_arguments() -> list[str]:
    """Without an X server Qt would try X11 all the same, unless the session says that it is Wayland's."""
    wayland_alone = os.environ.get("WAYLAND_DISPLAY") and not os.environ.get("DISPLAY")
    return ["-platform", "wayland"] if wayland_alone and not os.environ.get("QT_QPA_PLATFORM") else []


def _leave(error: PostError) -> None:
    # Qt would abort the process as soon as its message was taken, so this is the end; nothing was begun yet.
    print(f"listening-post: {error}", file=sys.stderr, flush=True)
    os._exit(FAILED)


def why(said: Sequence[str]) -> PostError:
    """What is wrong, from what Qt said before it gave up."""
    tried = list(dict.fromkeys(name for text in said for name in re.findall(_TRIED, text)))
    missing = _missing([path for platform in tried for path in _platform_files(platform)])
    if missing is not None:
        return missing
    unknown = [name for text in said if "Could not find" in text for name in re.findall(_TRIED, text)]
    if unknown:
        return NoWindowError(reason=f"Qt has no platform {' or '.join(unknown)}, which QT_QPA_PLATFORM names")
    display, wayland = os.environ.get("DISPLAY"), os.environ.get("WAYLAND_DISPLAY")
    if "xcb" in tried and display:
        words = f"the display {display} does not answer, or refuses this user (DISPLAY, XAUTHORITY, xhost)"
    elif "wayland" in tried and wayland:
        words = f"the Wayland display {wayland} does not answer (WAYLAND_DISPLAY, XDG_RUNTIME_DIR)"
    elif tried and set(tried) <= {"xcb", "wayland"}:
        unset = [name for name in ("DISPLAY", "WAYLAND_DISPLAY") if not os.environ.get(name)]
        words = f"there is no display ({' and '.join(unset)} {'is' if len(unset) == 1 else 'are'} not set)"
    else:
        words = " ".join(said[0].split()).rstrip(".") if said else "Qt does not say why"
    return NoWindowError(reason=words)
