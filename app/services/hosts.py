"""The names by which a service answers to clients.

A web page can have the browser ask for a name of its own that leads to this machine (DNS rebinding), and then reads
and writes what a local service holds as if it were its own. The name in the request tells.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from ipaddress import ip_address
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
        host = _PORT.sub("", authority).strip("[]").rstrip(".").lower()
        if not host or self._answers(host):
            return ""
        self._refused(host)
        return host

    def refuse_origin(self, origin: str) -> str:
        """The same for the origin of a web page, as ``https://example.org``; ``null`` is refused."""
        try:
            authority = urlsplit(origin).netloc.rpartition("@")[2]
        except ValueError:
            authority = ""
        return self.refuse(authority or origin)

    def _answers(self, host: str) -> bool:
        if host == "localhost" or host.endswith(".localhost") or "*" in self._names or host in self._names:
            return True
        labels = host.split(".")
        if any(f"*.{'.'.join(labels[i:])}" in self._names for i in range(1, len(labels))):
            return True
        if labels[-1].isdigit():  # 127.1 and its like: no name ends in a number (WHATWG URL, section 3.5)
            return True
        try:
            ip_address(host)
        except ValueError:
            return False
        return True
