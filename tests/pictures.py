"""The pictures of the manual: the real program under traffic, its dialogs; there in the light theme.

Those of programs and outposts also in the dark one, which the manual in the program shows where it is dark.

python -m tests.pictures [FOLDER]
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from app.events import FAILURE, LOOP_BLOCKED, OUTPOST_CONNECTED, WATCH_CHECKED
from tests.e2e.clients import curl, socat, url
from tests.e2e.display import display
from tests.e2e.program import Program
from tests.helpers import ROOT, serving, short_folder
from tests.manual import blocks
from tests.screenshots import BEACON, DEVICES, ORDERS, PAGE, SENSOR, Album, running_on, traffic

FOLDER = ROOT / "docs" / "pictures"

SHOP = ("127.0.0.1", 9486)
DESK, _ = DEVICES.split('[[service]]\nname = "firmware"')
DESK += """[[service]]
name = "shop"
protocol = "http"
listen = "127.0.0.1:9486"
responder = "mock"

[[service.options.rules]]
method = "POST"
path = "/pay"
times = 2
status = 503
answer_fields = ["Retry-After: 1"]

[[service.options.rules]]
method = "POST"
path = "/pay"
body_json = ["$.total > 0"]
status = 201
template = true
body = '{"paid": {{json.total}}}'

[[service.options.rules]]
path = "/users/{id}"
delay = 0.2
body = '{"name": "Ann"}'

[service.tls]

[[message]]
name = "read temperature"
url = "tcp://127.0.0.1:9407"
data = 'READ temp\\n'

[[message]]
name = "pay"
url = "https://127.0.0.1:9486/pay"
data = '{"total": 42}'
method = "POST"
"""

FAULTY = DEVICES.replace(
    'responder = "fragile"\n',
    """responder = "fragile"
seed = 7

[[service.fault]]
name = "slow"
kind = "delay"
ms = 60
jitter_ms = 20

[[service.fault]]
name = "second command breaks"
kind = "reset"
nth = 2
match = "SET"
enabled = false
""",
).replace(
    'responder = "inspector"\n',
    """responder = "inspector"
seed = 7

[[service.fault]]
name = "stuck"
kind = "stall"
ms = 300
probability = 0.5
""",
)
"""Services that fail on purpose."""

BLOCKED = (
    DESK.partition("[[service]]")[0]
    + """[[service]]
name = "orders"
protocol = "tcp"
listen = "127.0.0.1:9621"
responder = "orders"
"""
)

BLOCKING = blocks(ROOT / "docs" / "blocked.md")[0].text.replace("sleep(1)", "sleep(0.6)")

[BALANCED] = [block.text for block in blocks(ROOT / "docs" / "balance.md") if block.file == "balance.toml"]
"""A relay before two servers that are there, and one that is not."""

FRONT = ("127.0.0.1", 9590)
WATCHED = (
    DEVICES
    + """
[[watch]]
name = "orders are taken"
target = "orders-api"
every_seconds = 1

[[watch]]
name = "sensors measure"
target = "sensor-hub"
every_seconds = 1
timeout_seconds = 0.2
send = 'READ temp\\n'
expect = '23.5'

[[watch]]
name = "beacon"
target = "beacon"
every_seconds = 1
send = 'ping'
"""
)
"""Services that are checked, one of which does not answer as it should."""

PROGRAMS = (
    DESK.partition("[[service]]")[0]
    + """[[service]]
name = "device"
protocol = "tcp"
listen = "127.0.0.1:9622"
responder = "echo"

[[program]]
name = "echo"
run = ["echo.py"]

[[program]]
name = "loop"
run = ["loop.py"]
"""
)

HOSTED = """from twisted.internet import protocol, reactor


class Echo(protocol.Protocol):
    def dataReceived(self, data):
        self.transport.write(data)
        amount = data.split(b"=")[1]
        print("amount", int(amount))


reactor.listenTCP(9620, protocol.Factory.forProtocol(Echo), interface="127.0.0.1")
reactor.run()
"""

LOOP = """from twisted.internet import reactor


def spin():
    while True:
        pass


reactor.callLater(0.2, spin)
reactor.run()
"""

DESK_OF_OUTPOSTS = """version = 1

[[service]]
name = "desk-echo"
protocol = "tcp"
listen = "127.0.0.1:9631"
responder = "echo"

[[outpost]]
name = "bench"
target = "{bench}"

[[outpost]]
name = "rack-2"
target = "{rack}"
"""

TROUBLE = (b"READ temp=21.4\nfail\n", b"fail\n", b"READ temp=19.0\nfail\n")


class Manual(Album):
    """The pictures of one run of the program."""

    def _path(self, name: str) -> Path:
        return self._folder / (f"{name}-dark.png" if self._theme == "dark" else f"{name}.png")

    def draw(self) -> None:
        with TemporaryDirectory() as folder, running_on(self._screen, DESK, folder, self._theme, "--start") as it:
            it.wait_up(5)
            with traffic():
                _pay()
                for trouble in TROUBLE:
                    socat("TCP", SENSOR, trouble)
                it.wait_event(lambda e: e.kind == FAILURE, len(TROUBLE) + 1)
                self._log(it)
                self._beside(it)
                self._service(it)
                self._dialogs(it)
                self._dock(it)
                it.press("ctrl+m")
                self._filter(it)
            it.press("ctrl+q")
            it.wait()
        with TemporaryDirectory() as folder, running_on(self._screen, FAULTY, folder, self._theme, "--start") as it:
            it.wait_up(5)
            with traffic():
                self._faults(it)
            it.press("ctrl+q")
            it.wait()

        with TemporaryDirectory() as folder, running_on(self._screen, BALANCED, folder, self._theme, "--start") as it:
            it.wait_up(3)
            self._upstreams(it)
            it.process.terminate()  # it would ask, because of the connections between its own services
            it.wait()

        with TemporaryDirectory() as folder, running_on(self._screen, WATCHED, folder, self._theme, "--start") as it:
            it.wait_up(5)
            with traffic():
                self._watches(it)
            it.press("ctrl+q")
            it.wait()

        self._charts()
        self.draw_elsewhere()

    def draw_elsewhere(self) -> None:
        """What runs beside the services of the desk: plugins that block, programs, outposts."""
        self._draw_blocked()
        self._draw_hosted()
        self._draw_outposts()

    def _draw_hosted(self) -> None:
        """A program whose port is a service, and one whose reactor does not answer."""
        with TemporaryDirectory() as folder:
            for name, text in (("echo.py", HOSTED), ("loop.py", LOOP)):
                (Path(folder) / name).write_text(text)
            with running_on(self._screen, PROGRAMS, folder, self._theme, "--start") as it:
                it.wait_up(2)  # the device, and the port of the program
                socat("TCP", ("127.0.0.1", 9620), b"amount=7")
                socat("TCP", ("127.0.0.1", 9620), b"amount=many")
                it.wait_event(lambda e: e.kind in (FAILURE, LOOP_BLOCKED), 2)
                it.click("pane Failures")
                self._settle()
                it.click_row(0)
                self._settle()
                self._keep("hosted")
                it.process.terminate()  # it would ask, because of the programs that run
                it.wait()

    def _draw_blocked(self) -> None:
        """A plugin that blocks the reactor, and the program's own figures."""
        with TemporaryDirectory() as folder:
            (Path(folder) / "plugins").mkdir()
            (Path(folder) / "plugins" / "orders.py").write_text(BLOCKING)
            with running_on(self._screen, BLOCKED, folder, self._theme, "--start") as it:
                it.wait_up(1)
                for _ in range(3):
                    socat("TCP", ("127.0.0.1", 9621), b"all\n")
                it.wait_event(lambda e: e.kind == LOOP_BLOCKED, 3)
                it.click("pane Failures")
                self._settle()
                it.click_row(0)
                self._settle()
                self._keep("blocked")
                it.press("alt+h", "p")
                self._window(it, "This program", "program")
                it.press("ctrl+q")
                it.wait()

    def _draw_outposts(self) -> None:
        """A console with two outposts, one of which cannot be reached."""
        with TemporaryDirectory() as there, TemporaryDirectory() as folder, short_folder() as sockets:
            workspace = Path(there) / "bench.toml"
            workspace.write_text(DEVICES.replace("version = 1\n", 'version = 1\n\n[outpost]\nallow = "control"\n', 1))
            desk = DESK_OF_OUTPOSTS.format(bench=sockets / "bench", rack=sockets / "rack")
            served = serving(workspace, Path(there) / "bench.lpost", "--control", str(sockets / "bench"), "--trust")
            with served as bench, running_on(self._screen, desk, folder, self._theme, "--start") as it:
                bench.wait_up()
                it.wait_event(lambda e: e.kind == OUTPOST_CONNECTED, 1)
                with traffic():
                    curl(url(ORDERS, "/orders/1"))
                    it.wait_event(lambda e: e.service == "bench/orders-api", 1)
                    it.press("ctrl+alt+q")
                    self._settle()
                    self._keep("outposts")
                it.press("ctrl+q")
                it.wait()

    def _upstreams(self, it: Program) -> None:
        for number in range(7):
            curl(url(FRONT, f"/orders/{number}"))
        self._settle()
        it.click("lamp of in front")
        self._settle()
        it.press("ctrl+e")
        self._settle()
        self._settle()
        self._keep("upstreams")

    def _watches(self, it: Program) -> None:
        it.wait_event(lambda e: e.kind == WATCH_CHECKED, 25)
        it.click("lamp of orders-api")
        curl(url(ORDERS, "/orders/1"))
        it.press("ctrl+alt+w")
        it.wait_event(lambda e: e.kind == WATCH_CHECKED, 90)
        self._settle()
        self._keep("watch")

    def _faults(self, it: Program) -> None:
        for number in range(6):
            curl(url(ORDERS, f"/orders/{number}"))
        it.click("lamp of orders-api")
        it.click("pane orders-api")
        it.press("ctrl+alt+u")
        self._settle()
        it.click_row(0)
        it.press("End", "Up", "Up", "Up")
        self._settle()
        self._keep("faults")

    def _log(self, it: Program) -> None:
        it.click("pane All")
        it.click_row(0)
        it.press("End", "Up")
        self._settle()
        self._keep("window")
        self._select_order(it)
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

    def _filter(self, it: Program) -> None:
        """Last of all: the row of filters that were used moves the rows down."""
        it.click("pane All")
        for typed in ("size > 100", "kind == failure", "service == shop and kind contains http"):
            it.press("ctrl+f")
            self._screen.type(it.window, typed)
            it.press("Return")
        self._settle()
        self._keep("filter")

    def _beside(self, it: Program) -> None:
        it.press("ctrl+shift+h")
        self._settle()
        it.click_row(0)
        it.press("End", "Up")
        self._settle()
        self._keep("http")
        it.press("ctrl+shift+f")
        self._settle()
        it.click_row(0)
        self._settle()
        self._keep("failures")
        it.click("pane sensor-hub")
        self._settle()
        it.click_row(0)
        it.press("Home", "Down", "ctrl+alt+f")
        self._window(it, "Stream #", "stream")

    def _service(self, it: Program) -> None:
        it.click("lamp of shop")
        it.press("ctrl+e")
        self._settle(PAGE)
        it.press("alt+t")
        self._screen.type(it.window, "GET /users/7")
        it.press("shift+Tab")
        self._settle()
        self._keep("rules")
        it.click("section TLS of shop")
        self._settle(PAGE)
        self._keep("tls")
        it.press("ctrl+w")

    def _dialogs(self, it: Program) -> None:
        it.press("ctrl+shift+e")
        self._screen.type(it.wait_window("Export what was captured"), "p")
        self._window(it, "Export what was captured", "export")
        it.press("alt+h", "t")
        self._window(it, "Trust our certificates", "trust")

    def _dock(self, it: Program) -> None:
        self._select_order(it)
        it.press("ctrl+j")
        self._settle()
        it.press("ctrl+Return")
        self._settle()
        self._keep("send")

    def _select_order(self, it: Program) -> None:
        it.click("pane orders-api")
        self._settle()
        it.click_row(0)
        rows = it.rows("POST /orders")
        at = next(i for i, row in enumerate(rows) if row[6] == "http.request" and row[8].startswith("POST"))
        it.press("Home", *["Down"] * at)
        self._settle()

    def _window(self, it: Program, title: str, name: str) -> None:
        window = it.wait_window(title)
        self._settle()
        self._keep(name, window)
        self._screen.press(window, "Escape")


def _pay() -> None:
    body = ["--insecure", "--http1.1", "-H", "Content-Type: application/json"]
    for total in (42, 42, 42):
        curl(*body, "--data", f'{{"total": {total}, "currency": "CHF"}}', url(SHOP, "/pay", "https"))
    curl("--insecure", "--http1.1", url(SHOP, "/users/17", "https"))
    socat("UDP", BEACON, b"\x01\x07\x00\x19" + bytes(range(28)), linger=0.05)


def main(folder: str = str(FOLDER)) -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    with display() as screen:
        Manual(screen, Path(folder), "light").draw()
        Manual(screen, Path(folder), "dark").draw_elsewhere()


if __name__ == "__main__":
    main(*sys.argv[1:])
