"""Passes all it receives on to an upstream server, or one of several. Both connections are captured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import DatagramProtocol

from app.responders import Context, Option, Options, Responder
from app.responders.relay.balance import HELPS, KINDS, MOST, ROUND_ROBIN, Balance
from app.responders.relay.outposts import MovingEndpoint, locator, reference
from app.responders.relay.upstream import (
    HTTP,
    WEBSOCKET,
    Target,
    Upstream,
    draw_pseudonym,
    parse,
    parse_url,
    problem,
    url_problem,
)


def _tcp(options: Options, context: Context) -> IProtocolFactory:
    from app.responders.relay.stream import RelayFactory

    targets = _targets(options, lambda address: Target(*parse(address), tls=options["tls"], authority="", path=""))
    return RelayFactory(_balance(options, context, targets, follows=False), context.reactor)


def _udp(options: Options, context: Context) -> DatagramProtocol:
    from app.responders.relay.datagram import DatagramRelay

    seconds = options["connect_seconds"]
    upstreams = []
    for address in _addresses(options):
        where = locator(address, context.locate, datagrams=True)
        place = parse(address) if where is None else ("", 0)
        upstreams.append(
            Upstream(
                address, None, context.reactor, seconds, context.name, context.loops, place=place, where=where
            )
        )  # fmt: skip
    return DatagramRelay(Balance(upstreams, context, options["balance"], options["retry_seconds"]), context)


def _http(options: Options, context: Context) -> Any:
    from app.responders.relay.http import HTTPRelay

    targets = _targets(options, lambda address: parse_url(address, HTTP))
    return HTTPRelay(
        _balance(options, context, targets), targets, keep_host=options["keep_host"], forwarded=options["forwarded"]
    )


def _websocket(options: Options, context: Context) -> Any:
    from app.responders.relay.websocket import protocol_class

    targets = _targets(options, lambda address: parse_url(address, WEBSOCKET))
    return protocol_class(_balance(options, context, targets), context)


def _addresses(options: Options) -> list[str]:
    """The upstreams, as they are written in the workspace."""
    given = [options["upstream"]] if options["upstream"] else options["upstreams"]
    return [address.strip() for address in given]


def _targets(options: Options, parsed: Callable[[str], Target]) -> list[Target]:
    """The parts of each upstream; those of the service of an outpost are only known when it is there."""
    elsewhere = Target("", 0, False, "", "")
    return [parsed(address) if reference(address) is None else elsewhere for address in _addresses(options)]


def _balance(options: Options, context: Context, targets: Sequence[Target], *, follows: bool = True) -> Balance:
    """``follows``: whether outposts say if there is TLS to their services. Bytes may be TLS themselves."""
    pseudonym, seconds = draw_pseudonym(), options["connect_seconds"]
    upstreams = []
    for address, target in zip(_addresses(options), targets, strict=True):
        endpoint_at = partial(context.endpoint, verify=options["verify"])
        where = locator(address, context.locate, datagrams=False, tls=options["tls"], follows=follows)
        endpoint = MovingEndpoint(where, endpoint_at) if where is not None else endpoint_at(
            target.host, target.port, tls=target.tls
        )  # fmt: skip
        upstreams.append(
            Upstream(
                address, endpoint, context.reactor, seconds, context.name, context.loops, pseudonym, target.tls,
                (target.host, target.port), where,
            )
        )  # fmt: skip
    return Balance(upstreams, context, options["balance"], options["retry_seconds"])


def _several(one: Callable[[str], str | None], addresses: Sequence[str]) -> str | None:
    """What is wrong with the option ``upstreams``, or None; ``one`` says it of one of them."""
    if len(addresses) > MOST:
        return f"must have at most {MOST} servers"
    for number, address in enumerate(addresses, 1):
        if wrong := one(address):
            return f"number {number}: {wrong}"
        if address.strip() in [earlier.strip() for earlier in addresses[: number - 1]]:
            return f"number {number}: {address} is there twice"
    return None


def _place(schemes: Sequence[str], url: str) -> tuple[str, int]:
    target = parse_url(url, schemes)
    return target.host, target.port


_STREAMS = ("tcp", "http", "websocket")

RESPONDER = Responder(
    "relay",
    "Forwards everything to another server, and its answers back to the client",
    {"tcp": _tcp, "udp": _udp, "http": _http, "websocket": _websocket},
    (
        Option(
            "upstream", str, "", "Server to forward to, such as 127.0.0.1:9000, or outpost/service",
            instead="upstreams", protocols=("tcp", "udp"), check=problem, required=True, address=parse,
            outpost=reference, when=("upstreams", ([],)),
        ),
        Option(
            "upstream", str, "", "URL to forward to, such as http://127.0.0.1:9000/path, or https, or outpost/service",
            instead="upstreams", protocols=("http",), check=partial(url_problem, HTTP), required=True,
            address=partial(_place, HTTP), outpost=reference, when=("upstreams", ([],)),
        ),
        Option(
            "upstream", str, "",
            "URL to forward to, such as ws://127.0.0.1:9000/path, or wss, or outpost/service; a client's path follows",
            instead="upstreams", protocols=("websocket",), check=partial(url_problem, WEBSOCKET), required=True,
            address=partial(_place, WEBSOCKET), outpost=reference, when=("upstreams", ([],)),
        ),
        Option(
            "upstreams", list, [], "Several servers, or outpost/service, to forward to", instead="upstream",
            protocols=("tcp", "udp"), check=partial(_several, problem), address=parse, outpost=reference,
        ),
        Option(
            "upstreams", list, [], "Several URLs, or outpost/service, to forward to", instead="upstream",
            protocols=("http",), check=partial(_several, partial(url_problem, HTTP)), address=partial(_place, HTTP),
            outpost=reference,
        ),
        Option(
            "upstreams", list, [], "Several URLs, or outpost/service, to forward to", instead="upstream",
            protocols=("websocket",), check=partial(_several, partial(url_problem, WEBSOCKET)),
            address=partial(_place, WEBSOCKET), outpost=reference,
        ),
        Option(
            "balance", str, ROUND_ROBIN, "Which of several upstreams a client gets", choices=KINDS, helps=HELPS,
            when=("upstream", ("",)),
        ),
        Option(
            "retry_seconds", float, 10.0,
            "How long an upstream that could not be reached is skipped", "s", 0.1, 3600,
            when=("upstream", ("",)),
        ),
        Option("tls", bool, False, "Use TLS to the upstream", protocols=("tcp",)),
        Option(
            "tls", bool, False,
            "Use TLS to services of outposts that do not say whether they use it; for a URL, its scheme decides",
            protocols=("http", "websocket"),
        ),
        Option("verify", bool, True, "Check the upstream's certificate", protocols=("tcp",), when=("tls", (True,))),
        Option(
            "verify", bool, True, "Check the certificate of an upstream that speaks TLS",
            protocols=("http", "websocket"),
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
