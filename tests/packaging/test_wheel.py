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

import app.plugin
import listening_post
from app import __version__
from tests.e2e.clients import curl
from tests.e2e.workspaces import workspace
from tests.helpers import ROOT

SOURCES = ("app", "ui", "resources", "docs", "listening_post", "setup.py", "pyproject.toml", "README.md", "LICENSE")
JUNK = shutil.ignore_patterns("__pycache__", "*.egg-info")

RIVAL = {f"{name}/__init__.py": f"name = 'the {name} of the rival'\n" for name in ("app", "ui", "resources")}
"""A project whose packages have the names that ours have in the checkout."""

PLUGIN = """
from listening_post import responder

@responder("{0}")
def {0}(data):
    return data.upper()
"""

ADDED = {
    "added.py": PLUGIN.format("added"),
    "added-1.dist-info/entry_points.txt": "[listening_post.responders]\nadded = added:added\n",
}
"""A package that brings a plugin."""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the checkout builds from."""
    tree = tmp_path_factory.mktemp("tree")
    for name in SOURCES:
        source = ROOT / name
        shutil.copytree(source, tree / name, ignore=JUNK) if source.is_dir() else shutil.copy(source, tree)
    return tree


@pytest.fixture(scope="module")
def built(tree: Path) -> Path:
    """A folder with both. The wheel is built from the sdist, which so has all that it takes."""
    _ran(sys.executable, "-m", "build", "--no-isolation", "--outdir", tree / "dist", cwd=tree)
    return tree / "dist"


def _wheel(folder: Path, project: str, files: dict[str, str]) -> Path:
    """The wheel of a small project, from the text of its files."""
    wheel, about = folder / f"{project}-1-py3-none-any.whl", f"{project}-1.dist-info"
    files = files | {
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {project}\nVersion: 1\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        archive.writestr(f"{about}/RECORD", "".join(f"{name},,\n" for name in (*files, f"{about}/RECORD")))
    return wheel


class Environment:
    """A Python environment of its own, which borrows only the dependencies of this one."""

    def __init__(self, folder: Path) -> None:
        _ran(sys.executable, "-m", "venv", "--without-pip", folder)
        self.python, self.program = folder / "bin" / "python", folder / "bin" / "listening-post"
        where = _ran(self.python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
        self.packages = Path(where)
        # Its installed packages, but none of the checkout: those come by .pth files, which count there only.
        (self.packages / "borrowed.pth").write_text(sysconfig.get_path("purelib"))

    def pip(self, *args: str | Path) -> None:
        _ran(sys.executable, "-m", "pip", "--python", self.python, "--disable-pip-version-check", *args)

    def install(self, *what: str | Path) -> None:
        # What the tests import is compiled then.
        self.pip("install", "--quiet", "--no-deps", "--no-index", "--no-compile", *what)

    def says(self, code: str, cwd: Path | None = None) -> str:
        """What a line of Python prints there."""
        return _ran(self.python, "-c", code, cwd=cwd).strip()


@pytest.fixture(scope="module")
def fresh(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the wheel alone."""
    made = Environment(tmp_path_factory.mktemp("fresh"))
    made.install(*built.glob("*.whl"))
    return made


@pytest.fixture(scope="module")
def shared(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """One with another project in it whose packages are called as ours, and with a package that brings a plugin."""
    made = Environment(tmp_path_factory.mktemp("shared"))
    folder = tmp_path_factory.mktemp("others")
    made.install(_wheel(folder, "rival", RIVAL), *built.glob("*.whl"), _wheel(folder, "added", ADDED))
    return made


@pytest.fixture(scope="module")
def program(fresh: Environment) -> Path:
    """The command of the wheel."""
    return fresh.program


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
    assert {name.split("/")[1] for name in names if name.count("/") > 1} == {"app", "docs", "resources", "ui"}
    inside = {name.removeprefix("listening_post/") for name in names}
    assert {name for name in inside if name.startswith("resources/")} == _resources()
    manual = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*") if path.is_file()}
    assert {name for name in inside if name.startswith("docs/")} == manual


def test_d4_an_installation_adds_one_name(built: Path) -> None:
    """``app``, ``ui`` and ``resources`` are names that other projects have, too."""
    [wheel] = built.glob("*.whl")
    names = {name.split("/")[0] for name in ZipFile(wheel).namelist()}
    assert names == {"listening_post", f"listening_post-{__version__}.dist-info"}


def test_the_sdist_holds_the_licence_and_no_pictures(built: Path) -> None:
    [sdist] = built.glob(f"listening_post-{__version__}.tar.gz")
    with tarfile.open(sdist) as tar:
        names = {name.split("/", 1)[-1] for name in tar.getnames()}
    assert {"LICENSE", "README.md", "pyproject.toml"} <= names
    assert not [name for name in names if "screenshots" in name]


def test_the_installed_program_says_its_version(program: Path) -> None:
    assert _ran(program, "--version") == f"Listening Post {__version__}\n"


def test_it_runs_its_own_files_and_not_the_checkout(fresh: Environment) -> None:
    names = "import listening_post as l; l.add_to_path(); import app, ui, resources"
    said = fresh.says(f"{names}; print(app.__file__, ui.__file__, resources.__file__)")
    assert {str(Path(file).parents[1]) for file in said.split()} == {str(fresh.packages / "listening_post")}


def test_the_installed_demo_answers(fresh: Environment, program: Path, tmp_path: Path) -> None:
    demo = (fresh.packages / "listening_post" / "resources" / "demo.toml").read_text()
    file, capture = tmp_path / "demo.toml", tmp_path / "demo.lpost"
    file.write_text(re.sub(r'(listen = "127.0.0.1):\d+"', r'\1:0"', demo))
    command = [program, "serve", file, "--capture", capture, "--json"]
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


# -- beside other projects


def test_d4_two_projects_with_the_same_package_names_have_each_their_own(shared: Environment, tmp_path: Path) -> None:
    """Whether the names come from an installed project or from the current folder."""
    code = "import app, ui, resources, listening_post; print(app.name, ui.name, resources.name, sep=', ')"
    assert shared.says(code) == "the app of the rival, the ui of the rival, the resources of the rival"
    assert _ran(shared.program, "--version") == f"Listening Post {__version__}\n"
    (tmp_path / "app.py").write_text("raise SystemExit('the app of the current folder')\n")
    assert _ran(shared.python, "-m", "listening_post", "--version", cwd=tmp_path) == f"Listening Post {__version__}\n"
    assert "FAILED" not in _ran(shared.program, "selftest", cwd=tmp_path)


def test_d4_plugins_import_from_listening_post_and_from_app_plugin(shared: Environment, tmp_path: Path) -> None:
    """As files and from an installed package; the current folder and the environment have an ``app`` of their own."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("raise SystemExit('the app of the current folder')\n")
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "new.py").write_text(PLUGIN.format("new"))
    (tmp_path / "plugins" / "old.py").write_text(PLUGIN.format("old").replace("listening_post", "app.plugin"))
    (tmp_path / "w.toml").write_text(workspace("new tcp new", "old tcp old", "added tcp added"))
    started = _statuses(shared.program, tmp_path)
    assert started == {"new": "service.started", "old": "service.started", "added": "service.started"}


def test_d4_a_plugin_whose_own_project_is_called_app_is_told_whose_name_that_is(
    shared: Environment, tmp_path: Path
) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "mine.py").write_text("import app.models\n")
    (tmp_path / "w.toml").write_text(workspace("mine tcp mine", "echo tcp echo"))
    assert _statuses(shared.program, tmp_path) == {"mine": "service.failed", "echo": "service.started"}
    said = _ran(shared.program, "query", tmp_path / "x.lpost", "kind == service.failed")
    assert "No module named 'app.models' (in this program, app is Listening Post's own package)" in said


def _statuses(program: Path, folder: Path) -> dict[str, str]:
    """Serve ``w.toml`` for a moment, from its folder: what became of each service."""
    capture = folder / "x.lpost"
    command = [program, "serve", folder / "w.toml", "--trust-plugins", "--capture", capture, "--for", "0.5", "--json"]
    events = map(json.loads, _ran(*command, cwd=folder).splitlines())
    return {e["service"]: e["kind"] for e in events if e["kind"] in ("service.started", "service.failed")}


def test_d4_a_plugins_tests_find_it_in_an_environment_with_another_app(shared: Environment) -> None:
    """Where that other one was not imported before; else the words say which two meet."""
    code = "from listening_post import responder; from listening_post.testing import connect; import app.plugin as p"
    assert shared.says(f"{code}; print(p.responder is responder)") == "True"
    with pytest.raises(AssertionError, match=r"a package app of its own, and .*app/__init__.py was imported before"):
        shared.says("import app; from listening_post import responder")


def test_d4_an_editable_installation_runs_the_checkout(tree: Path, tmp_path: Path) -> None:
    """As `make setup` makes it."""
    made = Environment(tmp_path / "editable")
    made.install("--no-build-isolation", "--editable", tree)
    assert _ran(made.program, "--version") == f"Listening Post {__version__}\n"
    code = "from listening_post import responder; import app; print(app.__file__)"
    assert made.says(code) == str(tree / "app" / "__init__.py")


def test_d4_what_plugins_import_is_what_app_plugin_has() -> None:
    assert listening_post.__all__ == app.plugin.__all__
    assert {getattr(listening_post, name) for name in listening_post.__all__} == {
        getattr(app.plugin, name) for name in app.plugin.__all__
    }
