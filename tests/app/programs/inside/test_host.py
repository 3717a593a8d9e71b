"""app.programs.inside.host: programs as tutorials have them, each unchanged in a process of its own."""

import os
import re
import socket
from contextlib import ExitStack, closing

import pytest

from app import events
from app.capture.filters.language import EVERYTHING
from app.capture.reading.store import Store
from tests.app.programs.inside.tutorials import TUTORIALS
from tests.helpers import kept_port, wait_for
from tests.preloaded import Run


def seen(path):
    """Kind and summary of each event of a capture."""
    with closing(Store(path)) as store:
        return [(events.NAMES[e.kind], e.summary) for e in store.events(EVERYTHING, *store.range())]


def assert_shown(path, tutorial, port):
    """A failure has the program's own line, and its local values."""
    with closing(Store(path)) as store:
        found = store.events(EVERYTHING, *store.range())
        details = [e.detail for e in found if e.kind in (*events.FAILURES, events.LOOP_BLOCKED)]
    own = [[frame for frame in detail["frames"] if frame["file"].endswith("tutorial.py")][-1:] for detail in details]
    frames = [frame for [frame] in filter(None, own) if frame["line"] == tutorial.line]
    assert frames, own
    values = dict(frames[0]["locals"])
    for name, pattern in tutorial.values:
        pattern = pattern.replace("{port}", str(port)).replace("{{", "{").replace("}}", "}")
        assert re.search(pattern, values[name]), f"{name} is {values[name]}"


class Hosted:
    """A program that runs; what it prints is dropped."""

    def __init__(self, folder, text, *args, name="tutorial.py"):
        self.capture = folder / "x.lpost"
        (folder / name).write_text(text)
        reading, writing = os.pipe()
        null = os.open(os.devnull, os.O_RDWR)
        command = [f"--capture={self.capture}", "--limit=1000000000", f"--script={name}", "--", *args]
        self.run = Run(command, null, writing, writing, folder=folder, module="app.programs.inside.host")
        for descriptor in (writing, null):
            os.close(descriptor)
        self.printed = os.fdopen(reading, "rb")

    def wait(self):
        """Its exit code, as a shell has it, and what it printed."""
        printed = self.printed.read().decode()
        self.printed.close()
        code = self.run.wait(100)
        return (code if code >= 0 else 128 - code), printed

    def listens(self):
        return self.capture.exists() and any(kind == "service.started" for kind, _ in _tried(self.capture))


def _tried(path):
    try:
        return seen(path)
    except Exception:
        return []


def exchanged(port, sends):
    """What comes back until the program closes."""
    with closing(socket.create_connection(("127.0.0.1", port), 60)) as client:
        client.sendall(sends)
        if not sends.startswith(b"GET"):  # a web client stays to read
            client.shutdown(socket.SHUT_WR)
        parts = []
        try:
            while part := client.recv(1 << 16):
                parts.append(part)
        except ConnectionResetError:
            pass
        return b"".join(parts)


@pytest.mark.parametrize("name", TUTORIALS)
def test_a_tutorial_runs_as_ever_and_is_seen(name, tmp_path):
    tutorial = TUTORIALS[name]
    with ExitStack() as stack:
        port = stack.enter_context(kept_port())
        text = tutorial.text.replace("{port}", str(port)).replace("{{", "{").replace("}}", "}")
        hosted = Hosted(tmp_path, text)
        if tutorial.sends is not None:
            wait_for(lambda: hosted.listens() or hosted.run.poll() is not None)
            assert exchanged(port, tutorial.sends).startswith(tutorial.gets)
        code, printed = hosted.wait()
    found = seen(hosted.capture)
    listed = "\n".join(f"{kind:18} {summary}" for kind, summary in found)
    assert code == tutorial.code, f"{printed}\n{listed}"
    at = 0
    for kind, pattern in tutorial.seen:
        pattern = pattern.replace("{port}", str(port))
        at = next(
            (n + 1 for n in range(at, len(found)) if found[n][0] == kind and re.search(pattern, found[n][1])), None
        )
        assert at is not None, f"no {kind} {pattern!r}\n{listed}"
    if tutorial.line:
        assert_shown(hosted.capture, tutorial, port)
    for pattern in (*tutorial.never, r"app\.programs", r"\bTap starting"):
        assert not [summary for _, summary in found if re.search(pattern, summary)], f"{pattern!r}\n{listed}"


def test_a_program_with_a_package_called_as_ours_has_its_own(tmp_path):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("NAME = 'theirs'\n")
    hosted = Hosted(tmp_path, "import app\nprint(app.NAME)\nimport app.events\n")
    code, printed = hosted.wait()
    assert "theirs" in printed
    assert "No module named 'app.events'" in printed
    assert code == 1


def test_the_program_has_its_own_arguments_folder_and_name(tmp_path):
    text = (
        "import sys\nprint(__name__, sys.argv, sys.path[0] == sys.argv[1], __file__ == sys.argv[1] + '/tutorial.py')\n"
    )
    code, printed = Hosted(tmp_path, text, str(tmp_path), "--debug").wait()
    assert (code, printed) == (0, f"__main__ ['tutorial.py', '{tmp_path}', '--debug'] True True\n")
