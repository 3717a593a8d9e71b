"""Sends datagrams, and receives the answers."""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

from twisted.internet.protocol import DatagramProtocol

from app.sending import errors, reasons
from app.sending.conversation import Conversation

LARGEST = 65_507
"""Most bytes of payload that a datagram carries over IPv4 (RFC 768, RFC 791)."""


class Client(DatagramProtocol):
    def __init__(self, conversation: UDPConversation) -> None:
        self._conversation = conversation

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        self._conversation.received.emit(datagram)

    def connectionRefused(self) -> None:
        self._conversation.on_refused()

    def stopProtocol(self) -> None:
        # With epoll, Twisted closes a port when the kernel reports that its peer refused a datagram.
        self._conversation.on_refused()


class UDPConversation(Conversation):
    """A local port, and the peer that it sends to."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._port: Any = None
        self._tap: Any = None

    async def _connect(self) -> None:
        from app.services.tap.datagrams import DatagramTap

        self._peer = await self._sender.in_thread(_look_up, self.url.host, self.url.port)
        host = self._peer[0]
        self._tap = DatagramTap(Client(self), self._sender, self._reactor, outgoing=True, faults=self.request.faults)
        interface = "::" if ":" in host else ""
        self._port = self._reactor.listenUDP(0, self._tap, interface=interface, maxPacketSize=65_536)
        number = ip_address(host)
        has_many_receivers = number.is_multicast or host == "255.255.255.255" or number.is_unspecified
        if has_many_receivers or _is_broadcast(self._peer):
            # Answers come from other addresses than the one that was sent to.
            self._port.setBroadcastAllowed(True)
        elif len(self._peer) == 2:  # Twisted cannot connect to an IPv6 address with a zone
            try:
                self._tap.connect(*self._peer)
            except OSError as e:
                self._shut()
                raise reasons.not_connected(e, self.url) from e
        self._opened()

    def _send(self, data: bytes, binary: bool) -> None:
        if len(data) > LARGEST:
            raise errors.TooLargeError(size=f"{len(data):,}", what="A datagram", most=f"{LARGEST:,}")
        error = self._tap.send(data, self._peer)
        if error is not None:
            raise reasons.not_connected(error, self.url)
        self._stop_waiting()

    def _after_writes(self, call: Callable[[], None]) -> None:
        self._tap.after_writes(call, self._peer)

    def _finish(self) -> None:
        self._close("Closed by us.", failed=False)
        self._shut()

    def _abort(self) -> None:
        self._finish()

    def _shut(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            port.stopListening()

    def on_refused(self) -> None:
        self._close(str(errors.RefusedError(address=self.url.address)), failed=True)
        self._shut()


def _look_up(host: str, port: int) -> tuple[Any, ...]:
    """The address as ``socket`` takes it: host, port, and for IPv6 with a zone two more. Blocks. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0][4]
    return found if found[3:] not in ((), (0,)) else found[:2]


def _is_broadcast(peer: tuple[Any, ...]) -> bool:
    """Whether ``peer`` is the broadcast address of a network, which only the kernel knows."""
    with socket.socket(socket.AF_INET6 if ":" in peer[0] else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(peer)
        except PermissionError:
            return True
        except OSError:
            pass  # another error; connecting to the address reports it
    return False


CONVERSATION = UDPConversation
