"""How to connect to a service: addresses that reach it, and lines to paste into a shell."""

from __future__ import annotations

import shlex
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from app.options import Options
from app.sending.clients import scheme_for
from app.services import address

_REMOTE_HOSTS = (
    (socket.AF_INET, ("192.0.2.1", 9)),
    (socket.AF_INET6, ("2001:db8::1", 9)),
)
"""Documentation addresses (RFC 5737, RFC 3849), reached by the same route as any other host on the internet."""

_SIOCGIFADDR = 0x8915


@dataclass(frozen=True, slots=True)
class ConnectLine:
    """One way to connect: the program, and the line that starts it."""

    title: str
    text: str


def url(protocol: str, host: str, port: int, *, tls: bool) -> str | None:
    """The URL of a service at this address, or None for a protocol without URLs."""
    scheme = scheme_for(protocol, tls=tls)
    if scheme is None:
        return None
    return f"{scheme}://{address.join(host, port)}{'/' if protocol in ('http', 'websocket') else ''}"


def lines(protocol: str, host: str, port: int, *, tls: bool = False, ca: Path | None = None) -> list[ConnectLine]:
    """Lines for a shell, the best known program first.

    Args:
        host: an address that reaches the service.
        ca: the file of the authority that signed its certificate, where the system does not trust it.
    """
    place = url(protocol, host, port, tls=tls)
    if place is None:
        return [ConnectLine("ssh", f"ssh -p {port} {shlex.quote(host)}")] if protocol == "ssh" else []
    data = r'"hello\n"' if protocol == "tcp" else "hello"  # many servers wait for the end of a line
    found = {"tcp": _tls if tls else _tcp, "udp": _udp, "http": _http, "websocket": _websocket}[protocol]
    return [
        *(ConnectLine(title, text) for title, text in found(place, host, port, ca)),
        ConnectLine("Listening Post", f"listening-post send {place} {data}"),
    ]


def login(protocol: str, options: Options) -> str:
    """How to log in to a service; "" where no login is needed.

    Args:
        options: the options of its responder.
    """
    if protocol != "ssh":
        return ""
    password, keys = options.get("password"), options.get("authorized_keys")
    ways = [f"a key of {keys}"] if keys else []
    if password == "auto":
        ways.append("the password that the log tells at each start (filter by kind == log)")
    elif password:
        ways.append("the password in its options")
    return f"Any user name will do, with {', or '.join(ways)}." if ways else ""


def _tcp(place: str, host: str, port: int, ca: Path | None) -> Iterator[tuple[str, str]]:
    yield "nc", f"nc {host} {port}"
    code = f"s = socket.create_connection(('{host}', {port})); s.sendall(b'hello\\n'); print(s.recv(65536))"
    yield "Python", _python(f"import socket; {code}")


def _tls(place: str, host: str, port: int, ca: Path | None) -> Iterator[tuple[str, str]]:
    verify = f" -CAfile {shlex.quote(str(ca))}" if ca else ""
    name = "" if address.is_number(host) else f" -servername {host}"
    yield "openssl", f"openssl s_client -connect {address.join(host, port)}{name}{verify} -quiet"
    wrapped = f"c.wrap_socket(socket.create_connection(('{host}', {port})), server_hostname='{host}')"
    code = f"{_context(ca)}; s = {wrapped}; s.sendall(b'hello\\n'); print(s.recv(65536))"
    yield "Python", _python(f"import socket, ssl; {code}")


def _udp(place: str, host: str, port: int, ca: Path | None) -> Iterator[tuple[str, str]]:
    yield "nc", f"nc -u {host} {port}"
    family = "socket.AF_INET6" if ":" in host else "socket.AF_INET"
    code = f"s = socket.socket({family}, socket.SOCK_DGRAM); s.sendto(b'hello', ('{host}', {port}))"
    yield "Python", _python(f"import socket; {code}; s.settimeout(2); print(s.recv(65536))")


def _http(place: str, host: str, port: int, ca: Path | None) -> Iterator[tuple[str, str]]:
    verify = f"--cacert {shlex.quote(str(ca))} " if ca else ""
    yield "curl", f"curl -i {verify}{_quoted(place)}"
    context, argument = (f"import ssl; {_context(ca)}; ", ", context=c") if ca else ("", "")
    code = f"{context}from urllib.request import urlopen; print(urlopen('{place}'{argument}).read())"
    yield "Python", _python(code)


def _websocket(place: str, host: str, port: int, ca: Path | None) -> Iterator[tuple[str, str]]:
    verify = f"SSL_CERT_FILE={shlex.quote(str(ca))} " if ca else ""
    yield "websocat", f"{verify}websocat {_quoted(place)}"
    context, argument = (f"import ssl; {_context(ca)}; ", ", ssl=c") if ca else ("", "")
    code = f"w = connect('{place}'{argument}); w.send('hello'); print(w.recv())"
    yield "Python", _python(f"{context}from websockets.sync.client import connect; {code}")


def _context(ca: Path | None) -> str:
    return f"c = ssl.create_default_context({f'cafile={str(ca)!r}' if ca else ''})"


def _python(code: str) -> str:
    # Double quotes outside and single quotes inside work in the shells of every system.
    return f'python3 -c "{code}"'


def _quoted(place: str) -> str:
    return f"'{place}'" if "[" in place else place


def addresses(host: str) -> list[str]:
    """The addresses of this machine that reach a service that listens on ``host``, loopback first.

    Blocks for a moment. Sends nothing over the network.
    """
    if not address.is_number(host) or not ip_address(host).is_unspecified:
        return [host]
    local = ["127.0.0.1"] if host == "0.0.0.0" else ["127.0.0.1", "::1"]
    return [*local, *(own for own in own_addresses() if host != "0.0.0.0" or ":" not in own)]


def own_addresses() -> list[str]:
    """The addresses by which other machines may reach this one, IPv4 first. Blocks for a moment."""
    found = dict.fromkeys((*_of_routes(), *_of_interfaces()))
    usable = [own for own in found if not (ip := ip_address(own)).is_loopback and not ip.is_link_local]
    return sorted(usable, key=lambda own: ":" in own)


def _of_routes() -> Iterator[str]:
    """The local addresses that the routes to the internet use. Connecting a UDP socket sends nothing."""
    for family, remote in _REMOTE_HOSTS:
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(remote)
            yield str(probe.getsockname()[0])


def _of_interfaces() -> Iterator[str]:
    """The addresses of each interface, on Linux."""
    if sys.platform != "linux":
        return
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            with suppress(OSError):
                answer = fcntl.ioctl(probe, _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
                yield socket.inet_ntoa(answer[20:24])
    with suppress(OSError, ValueError):
        for line in Path("/proc/net/if_inet6").read_text().splitlines():
            yield socket.inet_ntop(socket.AF_INET6, bytes.fromhex(line.split()[0]))
