"""Servers that others have written, started for a test."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.helpers import wait_for

_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@contextmanager
def running(port: int, name: str, *args: str) -> Iterator[None]:
    """A server, as soon as it listens."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    assert found, f"{name} is not installed"
    process = subprocess.Popen([found, *args], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:

        def listens() -> bool:
            assert process.poll() is None, f"{name} has ended with {process.returncode}"
            with socket.socket() as tried:
                return tried.connect_ex(("127.0.0.1", port)) == 0

        wait_for(listens)
        yield
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def nginx(folder: Path, port: int, http: str) -> Iterator[None]:
    """An nginx with the configuration ``http``, of which a server listens on ``port``."""
    folder.mkdir(exist_ok=True)
    temporary = "".join(f"{what}_temp_path {folder}/{what};\n" for what in _TEMPORARY)
    (folder / "conf").write_text(f"""
        {"user root;" if os.getuid() == 0 else ""}
        daemon off; worker_processes 1; pid {folder}/pid; error_log stderr;
        events {{}}
        http {{ {temporary} access_log off; {http} }}
    """)
    with running(port, "nginx", "-e", "stderr", "-p", str(folder), "-c", str(folder / "conf")):
        yield
