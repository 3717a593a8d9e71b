"""Workspaces for the tests. Each service listens on a free port."""

from __future__ import annotations

_SERVICE = """
[[service]]
name = "{name}"
protocol = "{protocol}"
listen = "{listen}"
responder = "{responder}"
"""


def workspace(*services: str, listen: str = "127.0.0.1:0") -> str:
    """The TOML of a workspace; ``services``: each ``"name protocol responder"``."""
    text = "version = 1\n"
    for service in services:
        name, protocol, responder = service.split()
        text += _SERVICE.format(name=name, protocol=protocol, responder=responder, listen=listen)
    return text


ALL = (
    "sensor tcp fragile",
    "tcp-echo tcp echo",
    "udp-echo udp echo",
    "http-inspector http inspector",
    "ws-echo websocket echo",
)
DESK = workspace(*ALL)
DESK_V6 = workspace(*ALL, listen="[::1]:0")
"""One service of each protocol, and ``sensor``, which raises an exception on a line “fail”."""

ECHO = workspace("tcp-echo tcp echo")
