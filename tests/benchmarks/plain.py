"""The reference servers: plain Twisted without capture, on epoll or on stock qt5reactor.

    python -m tests.benchmarks.plain epoll|qt [--timer] [--window] [--websocket]

Serves TCP echo, UDP echo and a page of 13 bytes on free ports, which it prints as JSON; with ``--websocket``,
autobahn's echo and broadcast, too. At
SIGTERM it prints the number of datagrams received and, with ``--timer``, the lateness of a timer.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any


def install_qt(window: bool) -> Any:
    """Install stock qt5reactor. Returns objects that must stay alive: application and window."""
    from PyQt5.QtCore import qInstallMessageHandler
    from PyQt5.QtWidgets import QApplication, QMainWindow

    qInstallMessageHandler(lambda *_: None)  # Qt warns of a missing XDG_RUNTIME_DIR
    application = QApplication(sys.argv[:1] if window else [sys.argv[0], "-platform", "offscreen"])
    import qt5reactor

    qt5reactor.install()
    if not window:
        return application
    shown = QMainWindow()
    shown.setWindowTitle("Plain")
    shown.resize(1366, 768)
    shown.show()
    return application, shown


def websockets(reactor: Any) -> dict[str, Any]:
    """autobahn's factories of an echo and of a broadcast, which frames a message once for all clients."""
    from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol

    clients: dict[Any, None] = {}

    class Echo(WebSocketServerProtocol):
        def onMessage(self, payload: bytes, isBinary: bool) -> None:
            self.sendMessage(payload, isBinary)

    class Broadcast(WebSocketServerProtocol):
        def onOpen(self) -> None:
            clients[self] = None

        def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
            clients.pop(self, None)

        def onMessage(self, payload: bytes, isBinary: bool) -> None:
            framed = self.factory.prepareMessage(payload, isBinary)
            for client in clients:
                if client is not self:
                    client.sendPreparedMessage(framed)

    found = {"echo": WebSocketServerFactory(reactor=reactor), "broadcast": WebSocketServerFactory(reactor=reactor)}
    found["echo"].protocol, found["broadcast"].protocol = Echo, Broadcast
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("reactor", choices=["epoll", "qt"])
    parser.add_argument("--timer", action="store_true")
    parser.add_argument("--window", action="store_true")
    parser.add_argument("--websocket", action="store_true")
    args = parser.parse_args()
    kept = install_qt(args.window) if args.reactor == "qt" else None

    from twisted.internet import reactor as chosen
    from twisted.internet.protocol import DatagramProtocol, Protocol, ServerFactory
    from twisted.web.resource import Resource
    from twisted.web.server import Request, Site

    reactor: Any = chosen

    class Echo(Protocol):
        def dataReceived(self, data: bytes) -> None:
            self.transport.write(data)  # type: ignore[union-attr]

    class DatagramEcho(DatagramProtocol):
        count = 0

        def datagramReceived(self, datagram: bytes, addr: Any) -> None:
            self.count += 1
            self.transport.write(datagram, addr)  # type: ignore[union-attr]

    class Hello(Resource):
        isLeaf = True

        def render_GET(self, request: Request) -> bytes:
            return b"Hello, World!"

    site: Any = Site(Hello())  # type: ignore[no-untyped-call]
    site.log = lambda request: None
    datagrams = DatagramEcho()
    ports = {
        "tcp": reactor.listenTCP(0, ServerFactory.forProtocol(Echo), backlog=1024, interface="127.0.0.1"),
        "udp": reactor.listenUDP(0, datagrams, interface="127.0.0.1", maxPacketSize=65536),
        "http": reactor.listenTCP(0, site, backlog=1024, interface="127.0.0.1"),
    }
    if args.websocket:
        for name, factory in websockets(reactor).items():
            ports[name] = reactor.listenTCP(0, factory, backlog=1024, interface="127.0.0.1")
    timer = None
    if args.timer:
        from tests.benchmarks.lateness_timer import LatenessTimer

        timer = LatenessTimer()
        timer.ask()

    def report() -> None:
        found = {"datagrams": datagrams.count, "samples": timer.samples if timer else []}
        print(json.dumps(found), flush=True)

    reactor.addSystemEventTrigger("before", "shutdown", report)
    print(json.dumps({name: f"127.0.0.1:{port.getHost().port}" for name, port in ports.items()}), flush=True)
    reactor.run()
    del kept


if __name__ == "__main__":
    main()
