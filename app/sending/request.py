"""Where to connect to, and how."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from app.faults.live import Faults
from app.sending.url import URL


@dataclass(frozen=True, slots=True)
class Request:
    """Where to connect to, and how.

    Attributes:
        method: of HTTP; "": GET without data, else POST.
        fields: headers of HTTP requests and of the WebSocket handshake: name and value.
        verify: whether the server's certificate is verified.
        certificate, key: files with a client certificate and its key, for servers that ask for one;
            without ``key``, the file of the certificate holds both.
        faults: how the connection fails on purpose; None: as those of the sender do.
    """

    url: URL
    method: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    verify: bool = True
    certificate: Path | None = None
    key: Path | None = None
    faults: Faults | None = field(default=None, compare=False)
