"""Passes all it receives on to an upstream server, and the answers back. Both connections are captured."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import DatagramProtocol

from app.responders import Context, Option, Options, Responder
from app.responders.relay.upstream import HTTP, WEBSOCKET, Target, Upstream, parse, parse_url, problem, url_problem


def _tcp(options: Options, context: Context) -> IProtocolFactory:
    from app.responders.relay.stream import RelayFactory

    host, port = parse(options["upstream"])
    return RelayFactory(_upstream(options, context, host, port, options["tls"]))


def _udp(options: Options, context: Context) -> DatagramProtocol:
    from app.responders.relay.datagram import DatagramRelay

    return DatagramRelay(options["upstream"], context)


def _http(options: Options, context: Context) -> Any:
    from app.responders.relay.http import HTTPRelay

    target = parse_url(options["upstream"], HTTP)
    return HTTPRelay(
        _upstream_at(options, context, target),
        target.authority.encode(),
        target.path.encode(),
        keep_host=options["keep_host"],
        forwarded=options["forwarded"],
    )


def _websocket(options: Options, context: Context) -> Any:
    from app.responders.relay.websocket import protocol_class

    target = parse_url(options["upstream"], WEBSOCKET)
    return protocol_class(options["upstream"].strip(), _upstream_at(options, context, target), context)


def _upstream_at(options: Options, context: Context, target: Target) -> Upstream:
    return _upstream(options, context, target.host, target.port, target.tls)


def _upstream(options: Options, context: Context, host: str, port: int, tls: bool) -> Upstream:
    endpoint = context.endpoint(host, port, tls=tls, verify=options["verify"])
    address, seconds = options["upstream"].strip(), options["connect_seconds"]
    return Upstream(address, endpoint, context.reactor, seconds, context.name, context.loops)


def _place(schemes: Sequence[str], url: str) -> tuple[str, int]:
    target = parse_url(url, schemes)
    return target.host, target.port


_STREAMS = ("tcp", "http", "websocket")

RESPONDER = Responder(
    "relay",
    "Forwards everything to another server, and its answers back",
    {"tcp": _tcp, "udp": _udp, "http": _http, "websocket": _websocket},
    (
        Option(
            "upstream", str, "", "Server to forward to, such as 127.0.0.1:9000",
            protocols=("tcp", "udp"), check=problem, required=True, address=parse,
        ),
        Option(
            "upstream", str, "", "URL to forward to, such as http://127.0.0.1:9000/path, or https",
            protocols=("http",), check=partial(url_problem, HTTP), required=True, address=partial(_place, HTTP),
        ),
        Option(
            "upstream", str, "", "URL to forward to, such as ws://127.0.0.1:9000/path, or wss; a client's path follows",
            protocols=("websocket",), check=partial(url_problem, WEBSOCKET), required=True,
            address=partial(_place, WEBSOCKET),
        ),
        Option("tls", bool, False, "Use TLS to the upstream", protocols=("tcp",)),
        Option("verify", bool, True, "Check the upstream's certificate", protocols=("tcp",), when=("tls", (True,))),
        Option(
            "verify", bool, True, "Check the certificate of an https or wss upstream", protocols=("http", "websocket")
        ),
        Option("connect_seconds", float, 10.0, "Time limit for connecting to the upstream", "s", 0.1, 20, _STREAMS),
        Option("keep_host", bool, False, "Send the client's Host header to the upstream unchanged",
            protocols=("http",)),
        Option(
            "forwarded", bool, False, "Add the client's address as Forwarded and X-Forwarded-For",
            protocols=("http",),
        ),
    ),
    guarded=True,
)  # fmt: skip
