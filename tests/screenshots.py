"""Draws the real window into ``resources/screenshots``: dark and light, empty and under traffic.

    python -m tests.screenshots [FOLDER]

The pictures are of the program itself on an Xvfb; its clients are curl, socat and websockets.
"""

from __future__ import annotations

import json
import os
import random
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from websockets.sync.client import ClientConnection, connect

from app.events import FAILURE
from tests.e2e.clients import curl, socat, url
from tests.e2e.display import Display, display
from tests.e2e.program import Program, running
from tests.helpers import ROOT, run
from tests.ui.charts import samples

FOLDER = ROOT / "resources" / "screenshots"

DEVICES = """version = 1

[[service]]
name = "sensor-hub"
protocol = "tcp"
listen = "127.0.0.1:9407"
responder = "fragile"

[[service]]
name = "beacon"
protocol = "udp"
listen = "0.0.0.0:9408"
responder = "echo"

[[service]]
name = "orders-api"
protocol = "http"
listen = "127.0.0.1:9480"
responder = "inspector"

[[service]]
name = "live-updates"
protocol = "websocket"
listen = "127.0.0.1:9481"
responder = "echo"

[[service]]
name = "firmware"
protocol = "tcp"
listen = "127.0.0.1:9443"
responder = "echo"
"""

USERS_API = """[[service]]
name = "users-api"
protocol = "http"
listen = "127.0.0.1:9482"
responder = "mock"

[[service.options.rules]]
method = "GET"
path = "/users/{id}"
template = true
body = '''
{
  "id": {{path.id}},
  "name": "{{query.name | default Ada}}",
  "since": "{{now}}"
}'''

[[service.options.rules]]
method = "POST"
path = "/users"
status = 201
answer_fields = ["Location: /users/8"]
body = '{"id": 8}'

[[service.options.rules]]
path = "/flaky"
times = 2
status = 503
answer_fields = ["Retry-After: 1"]

[[service.options.rules]]
path = "/flaky"
body = "works now"

[[service.options.rules]]
path = '~^/files/(.+)'
status = 404
on = false

[[service.options.rules]]
status = 404
body = '{"title": "Not here"}'

"""

_BEACON = '[[service]]\nname = "beacon"'
WORKSPACE = DEVICES.replace(_BEACON, USERS_API + _BEACON)

PAGE = 2.0
"""Seconds for the first page of a service, which loads its forms, on a machine that has much else to do."""

SENSOR, BEACON, ORDERS, LIVE, USERS = (("127.0.0.1", port) for port in (9407, 9408, 9480, 9481, 9482))
TAKEN = ("127.0.0.1", 9443)
EMPTY = "version = 1\n"

_ORDER = {"item": "TMP117 breakout", "quantity": 12, "ship_to": {"city": "Göteborg", "express": True}}


class Sensors:
    """Devices that report now and then, until they are told to stop."""

    def __init__(self) -> None:
        self._random = random.Random(7)
        self._stop = threading.Event()
        self._clients = [socket.create_connection(SENSOR, 5) for _ in range(3)]
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def _work(self) -> None:
        while not self._stop.wait(0.08):
            client = self._random.choice(self._clients)
            temperature, humidity = self._random.uniform(18, 24), self._random.uniform(35, 55)
            client.sendall(b"READ temp=%.1f hum=%.1f batt=87\n" % (temperature, humidity))
            client.recv(1000)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def close(self) -> None:
        self.stop()
        for client in self._clients:
            client.close()


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)


@contextmanager
def traffic() -> Iterator[Sensors]:
    """Everything of a busy desk; its connections stay open."""
    with ExitStack() as stack:
        sensors = Sensors()
        stack.callback(sensors.close)
        live: ClientConnection = stack.enter_context(
            connect(url(LIVE, "/updates", "ws"), subprotocols=["updates.v1"], proxy=None)  # type: ignore[list-item]
        )
        for number in range(14):
            _pause(0.15)
            socat("UDP", BEACON, struct.pack(">HHBfff8x", 0x0107, 25, number, 21.5 + number / 8, 0.4, 3.3), linger=0.05)
            live.send(json.dumps({"subscribe": "orders", "since": 1200 + number}))
            live.recv(5)
        _pause(0.6)
        sensors.stop()
        _pause(0.3)
        _requests()
        yield sensors


def _requests() -> None:
    curl(url(ORDERS, "/hello"))
    body = json.dumps(_ORDER, ensure_ascii=False, indent=2).encode()
    fields = ["-H", "Content-Type: application/json", "-H", "X-Request-Id: 7f3a-22"]
    curl("-X", "POST", *fields, "--data-binary", "@-", url(ORDERS, "/orders?dry_run=1"), data=body)
    curl("--head", url(ORDERS, "/orders/17"))
    socat("TCP", SENSOR, b"READ temp=21.4 hum=41.2\nfail\n")
    socat("UDP", BEACON, bytes(range(0, 256, 3)) + b" beacon 17 " + bytes(64), linger=0.05)


class Album:
    """Pictures of one theme."""

    def __init__(self, screen: Display, folder: Path, theme: str) -> None:
        self._screen, self._folder, self._theme = screen, folder, theme

    def draw(self) -> None:
        with TemporaryDirectory() as folder, running_on(self._screen, EMPTY, folder, self._theme):
            self._settle(PAGE)
            self._keep("empty")
        with TemporaryDirectory() as folder, running_on(self._screen, WORKSPACE, folder, self._theme, "--start") as it:
            it.wait_up(5)
            with traffic():
                it.wait_event(lambda e: e.kind == FAILURE)
                self._views(it)
                self._workbench(it)
                self._dialogs(it)
            it.press("ctrl+q")
            it.wait()

        self._charts()

    def _charts(self) -> None:
        """Ten minutes of a capture that goes on, in which something went wrong; a range of it is selected."""
        with TemporaryDirectory() as folder:
            services = [("sensor-hub", "tcp"), ("beacon", "udp"), ("orders-api", "http")]
            samples.make(Path(folder) / "run.lpost", begin=int(time.time()) - samples.SECONDS, services=services)
            with running_on(self._screen, DEVICES, folder, self._theme, "--start") as it:
                it.wait_up(5)
                it.press("ctrl+alt+d")
                _pause(2.5)
                it.press(*["Tab"] * 6, "End", *["ctrl+Left"] * 4, *["shift+Left"] * 14, "Return")
                self._settle()
                self._keep("charts")
                it.press("ctrl+q")
                it.wait()

    def _views(self, it: Program) -> None:
        it.click("pane orders-api")
        self._settle()
        it.click_row(0)
        rows = it.rows("POST /orders")
        at = next(i for i, row in enumerate(rows) if row[6] == "http.request" and row[8].startswith("POST"))
        it.press("Home", *["Down"] * at)
        self._settle()
        self._keep("request")
        it.click("pane beacon")
        self._settle()
        it.click_row(0)
        it.press("End", "Up")
        self._settle()
        it.click("other detail Hex")
        self._settle()
        self._keep("hex")
        it.click("other detail Overview")
        it.click("pane Failures")
        self._settle()
        it.click_row(0)
        self._settle()
        self._keep("traceback")
        it.press("ctrl+shift+o")
        self._settle()
        it.click_row(0)
        self._settle()
        self._keep("conversations")
        it.click("pane All")
        it.click_row(0)
        it.press("End", *["Up"] * 4)
        self._settle()
        self._keep("window")

    def _workbench(self, it: Program) -> None:
        """The page of a mock that has answered, with a request to try."""
        for path in ("/users/7", "/users/8", "/flaky", "/flaky", "/flaky", "/nowhere"):
            curl(url(USERS, path))
        it.click("lamp of users-api")
        it.press("ctrl+e")
        self._settle(PAGE)
        it.press("alt+t")
        self._screen.type(it.window, "GET /users/7?name=Grace")
        self._settle()
        self._keep("workbench")
        it.press("ctrl+w")
        it.click("lamp of sensor-hub")

    def _dialogs(self, it: Program) -> None:
        it.click("connection")
        it.press("ctrl+Return")
        dialog = it.wait_window("Send to")
        self._screen.type(dialog, "SET interval=500")
        self._screen.press(dialog, "ctrl+Return")
        self._screen.type(dialog, "READ temp\\x0d\\x0a")
        self._keep("send", dialog)
        self._screen.press(dialog, "Escape")
        it.press("ctrl+n")
        dialog = it.wait_window("New service")
        self._keep("dialog", dialog)
        self._screen.press(dialog, "Escape")

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}-{self._theme}.png"

    def _settle(self, seconds: float = 0.35) -> None:
        """Let the window show what was done; sparklines move on, so that it never stands still."""
        _pause(seconds)

    def _keep(self, name: str, window: str = "root") -> None:
        self._screen.park()
        path = self._path(name)
        self._settle()
        self._screen.screenshot(path, window)
        shrink = [
            "convert",
            path,
            *("-bordercolor", "black", "-border", "1", "-trim", "+repage"),  # of the screen, what no window covers
            "-strip",
            "-dither",
            "None",
            "-colors",
            "255",
            "-define",
            "png:compression-level=9",
            f"PNG8:{path}",
        ]
        subprocess.run(list(map(str, shrink)), check=True)
        print(f"{path.name}  {path.stat().st_size / 1000:.0f} kB")


@contextmanager
def running_on(screen: Display, text: str, folder: str, theme: str, *args: str) -> Iterator[Program]:
    workspace = Path(folder) / "devices.toml"
    workspace.write_text(text)
    # A service of it is there for the network, which the user of these pictures has allowed.
    run("trust", workspace, env={**os.environ, "XDG_DATA_HOME": str(Path(folder) / "data")}).check_returncode()
    with running(screen, workspace, Path(folder), *args, theme=theme) as program:
        yield program


def main(folder: Path = FOLDER) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with socket.create_server(TAKEN), display() as screen:
        for theme in ("dark", "light"):
            Album(screen, folder, theme).draw()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
