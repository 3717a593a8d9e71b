"""What can be set of any service, whatever its responder: of its protocol, TLS and sockets.

Limits are declared in ``app.limits``.
"""

from __future__ import annotations

import re
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

from app import limits
from app.options import Option, Options, live, with_defaults
from app.services import address, hosts

_FIELD = re.compile(
    r"(?!(?:content-length|transfer-encoding|connection)\s*:)[!#$%&'*+.^_`|~0-9a-z-]+:[\t -~]*",
    re.ASCII | re.IGNORECASE,
)
"""A field without those that say where an answer ends."""

OF_HOSTS = tuple(
    replace(
        option,
        check=lambda names: _each(names, hosts.is_name, "is not a host name such as example.org or *.example.org"),
    )
    for option in limits.HOSTS.options
)

HTTP = live(
    Option(
        "users", list, [], "Basic authentication, as name:password; empty: not required", secret=True,
        check=lambda users: _each(users, lambda user: ":" in user.strip(":"), "must be name:password"),
    ),
    Option("tokens", list, [], "Bearer authentication: accepted tokens; empty: not required", secret=True),
    Option(
        "cors", list, [], "Origins whose web pages may send requests, such as https://example.org; *: all; empty: none",
        check=lambda origins: _each(
            origins, re.compile(r"\*|null|[a-z][a-z0-9+.-]*://[^/\s*?#@]+/?", re.ASCII).fullmatch,
            "is not an origin such as https://example.org:8443",
        ),
    ),
    Option("compression", bool, False, "Compress answers with br or gzip if the client accepts it"),
    Option(
        "fields", list, [], "Headers to add to each answer, or to replace in it, as Name: value",
        check=lambda fields: _each(fields, _FIELD.fullmatch, "is not a header that can be added"),
    ),
    Option(
        "private_network", bool, False, "Let pages of the `cors` origins send requests to a private address",
    ),
    *OF_HOSTS,
)  # fmt: skip

WEBSOCKET = live(
    Option("subprotocols", list, [], "Subprotocols to accept; empty: the first one the client offers"),
    Option("compression", bool, True, "Compress messages (permessage-deflate) if the client offers it"),
    *limits.ORIGINS.options,
    *OF_HOSTS,
)

UDP = (
    Option(
        "groups", list, [], "Multicast groups to join",
        check=lambda groups: _each(groups, _is_multicast, "is not a multicast address such as 239.1.2.3 or ff02::1234"),
    ),
    Option(
        "multicast_interface", str, "",
        "Network interface for the groups, such as eth0, or its IPv4 address; empty: the system decides",
    ),
    Option("broadcast", bool, False, "Allow answers to broadcast addresses"),
)  # fmt: skip

_STREAMS = ("tcp", "http", "websocket", "ssh")

TLS = (
    Option("certificate", str, "auto", "auto: a certificate signed by the local authority; or a PEM or PKCS#12 file",
        path="file"),
    Option("key", str, "", "PEM file of the private key; empty: it is in the certificate's file", path="file"),
    Option("password", str, "", "Password of the key or of the PKCS#12 file", secret=True),
    Option(
        "names", list, [], "Additional names and addresses for an auto certificate",
        check=lambda names: _each(names, address.is_certifiable, address.NOT_CERTIFIABLE),
    ),
    Option("client_certificates", str, "off", "Request a certificate from clients", choices=("off", "optional",
        "required")),
    Option(
        "client_ca", str, "", "PEM file of the authority that signs clients' certificates; empty: the local one",
        path="file", admits=True, when=("client_certificates", ("optional", "required")),
    ),
    Option("minimum", str, "1.2", "Lowest TLS version to accept", choices=("1.2", "1.3")),
    Option(
        "alpn", list, [], "Application protocols to offer (ALPN), such as mqtt; empty: none", protocols=("tcp",),
        check=lambda names: _each(names, re.compile(r"[!-~]{1,255}").fullmatch, "is not a name of a protocol"),
    ),
    Option("http2", bool, True, "Offer HTTP/2", protocols=("http",)),
    Option(
        "key_log", str, "", "File to write session keys to, with which Wireshark decrypts the traffic", path="new file",
    ),
)  # fmt: skip

SOCKET = (
    Option("no_delay", bool, True, "Send small packets at once (TCP_NODELAY)", protocols=_STREAMS),
    Option("keep_alive", bool, False, "Probe silent connections (SO_KEEPALIVE)", protocols=_STREAMS),
    Option("backlog", int, 1024, "Most connections that wait to be accepted", "", 1, 65_535, _STREAMS),
    *limits.RECEIVE_BUFFER.options,
    Option("send_buffer", int, 0, "Bytes of the kernel's send buffer; 0: the kernel decides", "bytes", 0, 1 << 30),
    Option("reuse_port", bool, False, "Share the port with other programs that ask for it too (SO_REUSEPORT)"),
)

PINGS = live(
    Option("ping_seconds", float, 0.0, "Time between two pings; 0: no pings", "s", 0, 86_400, ("websocket",)),
    Option(
        "ping_seconds", float, 0.0,
        "Silence after which TCP probes whether the peer is still there (keepalive); 0: never",
        "s", 0, 32_767, ("tcp", "http", "ssh"),
    ),
)  # fmt: skip

_OTHERS = (option for option in limits.in_section("limits") if option.name != limits.PING_TIMEOUT.name)

RESTART = (
    Option(
        "when", str, "failed", "When the service restarts automatically", choices=("failed", "always", "never"),
        helps=(
            "When the service could not start: its address was taken or not there yet, or its responder failed",
            "Also when something other than you stopped the service",
            "The service is not restarted",
        ),
    ),
    Option("delay_seconds", float, 1.0, "Time before the first try", "s", 0.1, 86_400),
    Option("factor", float, 2.0, "Factor by which the wait grows after each try", "", 1, 100),
    Option("max_seconds", float, 60.0, "Longest time between two tries", "s", 0.1, 86_400),
    Option("attempts", int, 0, "Tries before the service gives up; 0: no limit", "", 0, 1_000_000),
)  # fmt: skip

SECTIONS = {
    "tls": TLS,
    "limits": (*_OTHERS, *PINGS, *limits.PING_TIMEOUT.options),
    "socket": SOCKET,
    "restart": RESTART,
}
"""Tables of a service in a workspace, beside its ``options``."""

OPTIONAL = frozenset({"tls", "restart"})
"""Those whose presence means something: without the table there is no TLS, no restart."""

SECURABLE = ("tcp", "http", "websocket")
"""Protocols that can have TLS."""


def declared(section: str, protocol: str) -> tuple[Option, ...]:
    """What a section can hold for a protocol; nothing where it means nothing."""
    if section == "tls" and protocol not in SECURABLE:
        return ()
    return tuple(option for option in SECTIONS[section] if not option.protocols or protocol in option.protocols)


def filled(section: str, protocol: str, given: Options) -> dict[str, Any]:
    """``given`` with the defaults of the section for this protocol."""
    return with_defaults(declared(section, protocol), given)


def _each(items: Any, good: Any, wrong: str) -> str | None:
    bad = next((item for item in items if not good(item)), None)
    return None if bad is None else f'"{bad}" {wrong}'


def _is_multicast(text: str) -> bool:
    try:
        return ip_address(text).is_multicast
    except ValueError:
        return False
