"""Clients from other projects: curl, socat, netcat, chromium."""

from __future__ import annotations

import os
import select
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

Address = tuple[str, int]


def url(address: Address, target: str = "/", scheme: str = "http") -> str:
    host, port = address
    return f"{scheme}://[{host}]:{port}{target}" if ":" in host else f"{scheme}://{host}:{port}{target}"


def curl(*args: str, data: bytes = b"") -> bytes:
    """Run curl, without a proxy, for at most 30 s. Returns its output."""
    return _run(["curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", "30", *args], data)


def socat(protocol: str, address: Address, data: bytes, linger: float = 5) -> bytes:
    """Send ``data`` and half-close. Returns all data received until ``linger`` seconds of silence."""
    host, port = address
    where = f"[{host}]" if ":" in host else host
    return _run(["socat", "-t", str(linger), "-", f"{protocol}:{where}:{port}"], data)


def datagram(address: Address, data: bytes) -> bytes:
    """Send one datagram with socat. Returns the datagram received, however long that takes."""
    host, port = address
    where = f"UDP6:[{host}]:{port}" if ":" in host else f"UDP:{host}:{port}"
    with subprocess.Popen(["socat", "-", where], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        try:
            client.stdin.write(data)
            assert select.select([client.stdout], [], [], 20)[0], "no answer"
            return client.stdout.read(65_536)  # socat writes each datagram separately
        finally:
            client.terminate()


def netcat(address: Address, data: bytes, *args: str) -> bytes:
    """Run OpenBSD's netcat, which ends when the server has closed. Returns its output."""
    host, port = address
    return _run(["nc", *args, "-N", "-w", "5", host, str(port)], data)


def _run(command: list[str], data: bytes) -> bytes:
    return subprocess.run(command, input=data, capture_output=True, timeout=60, check=True).stdout


PAGE = """<!doctype html><title>page</title><pre id="out"></pre>
<script>
const out = line => { document.getElementById("out").textContent += line + "\\n"; };
const socket = new WebSocket("%s", ["chat.v2", "chat.v1"]);
socket.binaryType = "arraybuffer";
socket.onopen = () => {
    out("open " + socket.protocol);
    socket.send("grüße from a page");
    socket.send(new Uint8Array([0, 1, 254, 255]));
};
let seen = 0;
socket.onmessage = event => {
    out(typeof event.data === "string" ? "text " + event.data : "binary " + new Uint8Array(event.data));
    if (++seen === 2) socket.close(4001, "seen enough");
};
socket.onclose = event => { out("close " + event.code + " " + event.reason + " " + event.wasClean); fetch("/done"); };
</script>
<script src="/when-done"></script>
"""
"""A page that finishes loading when its WebSocket is done: ``/when-done`` is answered after ``/done`` was requested."""


@contextmanager
def page_server(page: str) -> Iterator[str]:
    """Serve ``page``. Yields its URL."""
    done = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/done":
                done.set()
            elif self.path == "/when-done":
                done.wait(60)
            body = page.encode() if self.path == "/" else b""
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8" if self.path == "/" else "text/javascript")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def chromium(address: str, folder: Path) -> str:
    """The DOM of a page, once it is loaded."""
    command = [
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-proxy-server",
        "--disable-dev-shm-usage", f"--user-data-dir={folder / 'chromium'}", "--dump-dom", address,
    ]  # fmt: skip
    environment = {**os.environ, "HOME": str(folder)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout
