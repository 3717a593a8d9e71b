"""The names by which a service answers to clients.

A web page can have the browser ask for a name of its own that leads to this machine (DNS rebinding), and then reads
and writes what a local service holds as if it were its own. The name in the request tells.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from ipaddress import IPv6Address, ip_address
from socket import AF_INET, AF_INET6, SOCK_STREAM, socket
from urllib.parse import urlsplit

LOCAL = "local"
"""As a name in the option ``hosts``: addresses and localhost, and nothing else that is not named, too."""

_NAME = re.compile(r"\*|(\*\.)?[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_][a-z0-9_-]{0,62})*", re.IGNORECASE)
_PORT = re.compile(r":\d*\Z")


def is_name(text: str) -> bool:
    """Whether the option ``hosts`` may hold this."""
    return _NAME.fullmatch(text) is not None and len(text) <= 253


class Hosts:
    """Whom a service answers to: addresses, ``localhost``, ``*.localhost`` and the names in its option ``hosts``."""

    def __init__(self, names: Sequence[str], refused: Callable[[str], object] = lambda host: None) -> None:
        """``refused`` is called with each host that is refused."""
        self._names = {name.lower() for name in names} - {LOCAL}
        self._refused = refused

    @property
    def names(self) -> list[str]:
        """The names that were given, sorted."""
        return sorted(self._names)

    def refuse(self, authority: str) -> str:
        """The host of ``authority`` (``host:port`` or ``host``) if it is not answered to; empty if it is.

        A request without a host is answered: it is not from a browser.
        """
        host = _host(authority)
        return self._refuse(host) if host and not (self._knows(host) or _is_address(host)) else ""

    def refuse_origin(self, origin: str, asked: str = "") -> str:
        """The same for the origin of a web page, as ``https://example.org``; ``null`` is refused.

        A page from an address is accepted if that is one of this machine's: anybody's page can have an address for
        its origin. So is a page from where the client has ``asked``, which is answered to: a browser names in Host
        where it connects to.
        """
        try:
            authority = urlsplit(origin).netloc.rpartition("@")[2]
        except ValueError:
            authority = ""
        host = _host(authority or origin)
        if not host or host == _host(asked) or self._knows(host) or _is_ours(host):
            return ""
        return self._refuse(host)

    def _refuse(self, host: str) -> str:
        self._refused(host)
        return host

    def _knows(self, host: str) -> bool:
        if host == "localhost" or host.endswith(".localhost") or "*" in self._names or host in self._names:
            return True
        labels = host.split(".")
        return any(f"*.{'.'.join(labels[i:])}" in self._names for i in range(1, len(labels)))


def _host(authority: str) -> str:
    return _PORT.sub("", authority).strip("[]").rstrip(".").lower()


def _is_address(host: str) -> bool:
    if host.rpartition(".")[2].isdigit():  # 127.1 and its like: no name ends in a number (WHATWG URL, section 3.5)
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_ours(host: str) -> bool:
    """Whether this is an address of this machine. Browsers write addresses in full."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.is_loopback or address.is_multicast:
        return address.is_loopback
    # The system lets a socket have an address of its own only. Nothing is sent or waited for.
    try:
        with socket(AF_INET6 if address.version == 6 else AF_INET, SOCK_STREAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True
