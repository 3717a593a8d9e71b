"""Where the services of an outpost can be reached from here."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from app.outposts import sound
from app.outposts.following import Following
from app.outposts.ways.carrier import Connected
from app.responders.relay.errors import UpstreamAwayError
from app.responders.relay.outposts import Located
from app.services import address
from app.services.errors import InvalidAddressError
from app.workspace.outposts import is_router, is_socket


def locate(outpost: Following, target: str, service: str) -> Located:
    """Where the service called ``service`` listens now; ``target`` is where the workspace says that the outpost is.

    What the outpost says chooses the port alone: the host is this machine for a socket of this machine, and the one
    that SSH connects to. Only behind a router, which says nothing of hosts, is it the address that the outpost names.

    Raises UpstreamAwayError.
    """
    try:
        return _located(outpost, target, service)
    except _AwayError as e:
        raise UpstreamAwayError(address=f"{outpost.name}/{service}", reason=str(e)) from None


class _AwayError(Exception):
    """Why it cannot be reached."""


def _located(outpost: Following, target: str, service: str) -> Located:
    if outpost.told.by_name is None:
        lost = outpost.problem.removesuffix(".")
        raise _AwayError(lost if lost and not isinstance(outpost.carrier.way, Connected) else "it is being connected")
    found = outpost.told.by_name.get(service)
    if found is None:
        raise _AwayError(f"{outpost.name} has no service of that name")
    if found.status != "listening":
        raise _AwayError(f"its status there is {sound.name(found.status)}")
    try:
        listens, port = address.parse(found.words)
        there = ip_address(listens)
    except (InvalidAddressError, ValueError):
        raise _AwayError(f"it listens on something that is not an address: {sound.name(found.words)}") from None
    host = _host(target)
    if host is None:  # behind a router
        if there.is_loopback:
            raise _AwayError(f"it listens on {found.words} there, which only that machine can reach")
        if there.is_unspecified or there.is_multicast or there.is_link_local:
            words = f"it listens on {found.words} there, and which address leads to it is not known"
            raise _AwayError(f"{words}: have it listen on the one by which others reach that machine")
        host = listens
    elif not address.is_exposed(host):  # this machine
        if there.is_loopback or not there.is_unspecified:
            host = listens
        else:
            host = "127.0.0.1" if there.version == 4 else "::1"
    elif there.is_loopback:
        raise _AwayError(f"it listens on {found.words} there, which only that machine can reach")
    protocol = sound.name(found.protocol)
    return Located(host, port, datagrams=protocol == "udp", news=outpost.told.news, protocol=protocol, tls=found.tls)


def _host(target: str) -> str | None:
    """The host of an outpost's target, without user and port; None for a router."""
    if is_router(target):
        return None
    if is_socket(target):
        return "127.0.0.1"
    if target.startswith("ssh://"):
        return urlsplit(target).hostname or ""
    return target.rpartition("@")[2].strip("[]")
