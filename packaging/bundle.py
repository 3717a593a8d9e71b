"""What goes into the frozen program and what stays out: Python modules, Qt's plugins, libraries."""

from __future__ import annotations

import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

import PyQt5
from PyInstaller.depend.bindepend import get_imports
from PyInstaller.utils.hooks import collect_submodules

ROOT = Path(__file__).resolve().parents[1]

Entry = tuple[str, str, str]
"""An entry of PyInstaller's tables: name in the bundle, source file, kind."""

# -- Python

OPEN_TO_PLUGINS = (
    "listening_post", "app",
    "twisted", "autobahn", "zope.interface", "txaio", "hyperlink", "h2", "h11", "attr", "attrs",
)  # fmt: skip
"""Packages that are included completely, because users' plugins may import any part of them."""

SOURCE = {
    **dict.fromkeys(("app", "ui", "twisted", "autobahn", "qt5reactor"), "pyz+py"),
    **dict.fromkeys(("autobahn.wamp", "twisted.names", "twisted.spread", "twisted.words"), "pyz"),
}
"""Packages whose source is included ("pyz+py"), for the source lines of tracebacks; not that of parts that
are rarely in a traceback ("pyz")."""

_LEFT_OUT = re.compile(
    r"""
    .*\b(tests?|_test|trial|testutil|__main__|conftest)(\..*)?
    | twisted\.(_?threads\.test|tap|runner|news)(\..*)?
    | twisted\.plugins\..+
    | twisted\.scripts\.(?!_?twistd).+
    | twisted\.mail\.(?!(smtp|interfaces|_cred|_except)$).+
    | twisted\.python\.(_tzhelper_test|_pydoctor.*|_release|_setup)
    | twisted\.internet\.(_?gireactor|gi.*|gtk.*|_glibbase|glib.*|pyuisupport|tksupport|wx.*|cfreactor|_?pywin32.*)
    | autobahn\.(asyncio|_flatc|asset)(\..*)?
    """,
    re.VERBOSE,
)


def _spare_qt() -> set[str]:
    """The modules of PyQt5 that no module of ``ui`` imports, and pyqtgraph does without."""
    there = {module.name for module in pkgutil.iter_modules(PyQt5.__path__)}
    named = {name for file in (ROOT / "ui").glob("**/*.py") for name in re.findall(r"PyQt5\.(\w+)", file.read_text())}
    return there - named - {"sip", "uic"}


EXCLUDED = [
    # of the standard library: other screens, and what a program that is complete has no use for
    "tkinter", "_tkinter", "turtle", "turtledemo", "idlelib", "lib2to3", "distutils", "ensurepip", "venv", "test",
    "curses", "_curses", "_curses_panel", "readline", "nis", "ossaudiodev", "__phello__", "antigravity", "this",
    # of others, which libraries try to import
    "setuptools", "pkg_resources", "pip", "wheel", "pytest", "_pytest", "hypothesis", "mypy", "IPython",
    "pydoc_data", "cbor2", "msgpack", "ujson", "greenlet", "curio", "trio", "rich", "click",
    "numpy.f2py", "numpy.testing", "numpy.random", "numpy.fft", "numpy.ma", "numpy.polynomial", "numpy.ctypeslib",
    "numpy._core._simd", "numpy._core._multiarray_tests", "numpy._core._operand_flag_tests",
    "numpy._core._rational_tests", "numpy._core._struct_ufunc_tests", "numpy._core._umath_tests",
    "pyqtgraph.examples", "pyqtgraph.opengl", "pyqtgraph.flowchart", "pyqtgraph.canvas", "pyqtgraph.console",
    "pyqtgraph.dockarea", "pyqtgraph.jupyter", "pyqtgraph.exporters",
    "autobahn.asyncio", "twisted.trial",
    *(f"PyQt5.{name}" for name in sorted(_spare_qt())),
]  # fmt: skip


def wanted(module: str) -> bool:
    """Whether a module of ``OPEN_TO_PLUGINS`` is included."""
    return not _LEFT_OUT.fullmatch(module)


def modules() -> list[str]:
    """Modules to include that PyInstaller does not find by our import statements."""
    found = collect_submodules("ui")
    for package in OPEN_TO_PLUGINS:
        found += collect_submodules(package, filter=wanted, on_error="ignore")
    # The keyring finds its backends by the metadata of its package.
    found += collect_submodules("keyring.backends", on_error="ignore")
    return [*found, *standard_library()]


def standard_library() -> Iterator[str]:
    """The modules of the standard library, because a plugin may import any of them."""
    for name in sorted(sys.stdlib_module_names - set(EXCLUDED)):
        try:
            spec = find_spec(name)
        except (ImportError, ValueError):
            continue
        if spec is None:
            continue  # only on other systems
        yield name
        if spec.submodule_search_locations:
            yield from collect_submodules(name, filter=wanted, on_error="ignore")


# -- files

_PLUGINS = re.compile(
    r"""
    .*/plugins/(
        platforms/(libq)?(xcb|offscreen|windows|cocoa)
      | platforms/libqwayland-(generic|egl)
      | wayland-(shell-integration/libxdg-shell|decoration-client/libbradient)\b
      | platforminputcontexts/lib(compose|ibus)
      | platformthemes/libqxdgdesktopportal
      | styles/(lib)?q(windowsvista|mac)
      | iconengines/(lib)?qsvgicon
      | imageformats/(lib)?q(gif|ico|jpeg|svg|webp)\b
    ).*
    """,
    re.VERBOSE,
)

_HOST = re.compile(
    r"""
    # Drivers and the display: they must match the host's X server, fonts and graphics card.
    lib(X11|X11-xcb|Xau|Xdmcp|Xext|Xrender|xcb|GL|EGL|GLX|GLdispatch|OpenGL|drm|gbm|wayland-(client|cursor|egl))\.so.*
    | lib(fontconfig|freetype|harfbuzz|graphite2|png16|expat|z|brotli(common|dec|enc))\.so.*
    # The libraries above load these, so that the process would have two copies.
    | lib(stdc\+\+|gcc_s|glib-2\.0|gthread-2\.0|pcre2?-8|pcre|dbus-1|systemd|cap|gcrypt|gpg-error|lz4|zstd|bsd|md)\.so.*
    # The C library.
    | (ld-linux.*|lib(c|m|dl|rt|pthread|util|resolv|nsl|crypt|anl))\.so.*
    """,
    re.VERBOSE,
)


def kept(entries: Iterable[Entry]) -> list[Entry]:
    """``entries`` without unused libraries, and without the libraries that every host has."""
    chosen = [entry for entry in entries if _wanted_file(entry[0].replace("\\", "/"))]
    if sys.platform == "darwin":
        return chosen  # in frameworks, which PyInstaller keeps whole
    used = _needed(chosen)
    return [entry for entry in chosen if not _is_library(entry) or _file(entry[0]) in used]


def _wanted_file(name: str) -> bool:
    if re.match(r"PyQt5/Qt5?/", name):
        if "/plugins/" in name:
            return bool(_PLUGINS.fullmatch(name))
        if re.search(r"/(translations|qml|qsci)/", name):
            return False
    if sys.platform == "linux" and _HOST.fullmatch(_file(name)):
        return False
    if name.startswith("pyqtgraph/colors/maps/"):
        return False
    return not re.search(r"(^|/)(tests?|__pycache__)/|\.dist-info/", name)


def _needed(entries: Iterable[Entry]) -> set[str]:
    """The libraries that programs and extension modules need, directly or through other libraries."""
    libraries = {_file(name): source for name, source, kind in entries if kind == "BINARY"}
    to_read = [source for entry in entries if entry[2] in ("BINARY", "EXTENSION") and not _is_library(entry)
               for source in entry[1:2]]  # fmt: skip
    used: set[str] = set()
    while to_read:
        for name, _ in get_imports(to_read.pop()):
            file = _file(name)
            if file in libraries and file not in used:
                used.add(file)
                to_read.append(libraries[file])
    return used


def _is_library(entry: Entry) -> bool:
    """Whether the entry is a shared library, included only because something is linked with it."""
    name, _, kind = entry
    inside = re.match(r"(PyQt5/Qt5?/(lib|bin)/)?[^/]+$", name.replace("\\", "/"))
    return kind in ("BINARY", "SYMLINK") and bool(inside) and not re.match(r"(lib)?python", _file(name), re.IGNORECASE)


def _file(name: str) -> str:
    return name.replace("\\", "/").rsplit("/", 1)[-1]


def stripped(entries: Iterable[Entry], folder: Path) -> list[Entry]:
    """``entries``, with files that have debug symbols replaced by stripped copies in ``folder``."""
    if sys.platform != "linux":
        return list(entries)
    folder.mkdir(parents=True, exist_ok=True)
    return [(name, _stripped(source, folder / _file(name)) if _can_be_stripped(name, kind) else source, kind)
            for name, source, kind in entries]  # fmt: skip


def _can_be_stripped(name: str, kind: str) -> bool:
    # OpenBLAS, which the builder of numpy's wheel has patched, does not load afterwards.
    return kind in ("BINARY", "EXTENSION") and not name.startswith(("numpy.libs/", "numpy/"))


def _stripped(source: str, target: Path) -> str:
    # Files without symbols are not touched: strip can break libraries that the wheel's builder has patched.
    sections = subprocess.run(["readelf", "--sections", "--wide", source], capture_output=True, text=True, check=True)
    if " .symtab " not in sections.stdout:
        return source
    subprocess.run(["strip", "--strip-unneeded", "-o", str(target), source], check=True)
    return str(target)
