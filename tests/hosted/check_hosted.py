"""``listening-post run`` with what others wrote: the tests of packages from PyPI, and Twisted's own commands.

``make hosted`` makes ``build/hosted``, a virtual environment with Twisted, klein, treq and httpbin and nothing of ours.
What is run there is run twice, without us and with us.
"""

import contextlib
import os
import pwd
import re
import shutil
import signal
import subprocess
from urllib.request import urlopen

import pytest

from tests.app.programs.inside.test_host import seen
from tests.helpers import PROGRAM, ROOT, kept_port, wait_for

BIN = ROOT / "build" / "hosted" / "bin"
ENOUGH = 100
"""Seconds for any of it."""

COUNTED = re.compile(r"^Ran \d+ tests|^(?:PASSED|FAILED) .*", re.MULTILINE)


def environment():
    """As a user has it who never heard of our modules."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def ours(capture, *words):
    """The command line that runs ``words`` with us."""
    return [*PROGRAM, "run", "--quiet", "--capture", str(capture), "--", *words]


def ran(command, folder):
    """Exit code and output of what ends by itself."""
    more = environment() | {"PYTHONPATH": str(ROOT)} if command[: len(PROGRAM)] == PROGRAM else environment()
    done = subprocess.run(command, cwd=folder, env=more, capture_output=True, text=True, timeout=ENOUGH, check=False)
    return done.returncode, done.stdout + done.stderr


@contextlib.contextmanager
def serving(command, port, folder):
    """A server that runs while this lasts, and is ended by SIGTERM."""
    with open(folder / "said.txt", "wb") as said:
        more = environment() | {"PYTHONPATH": str(ROOT)} if command[: len(PROGRAM)] == PROGRAM else environment()
        process = subprocess.Popen(command, cwd=folder, env=more, stdout=said, stderr=said)
    try:
        wait_for(lambda: process.poll() is not None or listens(port), ENOUGH)
        assert process.poll() is None, (folder / "said.txt").read_text()
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(ENOUGH)


def listens(port):
    """Whether somebody listens there, without connecting."""
    with open("/proc/net/tcp") as table:
        return any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A" for line in table)


def both(tmp_path, words, client):
    """What ``client`` gets of the server ``words`` without us and with us, and what was seen."""
    answers = []
    for capture in (None, tmp_path / "x.lpost"):
        with kept_port() as port:
            command = [word.replace("{port}", str(port)) for word in words]
            with serving(ours(capture, *command) if capture else command, port, tmp_path):
                answers.append(client(port))
    return (*answers, seen(tmp_path / "x.lpost"))


def fetched(path):
    def fetch(port):
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=ENOUGH) as response:
            return response.status, response.read()

    return fetch


@pytest.mark.parametrize(
    ("package", "wire"),
    [
        ("klein", ()),
        ("treq.test.test_treq_integration", ("GET /get HTTP/1.1", "POST /post HTTP/1.1", "HTTP/1.1 200 OK")),
    ],
)
def test_the_tests_of_a_package_do_as_they_do_without_us(package, wire, tmp_path):
    without, said = ran([str(BIN / "trial"), package], tmp_path)
    code, said_with = ran(ours(tmp_path / "x.lpost", str(BIN / "trial"), package), tmp_path)
    counted = [re.sub(r" in .*", "", line) for line in COUNTED.findall(said)]
    assert without == 0, said[-3000:]
    assert len(counted) == 2
    assert (code, COUNTED.findall(said_with)) == (without, counted), said_with[-3000:]
    found = seen(tmp_path / "x.lpost")
    data = [summary for kind, summary in found if kind.startswith("data.")]
    assert bool(data) == bool(wire)
    for words in wire:
        assert any(words in summary for summary in data), words
    if wire:
        assert any(kind == "tls.opened" for kind, _ in found)
        # Some of them are still open when treq's tests are over, with us and without.
        assert [kind for kind, _ in found].count("connection.opened") > 40


def test_twist_web(tmp_path):
    (tmp_path / "page.txt").write_text("a page")
    words = [str(BIN / "twist"), "web", "--listen", "tcp:{port}:interface=127.0.0.1", "--path", str(tmp_path)]
    without, with_us, found = both(tmp_path, words, fetched("/page.txt"))
    assert without == with_us == (200, b"a page")
    assert ("data.received", "GET /page.txt HTTP/1.1") in [(kind, summary[:22]) for kind, summary in found]
    assert any(kind == "log" and '"GET /page.txt HTTP/1.1" 200' in summary for kind, summary in found)
    assert any(kind == "log" and "SIGTERM" in summary for kind, summary in found)


def test_twistd_in_the_foreground_runs_an_application(tmp_path):
    (tmp_path / "echo.tac").write_text("""
from twisted.application import internet, service
from twisted.web import resource, server

class Hello(resource.Resource):
    isLeaf = True
    def render_GET(self, request):
        return b"from a .tac"

application = service.Application("hello")
internet.TCPServer({port}, server.Site(Hello()), interface="127.0.0.1").setServiceParent(application)
""")
    text = (tmp_path / "echo.tac").read_text()
    answers = []
    for capture in (None, tmp_path / "x.lpost"):
        with kept_port() as port:
            (tmp_path / "echo.tac").write_text(text.replace("{port}", str(port)))
            command = [str(BIN / "twistd"), "-n", "--pidfile=", "-y", "echo.tac"]
            with serving(ours(capture, *command) if capture else command, port, tmp_path):
                answers.append(fetched("/")(port))
    found = seen(tmp_path / "x.lpost")
    assert answers[0] == answers[1] == (200, b"from a .tac")
    assert any(kind == "data.sent" and "200 OK" in summary for kind, summary in found)
    assert [kind for kind, _ in found].count("service.started") == 1


def test_twist_conch_and_openssh(tmp_path):
    user = pwd.getpwuid(os.getuid()).pw_name
    (tmp_path / "passwords").write_text(f"{user}:wonderland\n")
    (tmp_path / "asked").write_text("#!/bin/sh\necho wonderland\n")
    (tmp_path / "asked").chmod(0o700)
    key = ["-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "ssh_host_ed25519_key")]
    subprocess.run([shutil.which("ssh-keygen"), *key], check=True, timeout=ENOUGH)
    words = [
        str(BIN / "twist"), "conch", "--port", "tcp:{port}:interface=127.0.0.1", "--data", str(tmp_path),
        "--moduli", str(tmp_path), "--auth", f"file:{tmp_path / 'passwords'}",
    ]  # fmt: skip

    def log_in(port):
        options = [
            "StrictHostKeyChecking=no", f"UserKnownHostsFile={tmp_path / 'known'}", "PreferredAuthentications=password",
            "NumberOfPasswordPrompts=1", "LogLevel=ERROR",
        ]  # fmt: skip
        command = [shutil.which("ssh"), "-F", os.devnull, "-T", "-p", str(port)]
        command += [word for option in options for word in ("-o", option)]
        more = environment() | {"SSH_ASKPASS": str(tmp_path / "asked"), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"}
        done = subprocess.run(
            [*command, f"{user}@127.0.0.1", "echo hello"], env=more, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=ENOUGH, check=False,
        )  # fmt: skip
        # Before the command's own output, twist's log warns in the process that it has forked.
        return done.returncode, done.stdout.splitlines()[-1:], done.stderr

    without, with_us, found = both(tmp_path, words, log_in)
    assert without == with_us
    if os.getuid() == 0:  # else conch cannot become the user that it lets in
        assert with_us == (0, ["hello"], "")
    assert any(kind == "data.received" and summary.startswith("SSH-2.0-OpenSSH") for kind, summary in found)
    assert any(kind == "data.sent" and summary.startswith("SSH-2.0-Twisted") for kind, summary in found)
    assert any(kind == "log" and "Executing command" in summary and "echo hello" in summary for kind, summary in found)
