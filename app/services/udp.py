"""Opens UDP services."""

from __future__ import annotations

import socket
import sys
from typing import Any

from twisted.internet.interfaces import IListeningPort
from twisted.internet.posixbase import PosixReactorBase

from app.services.admission import Admission
from app.services.service import Service
from app.services.sockets import DatagramPort
from app.services.tap.datagrams import MAX_DATAGRAM, DatagramTap

RECEIVE_BUFFER = 8 << 20
"""Bytes asked of the kernel, for datagrams that arrive while Qt paints."""

ROUND_BYTES = 32 << 10
"""Bytes read from one port before others get their turn."""

_SO_RCVBUFFORCE = 33


def open_port(service: Service, host: str, port: int) -> IListeningPort:
    """Listen with the service's responder behind the Tap. Raises CannotListenError."""
    options, asked = service.config.settings("options"), service.config.settings("socket")
    limits = service.config.settings("limits")
    admission = Admission(service, service.reactor, limits)
    ports, group = service.surroundings.datagram_ports, bool(options["groups"])
    tap = DatagramTap(
        service.build(), service, service.reactor, admission, limits["message_bytes"],
        ports=ports, group=group,
    )  # fmt: skip

    def change(built: Any) -> None:
        if built is not tap.wrapped:
            tap.swap(built)
        limits = service.config.settings("limits")
        admission.take(limits)
        tap.take_limits(limits["message_bytes"])

    service.renew, service.adapt, service.fail = lambda: tap.swap(service.build()), change, tap.fail
    if not isinstance(service.reactor, PosixReactorBase):  # one in memory, or IOCP: knows no options
        plain: IListeningPort = service.reactor.listenUDP(port, tap, interface=host, maxPacketSize=MAX_DATAGRAM)
        return plain
    listening = DatagramPort(
        port, tap, host, service.reactor, asked, size=MAX_DATAGRAM,
        groups=options["groups"], interface=options["multicast_interface"], broadcast=options["broadcast"],
    )  # fmt: skip
    listening.startListening()
    listening.maxThroughput = ROUND_BYTES

    def widen() -> None:
        if sys.platform == "linux" and not asked["receive_buffer"]:
            _widen(listening.socket)

    def on_reopened() -> None:
        tap.reopened()
        widen()

    widen()
    listening.on_reopened = on_reopened
    return listening


def _widen(port: socket.socket) -> None:
    for option in (_SO_RCVBUFFORCE, socket.SO_RCVBUF):
        try:
            port.setsockopt(socket.SOL_SOCKET, option, RECEIVE_BUFFER)
        except OSError:
            continue  # the first is for administrators; the second is cut at net.core.rmem_max
        return
