"""What a console reads of an outpost in a second, through a socket, a pipe and SSH, beside what one program stores;
and how long it takes from the wire to the console's capture."""

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
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, sleep

from app.capture.writing.file import CaptureFile
from app.events import DATA_RECEIVED
from tests.benchmarks.context import Bench
from tests.benchmarks.marks import Result
from tests.benchmarks.procs import ROOT
from tests.e2e.test_ssh import SSH, SSHD
from tests.helpers import kept_port, serving, short_folder

EVENTS, BATCH = 40_000, 2_000
MESSAGES, PAUSE = 200, 0.01
WORKSPACE = 'version = 1\n[[service]]\nname = "echo"\nprotocol = "tcp"\nlisten = "127.0.0.1:0"\nresponder = "echo"\n'
OUTPOST = f"cd {ROOT} && exec {sys.executable} -m ui.entry outpost"


def measure(bench: Bench) -> Result:
    rates: dict[str, float] = {}
    delays: dict[str, list[float]] = {}
    with short_folder() as folder:
        (folder / "w.toml").write_text(WORKSPACE)
        rates["local"] = _filled(folder / "there.lpost")
        with serving(folder / "w.toml", folder / "there.lpost", "--control", str(folder / "s")) as served:
            address = served.wait_up()["echo"]
            for way, target, command, path in _ways(folder):
                rates[way], delays[way] = _read(folder, way, target, command, path, address)
    slowest = min(rates, key=lambda way: rates[way])
    return Result(
        "outposts",
        [rates["socket"] / rates["local"]],
        sound=True,
        references=dict(rates),
        notes=[
            "events/s: " + ", ".join(f"{way} {rate:,.0f}" for way, rate in rates.items()) + f"; slowest: {slowest}",
            "ms from wire to the console's capture, p50 and p99: "
            + ", ".join(
                f"{way} {median(found) * 1e3:.0f} and {quantiles(found, n=100)[98] * 1e3:.0f}"
                for way, found in delays.items()
            ),
        ],
        details={"delays": delays},
    )


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


def _ways(folder: Path) -> Iterator[tuple[str, str, str, str]]:
    path = os.environ["PATH"]
    yield "socket", str(folder / "s"), "", path
    yield "pipe", "pipe", f"{OUTPOST} --socket {folder}/s", path
    sshd = shutil.which("sshd", path=f"{path}:/usr/sbin")
    if sshd is not None:
        with _sshd(sshd, folder) as tools:
            yield "SSH", "127.0.0.1", f"{OUTPOST} --socket {folder}/s", f"{tools}:{path}"


@contextmanager
def _sshd(sshd: str, folder: Path) -> Iterator[Path]:
    """A server of SSH on loopback; the folder of an ``ssh`` that knows it."""
    with kept_port() as port:
        for key in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
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


def _read(
    folder: Path, way: str, target: str, command: str, path: str, address: tuple[str, int]
) -> tuple[float, list[float]]:
    """Events a second and delays, of a console that begins with an empty capture."""
    words = [target, command, str(folder / f"{way}.lpost"), str(EVENTS), str(MESSAGES)]
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    probe = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.outposts_probe", *words], stdout=subprocess.PIPE, env=environment,
        cwd=ROOT, text=True,
    )  # fmt: skip
    assert probe.stdout is not None
    assert probe.stdout.readline() == "ready\n"
    with socket.create_connection(address) as client:
        for _ in range(MESSAGES):
            client.sendall(b"now")
            sleep(PAUSE)
        found = json.loads(probe.stdout.readline())
    probe.wait()
    return found["rate"], found["delays"]
