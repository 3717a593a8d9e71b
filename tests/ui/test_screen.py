"""Where Qt cannot show a window: told in words, exit code 1, and no abort."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import PyQt5
import pytest

from tests.e2e.display import Display, display
from tests.helpers import PROGRAM, ROOT
from ui import screen

QT = Path(PyQt5.__path__[0])
ELSE = "To run the services without a window: listening-post serve WORKSPACE"


@pytest.fixture(scope="module")
def x11() -> Iterator[Display]:
    with display() as opened:
        yield opened


def start(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Start the window with only these variables of a display."""
    names = ("DISPLAY", "WAYLAND_", "QT_", "XDG_", "XAUTHORITY")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(names)}
    home = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    return subprocess.run(
        [*PROGRAM, "resources/demo.toml"], cwd=ROOT, env={**kept, **home, **environment},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def says(done: subprocess.CompletedProcess[str]) -> str:
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert done.stderr.startswith("listening-post: The window cannot open: ")
    assert done.stderr.count("\n") == 1
    assert done.stderr.endswith(f"{ELSE}\n")
    return done.stderr.removeprefix("listening-post: The window cannot open: ")


def without(library: str, user: str, tmp_path: Path) -> str:
    """A copy of Qt whose ``user``, a file below its folder, needs another version of ``library``, one there never was.

    Returns what it needs then.
    """
    absent = library[:-1] + "9"
    for folder, inside in ((QT, "*.so"), (QT / "Qt5" / "lib", "*"), (QT / "Qt5" / "plugins" / "platforms", "*")):
        for path in folder.glob(inside):
            copy = tmp_path / "PyQt5" / path.relative_to(QT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            # Qt follows links to its plugins, and the loader then looks beside the real file.
            shutil.copy(path, copy) if path.name == "libqxcb.so" else copy.symlink_to(path)
    shutil.copy(QT / "__init__.py", tmp_path / "PyQt5")
    changed = tmp_path / "PyQt5" / user
    content = changed.read_bytes()
    assert library.encode() + b"\0" in content
    changed.unlink()
    changed.write_bytes(content.replace(library.encode() + b"\0", absent.encode() + b"\0"))
    return absent


@pytest.mark.parametrize("library", ["libxcb-icccm.so.4", "libxcb-image.so.0", "libxcb-keysyms.so.1"])
def test_d2_a_library_of_the_platform_plugin_is_missing(library: str, x11: Display, tmp_path: Path) -> None:
    absent = without(library, "Qt5/lib/libQt5XcbQpa.so.5", tmp_path)
    said = says(start(tmp_path, DISPLAY=x11.name, PYTHONPATH=str(tmp_path)))
    package = absent.replace(".so.", "")
    assert said.startswith(f"Qt needs {absent}, and this system lacks them. On Debian and Ubuntu: ")
    assert f"sudo apt-get install {package} (elsewhere, look for" in said


def test_d2_a_library_of_qt_itself_is_missing(x11: Display, tmp_path: Path) -> None:
    """Python's import fails then, with a traceback."""
    absent = without("libgssapi_krb5.so.2", "Qt5/lib/libQt5Network.so.5", tmp_path)
    said = says(start(tmp_path, DISPLAY=x11.name, PYTHONPATH=str(tmp_path)))
    assert said.startswith(f"Qt needs {absent}, and this system lacks them.")
    assert "apt-get install libgssapi-krb5-9 (" in said


def test_d2_there_is_no_display(tmp_path: Path) -> None:
    assert says(start(tmp_path)).startswith("there is no display (DISPLAY and WAYLAND_DISPLAY are not set). To run")


def test_d2_the_display_does_not_answer(tmp_path: Path) -> None:
    said = says(start(tmp_path, DISPLAY="127.0.0.1:9999"))
    assert said.startswith("the display 127.0.0.1:9999 does not answer, or refuses this user")


def test_d2_the_display_refuses_us(tmp_path: Path) -> None:
    """An X server's answer to whoever has no cookie for it."""
    reason = b"no cookie!!!"
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        number = server.getsockname()[1] - 6000
        code = (
            "import socket, sys\nclient = socket.socket(fileno=int(sys.argv[1])).accept()[0]\nclient.recv(4096)\n"
            f"refused = bytes([0, {len(reason)}, 11, 0, 0, 0, {len(reason) // 4}, 0])\n"
            f"client.sendall(refused + {reason!r})\nclient.recv(1)"
        )
        with subprocess.Popen(
            [sys.executable, "-c", code, str(server.fileno())], pass_fds=[server.fileno()]
        ) as answering:
            done = start(tmp_path, DISPLAY=f"127.0.0.1:{number}")
            assert answering.wait(20) == 0
    # The first line is libxcb's own.
    assert done.returncode == 1
    assert f"The window cannot open: the display 127.0.0.1:{number} does not answer, or refuses" in done.stderr
    assert "Qt" not in done.stderr


def test_d2_there_is_only_wayland(tmp_path: Path) -> None:
    """Qt itself would try X11 here."""
    said = says(start(tmp_path, WAYLAND_DISPLAY="wayland-9"))
    assert said.startswith("the Wayland display wayland-9 does not answer (WAYLAND_DISPLAY, XDG_RUNTIME_DIR).")


def test_d2_only_wayland_and_its_library_is_missing(tmp_path: Path) -> None:
    absent = without("libwayland-cursor.so.0", "Qt5/plugins/platforms/libqwayland-generic.so", tmp_path)
    said = says(start(tmp_path, WAYLAND_DISPLAY="wayland-9", PYTHONPATH=str(tmp_path)))
    assert said.startswith(f"Qt needs {absent}, and this system lacks them.")
    assert "libwayland-cursor9" in said


def test_d2_a_platform_that_there_is_not(tmp_path: Path) -> None:
    said = says(start(tmp_path, QT_QPA_PLATFORM="beos"))
    assert said.startswith("Qt has no platform beos, which QT_QPA_PLATFORM names.")


@pytest.mark.parametrize(
    ("library", "package"),
    [
        ("libglib-2.0.so.0", "libglib2.0-0"),
        ("libGL.so.1", "libgl1"),
        ("libEGL.so.1", "libegl1"),
        ("libdbus-1.so.3", "libdbus-1-3"),
        ("libfontconfig.so.1", "libfontconfig1"),
        ("libgssapi_krb5.so.2", "libgssapi-krb5-2"),
        ("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"),
        ("libxcb-icccm.so.4", "libxcb-icccm4"),
        ("libxcb-render-util.so.0", "libxcb-render-util0"),
        ("libX11-xcb.so.1", "libx11-xcb1"),
        ("libz.so.1", "zlib1g"),
        ("libwayland-client.so.0", "libwayland-client0"),
    ],
)
def test_d2_debian_names_a_package_after_its_library(library: str, package: str) -> None:
    assert screen.debian_package(library) == package


def test_the_application_of_the_program_has_the_english_forms() -> None:
    program = "from ui import screen; a = screen.application(['x']); print(a.translate('A', '%n row(s)', '', 1234))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout == "1,234 rows\n", done.stderr
