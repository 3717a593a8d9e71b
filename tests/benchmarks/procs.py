"""Starts and ends processes, and reads their figures from ``/proc``."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def start(arguments: list[str], **environment: str) -> subprocess.Popen[str]:
    """Start a module of this package; ``arguments``: its name, then its arguments. It prints JSON."""
    command = [sys.executable, "-m", f"tests.benchmarks.{arguments[0]}", *arguments[1:]]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def answer(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The next JSON object that the process prints."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"{process.args!r} ended with {process.wait()} and said nothing")
    found: dict[str, Any] = json.loads(line)
    return found


def run(arguments: list[str], **environment: str) -> dict[str, Any]:
    """Run a module of this package, and return the JSON object that it prints."""
    process = start(arguments, **environment)
    try:
        return answer(process)
    finally:
        end(process)


def end(process: subprocess.Popen[Any], patience: float = 10) -> int:
    """Terminate a process; kill it if it does not end in time. Returns its exit code."""
    if process.poll() is None:
        process.terminate()
    try:
        return process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
    finally:
        _close_pipes(process)


def finish(process: subprocess.Popen[Any]) -> None:
    """Close the standard input of a process that ends with it, and wait."""
    assert process.stdin is not None
    process.stdin.close()
    process.wait(30)
    _close_pipes(process)


def _close_pipes(process: subprocess.Popen[Any]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()


def children(pid: int) -> list[int]:
    """The running child processes of a process."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name, in parentheses, may contain spaces and parentheses.
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found


def cpu(*pids: int) -> float:
    """Seconds of CPU that these processes have used."""
    return sum(_run_time(pid) for pid in pids)


def _run_time(pid: int) -> float:
    # In ns, if the kernel provides it; ``stat`` counts in hundredths of a second.
    with contextlib.suppress(OSError, ValueError):
        threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def wakeups(pid: int) -> dict[str, int]:
    """How often each thread of the process has slept, by its name and id."""
    found = {}
    for thread in Path(f"/proc/{pid}/task").iterdir():
        lines = dict(line.split(":\t", 1) for line in (thread / "status").read_text().splitlines() if ":\t" in line)
        found[f"{lines['Name']} {thread.name}"] = int(lines["voluntary_ctxt_switches"])
    return found


def memory(pid: int) -> tuple[float, float]:
    """Resident memory in MB: now, and the maximum so far."""
    status = Path(f"/proc/{pid}/status").read_text()
    lines = dict(line.split(":", 1) for line in status.splitlines())
    return int(lines["VmRSS"].split()[0]) / 1024, int(lines["VmHWM"].split()[0]) / 1024


def until(ready: Callable[[], object], patience: float, what: str, every: float = 0.02) -> None:
    """Wait until ``ready()`` is true. Raises TimeoutError with the text ``what`` after ``patience`` seconds."""
    deadline = time.monotonic() + patience
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(every)


def settle(*pids: int, patience: float = 30, share: float = 0.03) -> None:
    """Wait until these processes are idle (use less than ``share`` of a core), at most ``patience`` seconds."""
    calm = 0
    deadline = time.monotonic() + patience
    before = cpu(*pids)
    while calm < 3 and time.monotonic() < deadline:
        time.sleep(0.2)
        after = cpu(*pids)
        calm = calm + 1 if after - before < 0.2 * share else 0
        before = after
