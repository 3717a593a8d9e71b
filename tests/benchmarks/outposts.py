"""What a console reads of an outpost in a second, through a socket, a pipe and SSH, beside what one program stores;
and how long it takes from the wire to the console's capture, and to its pane. Through a router: ``make fleet``."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, sleep
from typing import Any

from app.capture.writing.file import CaptureFile
from app.events import DATA_RECEIVED
from tests.benchmarks.context import Bench
from tests.benchmarks.marks import Result
from tests.benchmarks.procs import ROOT
from tests.e2e.test_ssh import SSH, SSHD
from tests.helpers import kept_port, serving, short_folder

EVENTS, BATCH = 40_000, 2_000
MESSAGES, MESSAGE, PAUSE = 200, b"now", 0.01
WORKSPACE = 'version = 1\n[[service]]\nname = "echo"\nprotocol = "tcp"\nlisten = "127.0.0.1:0"\nresponder = "echo"\n'
OUTPOST = f"cd {ROOT} && exec {sys.executable} -m ui.entry outpost"


@dataclass
class Read:
    """Of one way: events in a second, and seconds from the wire to the console's capture and to the row in its pane."""

    rate: float
    stored: list[float]
    shown: list[float]


def measure(bench: Bench) -> Result:
    with short_folder() as folder:
        local, found = read(folder)
    slowest = min(found, key=lambda way: found[way].rate)
    return Result(
        "outposts",
        found["socket"].rate / local,
        sound=True,
        references={"local": local, **{way: one.rate for way, one in found.items()}},
        notes=[*in_words(local, found), f"slowest: {slowest}"],
        details={"delays": {way: {"stored": one.stored, "shown": one.shown} for way, one in found.items()}},
    )


def read(folder: Path, *words: str, beside: dict[str, dict[str, Any]] | None = None) -> tuple[float, dict[str, Read]]:
    """Events that one program stores in a second, and what is read of it by each way.

    ``words`` are for the program whose events are read, ``beside`` more ways, as ``outposts_probe`` takes them.
    """
    (folder / "w.toml").write_text(WORKSPACE)
    local = _filled(folder / "there.lpost")
    found: dict[str, Read] = {}
    with serving(folder / "w.toml", folder / "there.lpost", "--control", str(folder / "s"), *words) as served:
        address = served.wait_up()["echo"]
        path = os.environ["PATH"]
        for way, said in (beside or {}).items():
            found[way] = _read(folder / f"{way}.lpost", said, path, address)
        for way, said, path in _ways(folder):
            found[way] = _read(folder / f"{way}.lpost", said, path, address)
    return local, found


def in_words(local: float, found: dict[str, Read]) -> list[str]:
    """What ``read`` has found, in lines."""

    def delays(name: str) -> str:
        times = {way: getattr(one, name) for way, one in found.items()}
        return ", ".join(
            f"{way} {median(t) * 1e3:.0f} and {quantiles(t, n=100)[98] * 1e3:.0f}" for way, t in times.items()
        )

    return [
        f"events/s: local {local:,.0f}, " + ", ".join(f"{way} {one.rate:,.0f}" for way, one in found.items()),
        f"ms from wire to the console's capture, p50 and p99: {delays('stored')}",
        f"ms from wire to the row in the console's pane, p50 and p99: {delays('shown')}",
    ]


def _filled(capture: Path) -> float:
    """Fill a capture with events, and return how many were stored in a second."""
    file = CaptureFile(capture, "bench", 1 << 40)
    began = perf_counter()
    for sequence in range(EVENTS // BATCH):
        flat: list[object] = []
        for number in range(BATCH):
            flat += [1_700_000_000_000_000_000 + number, DATA_RECEIVED, 1, 0, None, b"x" * 64, None, None]
        file.store((sequence + 1, [("echo", "tcp")] if not sequence else None, flat))
    seconds = perf_counter() - began
    file.close()
    return EVENTS / seconds


def _ways(folder: Path) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Each way, what ``outposts_probe`` takes for it, and the PATH there."""
    path = os.environ["PATH"]
    yield "socket", {"name": "far", "target": str(folder / "s")}, path
    yield "pipe", {"pipe": f"{OUTPOST} --socket {folder}/s"}, path
    sshd = shutil.which("sshd", path=f"{path}:/usr/sbin")
    if sshd is not None:
        with _sshd(sshd, folder) as tools:
            command = f"{OUTPOST} --socket {folder}/s"
            yield "SSH", {"name": "far", "target": "127.0.0.1", "command": command}, f"{tools}:{path}"


@contextmanager
def _sshd(sshd: str, folder: Path) -> Iterator[Path]:
    """A server of SSH on loopback; the folder of an ``ssh`` that knows it."""
    with kept_port() as port:
        for key in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
        (folder / "allowed").write_text((folder / "user.pub").read_text())
        (folder / "sshd_config").write_text(SSHD.format(port=port, folder=folder))
        (folder / "known").write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
        settings = SSH.format(port=port, folder=folder, key="user", hosts="known", user=getpass.getuser())
        (folder / "ssh_config").write_text(settings)
        (folder / "bin").mkdir()
        (folder / "bin" / "ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/ssh_config "$@"\n')
        (folder / "bin" / "ssh").chmod(0o755)
        if os.getuid() == 0:
            os.makedirs("/run/sshd", 0o755, exist_ok=True)
        running = subprocess.Popen([sshd, "-D", "-e", "-f", folder / "sshd_config"], stderr=subprocess.PIPE)
        assert running.stderr is not None
        running.stderr.readline()  # it listens
        try:
            yield folder / "bin"
        finally:
            running.terminate()
            running.wait()


def _read(capture: Path, said: dict[str, Any], path: str, address: tuple[str, int]) -> Read:
    """What a console finds that begins with an empty capture."""
    words = [json.dumps(said), str(capture), str(EVENTS), str(MESSAGES * len(MESSAGE))]
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"}
    probe = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.outposts_probe", *words], stdout=subprocess.PIPE, env=environment,
        cwd=ROOT, text=True,
    )  # fmt: skip
    assert probe.stdout is not None
    assert probe.stdout.readline() == "ready\n"
    with socket.create_connection(address) as client:
        for _ in range(MESSAGES):
            client.sendall(MESSAGE)
            sleep(PAUSE)
        found = json.loads(probe.stdout.readline())
    probe.wait()
    return Read(**found)
