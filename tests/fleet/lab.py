"""The parts of the lab as processes: a router, outposts, a console, a link that can be cut."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

from app.outposts.ways import keys
from tests.fleet import cpu
from tests.helpers import ROOT, Serve, wait_for

ROUTER = ROOT / ".venv-router" / "bin" / "python"
THERE, HERE = "10.213.7.2", "10.213.7.1"
"""Ends of the link between two network namespaces."""
SPACE = "post-fleet"

WORKSPACE = """version = 1
[[service]]
name = "echo"
protocol = "tcp"
listen = "{host}:0"
responder = "echo"
"""


class Program:
    """A process of its own group, and the lines that it prints."""

    def __init__(self, *command: str | Path, cwd: Path = ROOT) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            [str(word) for word in command], cwd=cwd, env=environment, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.lines: list[str] = []
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()

    def _collect(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def end(self, how: int = signal.SIGKILL, seconds: float = 60) -> int:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, how)
        code = self.process.wait(seconds)
        self._thread.join(5)
        return code


class Link:
    """A link to another network namespace, where one may be made; ``cut`` and ``mend`` it."""

    def __init__(self) -> None:
        self.real = os.geteuid() == 0 and shutil.which("ip") is not None
        if self.real:
            self.close()
            self.real = all(
                _ip(words)
                for words in (
                    f"netns add {SPACE}", f"link add post-here type veth peer name post-there netns {SPACE}",
                    f"addr add {HERE}/30 dev post-here", "link set post-here up",
                    f"-n {SPACE} addr add {THERE}/30 dev post-there", f"-n {SPACE} link set post-there up",
                    f"-n {SPACE} link set lo up",
                )
            )  # fmt: skip

    @property
    def inside(self) -> list[str]:
        """What a command begins with that runs at the other end."""
        return ["ip", "netns", "exec", SPACE] if self.real else []

    def cut(self) -> None:
        assert _ip("link set post-here down")

    def mend(self) -> None:
        assert _ip("link set post-here up")

    def close(self) -> None:
        _ip(f"netns del {SPACE}")
        _ip("link del post-here")


def _ip(words: str) -> bool:
    return subprocess.run(["ip", *words.split()], capture_output=True, check=False).returncode == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        port: int = probe.getsockname()[1]
        return port


class Lab:
    """All of it, in a folder.

    Attributes:
        names: of the outposts.
        sealed: those of them that seal what they say.
    """

    def __init__(self, folder: Path, count: int, link: Link) -> None:
        self.folder, self.link = folder, link
        self.names = [f"pi-{number:02}" for number in range(1, count + 1)]
        self.sealed = self.names[::5]
        self.node, self.port = folder / "router", free_port()
        self.outposts: dict[str, Serve | Program] = {}
        self.router: Program | None = None
        self.console: Program | None = None
        self.listen = ["127.0.0.1", *([HERE] if link.real else [])]
        for kind, names in (("outposts", [*self.names, "bench"]), ("consoles", ["desk"])):
            (self.node / kind).mkdir(parents=True)
            for name in names:
                key = keys.make(folder / f"{name}.key")
                (self.node / kind / f"{name}.pub").write_text(f"{key.public}\n")
        (folder / "w.toml").write_text(WORKSPACE.format(host="127.0.0.1"))

    def url(self, host: str = "127.0.0.1") -> str:
        return f"wss://{host}:{self.port}/ws"

    def start_router(self) -> None:
        listen = [word for address in self.listen for word in ("--listen", address)]
        self.router = Program(
            ROUTER, ROOT / "packaging" / "crossbar" / "router.py", self.node, "--port", str(self.port), *listen
        )
        wait_for(self._router_is_up, 90, 0.2)

    def _router_is_up(self) -> bool:
        assert self.router is not None
        assert self.router.process.poll() is None, self.router.lines
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5):
            return True
        return False

    def join(self, name: str, host: str = "127.0.0.1") -> list[str]:
        """What ``serve`` needs to be at the router by this name."""
        words = ["--join", self.url(host), "--name", name, "--key", self.folder / f"{name}.key"]
        return [str(word) for word in (*words, "--ca", self.node / "ca.pem")]

    def start_outpost(self, name: str, *, far: bool = False) -> None:
        """``far``: at the other end of the link."""
        words = ["--quiet", *self.join(name, HERE if far and self.link.real else "127.0.0.1"), "--limit", "10GB"]
        if name in self.sealed:
            words += ["--seal", str(self.node / "consoles" / "desk.pub")]
        capture = self.folder / f"{name}.lpost"
        if far:
            serve = [sys.executable, "-m", "ui.entry", "serve", str(self.folder / "w.toml"), "--capture", str(capture)]
            self.outposts[name] = Program(*self.link.inside, *serve, *words)
        else:
            self.outposts[name] = Serve(self.folder / "w.toml", capture, *words, json=False)

    def address(self, name: str) -> str:
        """Where the echo of an outpost listens, once it does."""

        def found() -> str:
            outpost = self.outposts[name]
            said = [line.split("listening on ", 1)[1] for line in list(outpost.lines) if "listening on " in line]
            assert said or outpost.process.poll() is None, outpost.lines
            return said[0] if said else ""

        address: str = wait_for(found, 300, 0.05)
        return address

    def start_console(self) -> None:
        self.console = Program(
            sys.executable, "-m", "tests.fleet.console", self.folder / "console.lpost", self.url(),
            self.node / "ca.pem", self.folder / "desk.key",
            *(f"{name}:{self.node / 'outposts' / name}.pub" if name in self.sealed else name for name in self.names),
        )  # fmt: skip

    def figures(self) -> tuple[int, int, int]:
        """Of the console: how many are connected, events stored since its start, events behind."""
        assert self.console is not None
        for line in reversed(self.console.lines):
            parts = line.split()
            if len(parts) >= 4 and parts[1].isdecimal():
                return int(parts[1]), int(parts[2]), int(parts[3])
        return 0, 0, 0

    def cpu(self) -> Counter[str]:
        """Seconds for which the processor has worked, by kinds of processes."""
        assert self.console is not None
        assert self.router is not None
        return cpu.by_kind(
            [outpost.process.pid for outpost in self.outposts.values()], self.console.process.pid,
            self.router.process.pid,
        )  # fmt: skip

    def end_outposts(self) -> None:
        """Kill outposts and console."""
        for outpost in self.outposts.values():
            outpost.end()
        if self.console is not None:
            self.console.end()

    def close(self) -> None:
        self.end_outposts()
        if self.router is not None:
            self.router.end()


def memory(pid: int) -> float:
    """MB of a process and those that it has started, without what they share with others."""
    total = 0.0
    for each in [pid, *cpu.children(pid)]:
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) / 1024
    return total
