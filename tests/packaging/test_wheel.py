"""Wheel and sdist: built, installed into a fresh environment, started."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest

from app import __version__
from tests.e2e.clients import curl
from tests.helpers import ROOT

SOURCES = ("app", "ui", "resources", "pyproject.toml", "README.md", "LICENSE")
JUNK = shutil.ignore_patterns("__pycache__", "*.egg-info")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both. The wheel is built from the sdist, which so has all that it takes."""
    tree = tmp_path_factory.mktemp("tree")
    for name in SOURCES:
        source = ROOT / name
        shutil.copytree(source, tree / name, ignore=JUNK) if source.is_dir() else shutil.copy(source, tree)
    _ran(sys.executable, "-m", "build", "--no-isolation", "--outdir", tree / "dist", cwd=tree)
    return tree / "dist"


@pytest.fixture(scope="module")
def program(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``listening-post`` in an environment of its own, which borrows only the dependencies of this one."""
    folder = tmp_path_factory.mktemp("fresh")
    _ran(sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / "bin" / "python"
    [wheel] = built.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
    _ran(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel)
    borrowed = (
        Path(_ran(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()) / "borrowed.pth"
    )
    borrowed.write_text(sysconfig.get_path("purelib"))
    return folder / "bin" / "listening-post"


def _ran(*command: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run(
        list(map(str, command)), cwd=cwd or "/", capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _resources() -> set[str]:
    """What the program needs beside its code; the pictures of the README are not among it."""
    kept = (path for path in (ROOT / "resources").rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {path.relative_to(ROOT).as_posix() for path in kept if path.parent.name != "screenshots"}


def test_the_wheel_holds_the_program_and_nothing_else(built: Path) -> None:
    [wheel] = built.glob(f"listening_post-{__version__}-py3-none-any.whl")
    names = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert {name.split("/")[0] for name in names} == {"app", "ui", "resources"}
    assert {name for name in names if name.startswith("resources/")} == _resources()


def test_the_sdist_holds_the_licence_and_no_pictures(built: Path) -> None:
    [sdist] = built.glob(f"listening_post-{__version__}.tar.gz")
    with tarfile.open(sdist) as tar:
        names = {name.split("/", 1)[-1] for name in tar.getnames()}
    assert {"LICENSE", "README.md", "pyproject.toml"} <= names
    assert not [name for name in names if "screenshots" in name]


def test_the_installed_program_says_its_version(program: Path) -> None:
    assert _ran(program, "--version") == f"Listening Post {__version__}\n"


def test_it_runs_its_own_files_and_not_the_checkout(program: Path) -> None:
    said = _ran(program.with_name("python"), "-c", "import app, ui, resources; print(app.__file__, resources.__path__)")
    assert str(ROOT) not in said


def test_the_installed_demo_answers(program: Path, tmp_path: Path) -> None:
    said = _ran(program.with_name("python"), "-c", "import resources; print(*resources.__path__)").strip()
    demo = (Path(said) / "demo.toml").read_text()
    workspace, capture = tmp_path / "demo.toml", tmp_path / "demo.lpost"
    workspace.write_text(re.sub(r'(listen = "127.0.0.1):\d+"', r'\1:0"', demo))
    command = [program, "serve", workspace, "--capture", capture, "--json"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as serving:
        try:
            assert serving.stdout is not None
            for line in serving.stdout:
                event = json.loads(line)
                if (event["kind"], event["service"]) == ("service.started", "http-inspector"):
                    break
            assert curl(f"http://{event['host']}/hello") == b"Hello, World!"
        finally:
            serving.terminate()
    assert _ran(program, "query", capture, "kind == http.request", "--count") == "1\n"
