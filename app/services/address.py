"""Addresses to listen on: parsing, formatting and looking them up; which program has a port bound."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import re
import socket
from pathlib import Path
from typing import Any

from twisted.internet.error import CannotListenError

from app.errors import system_words
from app.services import errors

_NAME = re.compile(r"^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*\.?$")


_CERTIFIED = re.compile(r"(?=.{1,253}$)(\*\.)?[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_][a-z0-9_-]{0,62})*", re.IGNORECASE)

NOT_CERTIFIABLE = "is neither a host name nor an address"


def parse(text: str) -> tuple[str, int]:
    """Host and port of ``"127.0.0.1:9007"``, ``"[::1]:9007"`` or ``"localhost:0"``.

    Port 0 asks for a free one. Raises InvalidAddressError.
    """
    host, colon, port = text.strip().rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if bracketed:
        host = host[1:-1]
    if not (colon and host and port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65535):
        raise errors.InvalidAddressError(text=text)
    if ":" in host and not bracketed:
        raise errors.InvalidAddressError(text=text)
    if not is_number(host) and (bracketed or not _NAME.fullmatch(host) or re.fullmatch(r"[\d.]+", host)):
        raise errors.InvalidAddressError(text=text)
    return host, int(port)


def is_number(host: str) -> bool:
    """Whether ``host`` is an IPv4 or IPv6 address, with or without a zone, and not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def certified(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | str:
    """A host name or address as a certificate has it: without a zone, names in ASCII. Raises ValueError."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(name.partition("%")[0])
    star = "*." if name.startswith("*.") else ""
    host = name.removeprefix(star).rstrip(".")
    host = star + (host if host.isascii() else host.encode("idna").decode())
    if not _CERTIFIED.fullmatch(host) or host.replace(".", "").isdigit():
        raise ValueError(name)
    return host


def is_certifiable(name: str) -> bool:
    """Whether a certificate can be for this name or address."""
    try:
        certified(name)
    except ValueError:
        return False
    return True


def is_exposed(host: str) -> bool:
    """Whether other machines can reach a server that listens on ``host``."""
    if is_number(host):
        return not ipaddress.ip_address(host).is_loopback
    return host.rstrip(".") != "localhost"


def join(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def written(address: Any) -> str:
    """A Twisted address as ``host:port``; other kinds of address by their name."""
    if hasattr(address, "port"):
        return join(address.host, address.port)
    name = getattr(address, "name", address)
    return os.fsdecode(name) if isinstance(name, bytes) else str(name)


def look_up(host: str) -> str:
    """The first numeric address of ``host``. Blocks: call it in a thread.

    Raises UnknownHostError.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as e:
        raise errors.UnknownHostError(host=host) from e
    return str(found[0][4][0])


def is_taken(host: str, port: int, transport: str) -> bool:
    """Whether something of this machine has this port, ``"tcp"`` or ``"udp"``, so that nobody else can listen there.

    It is tried, and let go at once. Where ``host`` is a name, at its loopback address: names are looked up in threads.
    Any other reason that keeps it from being bound says nothing of the port.
    """
    number = host if is_number(host) else "127.0.0.1"
    family = socket.AF_INET6 if ":" in number else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM) as probe:
            if transport == "tcp" and os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Twisted does: what has ended is free
            probe.bind((number, port))
    except OSError as e:
        return e.errno == errno.EADDRINUSE
    return False


def own() -> list[str]:
    """The addresses by which other machines may reach this one. Blocks: call it in a thread."""
    found = {}
    with contextlib.suppress(OSError):
        for _, _, _, _, address in socket.getaddrinfo(socket.gethostname(), None, type=socket.SOCK_STREAM):
            found[str(address[0])] = True
    # The address from which the system would send; nothing is sent (RFC 5737, RFC 3849).
    for family, elsewhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((elsewhere, 9))
            found[str(probe.getsockname()[0])] = True
    return [host for host in found if "%" not in host and not ipaddress.ip_address(host).is_loopback]


def why_not(error: CannotListenError | OSError, host: str, port: int, transport: str) -> errors.ListenError:
    """The error to show for one that Twisted raised because it could not bind.

    ``transport`` is ``"tcp"`` or ``"udp"``. Looks through ``/proc``: call it in a thread.
    """
    cause = getattr(error, "socketError", error)
    fields = {"host": host, "port": port, "address": join(host, port), "reason": system_words(cause)}
    number = getattr(cause, "errno", None)
    if number == errno.EADDRINUSE:
        owner = owner_of(port, transport)
        if owner:
            return errors.AddressInUseError(owner=owner, **fields)
        return errors.AddressInUseByOtherError(**fields)
    if number in (errno.EACCES, errno.EPERM) and port < 1024:
        return errors.PrivilegedPortError(**fields)
    if number in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
        return errors.AddressNotHereError(**fields)
    return errors.ListenError(**fields)


def owner_of(port: int, transport: str) -> str | None:
    """The program that has ``port`` bound, as ``"node (pid 4121)"``, where Linux tells us.

    ``/proc/net`` names the socket's inode, and one process's ``fd`` folder links to it;
    those of other users stay closed to us.
    """
    inodes: set[str] = set()
    for table in (transport, f"{transport}6"):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                # State 0A is LISTEN; a bound UDP socket is 07.
                if int(fields[1].rpartition(":")[2], 16) == port and fields[3] in ("0A", "07"):
                    inodes.add(f"socket:[{fields[9]}]")
    if not inodes:
        return None
    for process in Path("/proc").iterdir() if Path("/proc").is_dir() else ():
        if not process.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            for fd in os.listdir(process / "fd"):
                with contextlib.suppress(OSError):
                    if os.readlink(process / "fd" / fd) in inodes:
                        name = (process / "comm").read_text().strip()
                        ours = int(process.name) == os.getpid()
                        return "another service of yours" if ours else f"{name} (pid {process.name})"
    return None
