"""The Debian package: installed, started, opened, removed. `make deb` runs it; pytest alone does not collect it.

dpkg works on a root of its own with a copy of this machine's list of packages: so it looks whether
all that the package depends on is there, needs no rights, and the machine stays as it was.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import __version__
from tests.e2e.clients import curl
from tests.e2e.display import Display, display
from tests.helpers import ROOT, wait_for

PACKAGES = Path("/var/lib/dpkg")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the package was installed."""
    folder = tmp_path_factory.mktemp("root")
    shutil.copytree(PACKAGES, folder / "var/lib/dpkg", ignore=shutil.ignore_patterns("lock*"))
    [package] = (ROOT / "dist").glob(f"listening-post_{__version__}*.deb")
    _dpkg(folder, "--install", package)
    return folder


@pytest.fixture(scope="module")
def screen() -> Iterator[Display]:
    with display() as opened:
        yield opened


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment without Python's and Qt's variables, as on a user's desktop."""
    for name in [name for name in os.environ if name.startswith(("PYTHON", "QT_", "XDG_", "LD_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _dpkg(root: Path, *args: str | Path) -> None:
    command = ["dpkg", f"--root={root}", "--force-not-root", "--force-bad-path", "--no-triggers", f"--log={root}/log"]
    done = subprocess.run([*command, *map(str, args)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _run(root: Path, *args: str | Path) -> subprocess.CompletedProcess[str]:
    command = [str(root / "usr/bin/listening-post"), *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


UBUNTU_22_04 = {
    "libc6": "2.35", "libcrypt1": "1:4.4.27", "libdbus-1-3": "1.12.20", "libfontconfig1": "2.13.1",
    "libfreetype6": "2.11.1", "libgcc-s1": "12", "libglib2.0-0": "2.72.1", "libstdc++6": "12",
    "libwayland-client0": "1.20.0", "libwayland-cursor0": "1.20.0", "libwayland-egl1": "1.20.0",
    "libx11-6": "2:1.7.5", "libx11-xcb1": "2:1.7.5", "libxcb1": "1.14", "zlib1g": "1:1.2.11",
}  # fmt: skip
"""What the oldest system that the docs name has."""


def _asked_for() -> dict[str, str]:
    """The versions in the package's dependencies."""
    [package] = (ROOT / "dist").glob(f"listening-post_{__version__}*.deb")
    field = subprocess.run(["dpkg-deb", "--field", package, "Depends"], capture_output=True, text=True, check=True)
    return dict(re.findall(r"([\w.+-]+) \(>= ([^)]+)\)", field.stdout))


def test_d5_it_depends_on_the_c_library_that_it_needs() -> None:
    said = re.findall(r"\bglibc (\d+\.\d+)", (ROOT / "docs" / "packaging.md").read_text())
    assert {_asked_for()["libc6"]} == set(said)


@pytest.mark.parametrize("library", UBUNTU_22_04)
def test_d5_it_can_be_installed_on_the_oldest_system_that_the_docs_name(library: str) -> None:
    asked = _asked_for()
    assert set(asked) <= set(UBUNTU_22_04)
    if library in asked:
        compare = ["dpkg", "--compare-versions", UBUNTU_22_04[library], "ge", asked[library]]
        assert subprocess.run(compare, check=False).returncode == 0, asked[library]


@pytest.mark.usefixtures("home")
def test_it_says_its_version(root: Path) -> None:
    done = _run(root, "--version")
    assert (done.returncode, done.stdout) == (0, f"Listening Post {__version__}\n"), done.stderr


@pytest.mark.usefixtures("home")
def test_its_servers_answer(root: Path) -> None:
    done = _run(root, "selftest")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_menu_entry_starts_it_and_a_capture_opens(root: Path, home: Path, screen: Display) -> None:
    workspace = home / "desk.lpost.toml"
    service = '[[service]]\nname = "web"\nprotocol = "http"\nlisten = "127.0.0.1:0"\nresponder = "inspector"\n'
    workspace.write_text(f"version = 1\n{service}")
    capture = home / "run.lpost"
    with Opened(root, screen, workspace, "--capture", capture, "--start") as web:
        web.wait_title("desk")
        address = web.address(capture)
        assert curl(f"http://{address}/hello") == b"Hello, World!"
        web.leave()
    assert _run(root, "query", capture, "kind == http.request", "--count").stdout == "1\n"
    with Opened(root, screen, capture) as again:
        again.wait_title("run.lpost")
        again.leave()


class Opened:
    """The program on a screen, started as its menu entry says."""

    def __init__(self, root: Path, screen: Display, *args: str | Path) -> None:
        entry = (root / "usr/share/applications/listening-post.desktop").read_text()
        [command] = [line for line in entry.splitlines() if line.startswith("Exec=")]
        assert command == "Exec=listening-post %f"
        self._root, self._screen = root, screen
        self._process = subprocess.Popen(
            [root / "usr/bin/listening-post", *args], env=screen.environment(), stdout=subprocess.DEVNULL
        )

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *what: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(10)

    def wait_title(self, part: str) -> None:
        """Wait until it has a window with that text in its title."""
        wait_for(lambda: self._windows(part), 20)

    def _windows(self, title: str) -> list[str]:
        assert self._process.poll() is None
        return self._screen.windows(self._process.pid, title)

    def address(self, capture: Path) -> str:
        """The address of its service."""
        where = "kind == service.started"
        wait_for(lambda: capture.exists() and _run(self._root, "query", capture, where, "--count").stdout == "1\n")
        return _run(self._root, "query", capture, where).stdout.split()[-1]

    def leave(self) -> None:
        for window in self._windows("Listening Post"):
            self._screen.ask_to_close(window)
        assert self._process.wait(10) == 0


def test_nothing_is_left_when_it_is_removed(root: Path) -> None:
    """The last of these tests."""
    _dpkg(root, "--purge", "listening-post")
    assert list((root / "usr").rglob("*")) == []
    assert not list((root / "var/lib/dpkg/info").glob("listening-post*"))
