"""Outposts by SSH: a real sshd on loopback, with keys of its own."""

import getpass
import json
import os
import shutil
import socket
import subprocess
import sys
from contextlib import closing
from types import SimpleNamespace

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from app import events
from app.outposts import protocol as p
from app.outposts.console import Console
from app.outposts.outpost import Outpost
from app.outposts.ways.carrier import Connected, Lost
from app.outposts.ways.configured import carrier_to
from app.outposts.ways.socket import ControlSocket
from app.post import Post
from app.services.config import ServiceConfig
from app.workspace.outposts import OutpostConfig
from app.workspace.reading import Workspace
from tests.app.capture.captures import read
from tests.helpers import ROOT, closed_port, kept_port, short_folder, until, wait_for

PROGRAM = f"cd {ROOT} && exec {sys.executable} -m ui.entry outpost"

WORKSPACE = """version = 1
[outpost]
allow = "control"
[[service]]
name = "echo"
protocol = "tcp"
listen = "127.0.0.1:0"
responder = "echo"
"""

SSHD = """ListenAddress 127.0.0.1:{port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/allowed
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
"""

SSH = """Host *
  Port {port}
  User {user}
  IdentityFile {folder}/{key}
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile {folder}/{hosts}
  GlobalKnownHostsFile none
  StrictHostKeyChecking yes
"""


@pytest.fixture(scope="module")
def lab():
    """An sshd: ``folder`` with its keys, ``port``."""
    with short_folder() as folder, kept_port() as port:
        for key in ("host", "user", "stranger"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "sesame", "-f", folder / "locked"], check=True)
        (folder / "allowed").write_text((folder / "user.pub").read_text() + (folder / "locked.pub").read_text())
        (folder / "sshd_config").write_text(SSHD.format(port=port, folder=folder))
        host = (folder / "host.pub").read_text()
        (folder / "known").write_text(f"[127.0.0.1]:{port} {host}")
        (folder / "unknown").write_text("")
        stranger = (folder / "stranger.pub").read_text()
        (folder / "changed").write_text(f"[127.0.0.1]:{port} {stranger}")
        if os.getuid() == 0:
            os.makedirs("/run/sshd", 0o755, exist_ok=True)  # as the system does where it starts one
        sshd = shutil.which("sshd", path=os.pathsep.join([os.environ["PATH"], "/usr/sbin"]))
        with open(folder / "log", "wb") as log:
            running = subprocess.Popen([sshd, "-D", "-e", "-f", folder / "sshd_config"], stderr=log)
        wait_for(lambda: b"Server listening" in (folder / "log").read_bytes() or running.poll() is not None)
        yield SimpleNamespace(folder=folder, port=port)
        running.terminate()
        running.wait()


@pytest.fixture
def ssh(lab, tmp_path, monkeypatch):
    """Has ``ssh`` use other settings than the user's: ``key``, ``hosts`` and ``port`` can be set."""

    def use(key="user", hosts="known", port=lab.port):
        settings = SSH.format(port=port, folder=lab.folder, key=key, hosts=hosts, user=getpass.getuser())
        (tmp_path / "config").write_text(settings)
        (tmp_path / "bin").mkdir(exist_ok=True)
        script = tmp_path / "bin" / "ssh"
        script.write_text(f'#!/bin/sh\nexec {real} -F {tmp_path}/config "$@"\n')
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")

    real = shutil.which("ssh")
    use()
    return use


@pytest.fixture
def desk(tmp_path):
    post = Post(reactor, Workspace())
    pytest_twisted.blockon(post.open(tmp_path / "desk.lpost"))
    made = SimpleNamespace(post=post, console=Console(reactor, post, "desk"))
    made.console.open()
    yield made
    pytest_twisted.blockon(Deferred.fromCoroutine(made.console.close()))
    pytest_twisted.blockon(Deferred.fromCoroutine(post.shut_down()))


@pytest_twisted.ensureDeferred
async def test_a_workspace_there_is_read_and_steered(ssh, desk, tmp_path):
    (tmp_path / "w.toml").write_text(WORKSPACE)
    command = f"{PROGRAM} {tmp_path}/w.toml --capture {tmp_path}/there.lpost"
    pi = desk.console.add("pi", carrier_to(reactor, OutpostConfig("pi", "127.0.0.1", command), tmp_path))
    await until(lambda: pi.services and pi.services[0].status == "listening", 60)
    host, port = pi.services[0].words.split(":")
    with closing(socket.create_connection((host, int(port)))) as client:
        client.sendall(b"over there")
        await until(lambda: read(desk.post.capture, "SELECT * FROM event WHERE kind = ?", events.DATA_SENT))
    await pi.ask(p.Stop())
    await until(lambda: pi.services[0].status == "stopped")
    assert not pi.allows(p.Put)
    await until(lambda: read(desk.post.capture, "SELECT * FROM event WHERE kind = ?", events.SERVICE_STOPPED))
    await desk.console.close()  # which ends the program there
    theirs = tmp_path / "there.lpost"
    await until(lambda: read(theirs, "SELECT value FROM meta WHERE key = 'closed'") != [(0,)], 60)
    compared = "SELECT e.time, e.kind, e.size, e.payload, e.detail FROM event e {} ORDER BY e.id"
    ours = "JOIN service s ON s.id = e.service AND s.outpost = 'pi' AND e.kind NOT IN (40, 41)"
    found = read(desk.post.capture, compared.format(ours))
    assert found
    assert found == read(theirs, compared.format(""))[: len(found)]
    assert [json.loads(by)["by"] for (by,) in read(theirs, "SELECT detail FROM event WHERE kind = 39")] == ["desk"]


@pytest_twisted.ensureDeferred
async def test_a_socket_there_is_joined(ssh, desk, lab, tmp_path):
    """What is served there goes on when the console has gone, and what came meanwhile is read by the next."""
    post = Post(reactor, Workspace((ServiceConfig("echo", "tcp", "127.0.0.1", 0, "echo"),)))
    await post.open(tmp_path / "there.lpost")
    outpost = Outpost(reactor, post, "there", "read")
    listening = ControlSocket(reactor, lab.folder / "s", outpost)
    config = OutpostConfig("pi", "127.0.0.1", f"{PROGRAM} --socket {lab.folder}/s")
    pi = desk.console.add("pi", carrier_to(reactor, config, tmp_path))
    post.recorder.record(events.LOG, summary="one")
    await until(lambda: read(desk.post.capture, "SELECT * FROM event WHERE summary = 'one'"), 60)
    assert pi.outpost.name == "there"
    await desk.console.remove("pi")
    post.recorder.record(events.LOG, summary="two")
    desk.console.add("pi", carrier_to(reactor, config, tmp_path))
    await until(lambda: read(desk.post.capture, "SELECT * FROM event WHERE summary = 'two'"), 60)
    assert read(desk.post.capture, "SELECT summary FROM event WHERE kind = 19") == [("one",), ("two",)]
    await desk.console.remove("pi")
    await listening.close()
    outpost.close()
    await post.shut_down()


@pytest.mark.parametrize(
    ("settings", "command", "words"),
    [
        ({"hosts": "unknown"}, PROGRAM, "the host key of 127.0.0.1 is not known here. Connect once"),
        ({"hosts": "changed"}, PROGRAM, "is another than before"),
        ({"key": "stranger"}, PROGRAM, "accepts none of your keys .* ssh-copy-id 127.0.0.1"),
        ({}, "no-such-listening-post outpost", "has no such command: .*no-such-listening-post.*Install Listening Post"),
        ({}, f"{PROGRAM} --socket /nowhere/s", "Nothing answers at /nowhere/s"),
        ({}, "echo hello there everybody", "text that begins with “hell”, and no answer. .* no login script either"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_why_it_cannot_be_reached_is_said_with_what_to_do(ssh, tmp_path, settings, command, words):
    ssh(**settings)
    await lost_with(carrier_to(reactor, OutpostConfig("pi", "127.0.0.1", command), tmp_path), words)


@pytest.mark.parametrize("settings", [{"key": "locked"}, {"hosts": "unknown"}], ids=["passphrase", "host key"])
@pytest_twisted.ensureDeferred
async def test_nobody_is_asked_in_a_terminal_or_by_a_program(ssh, tmp_path, monkeypatch, settings):
    """Neither for the passphrase of a key that no agent has, nor whether a host is known: it would be at each try."""
    ask = tmp_path / "ask"
    ask.write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\nexec sleep 100\n")
    ask.chmod(0o755)
    for name, value in {"SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":77"}.items():
        monkeypatch.setenv(name, value)
    ssh(**settings)
    words = "has a passphrase, load it: ssh-add" if "key" in settings else "is not known here"
    await lost_with(carrier_to(reactor, OutpostConfig("pi", "127.0.0.1", PROGRAM), tmp_path), words)
    assert not (tmp_path / "asked").exists()


@pytest_twisted.ensureDeferred
async def test_no_server_is_said(ssh, tmp_path):
    with closed_port() as port:
        ssh(port=port)
        await lost_with(carrier_to(reactor, OutpostConfig("pi", "127.0.0.1"), tmp_path), "connection refused")


@pytest_twisted.ensureDeferred
async def test_no_ssh_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    await lost_with(carrier_to(reactor, OutpostConfig("pi", "127.0.0.1"), tmp_path), "ssh.*(cannot|No such)")


async def lost_with(carrier, words):
    import re

    carrier.open()
    await until(lambda: isinstance(carrier.way, Lost) and re.search(words, carrier.way.reason), 60)
    await carrier.close()
    assert carrier.way != Connected()
