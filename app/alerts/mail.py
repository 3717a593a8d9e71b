"""What the ``[mail]`` of a workspace is, as it is declared, checked and written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from app.options import Option, without_defaults
from app.services import address
from app.services.errors import InvalidAddressError

ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
"""An address of mail in its usual form (RFC 5321 section 4.1.2), without quotes or comments."""


def mail_address_problem(value: str) -> str | None:
    """What is wrong with an address of mail, or None."""
    return None if ADDRESS.fullmatch(value) and ".." not in value else "must be an address, such as qa@example.org"


def _server(value: str) -> str | None:
    try:
        address.parse(f"[{value}]:25" if ":" in value else f"{value}:25")
    except InvalidAddressError:
        return "must be the name or the number of a host, as in mail.example.org"
    return None


def _user(value: str) -> str | None:
    return None if value.isprintable() and len(value) <= 200 else "must be one line of at most 200 characters"


STARTTLS, IMPLICIT, NO_TLS = "starttls", "implicit", "none"

PORTS = {STARTTLS: 587, IMPLICIT: 465, NO_TLS: 25}
"""The usual port for each way to TLS (RFC 8314, RFC 6409)."""

MAIL = (
    Option("server", str, "", "Name or address of the mail server", required=True, check=_server),
    Option(
        "tls", str, STARTTLS, "How the connection is encrypted", choices=tuple(PORTS),
        helps=(
            "The server must offer STARTTLS; the certificate is checked",
            "TLS from the first byte; the certificate is checked",
            "Not encrypted: without a user only, unless the server is this machine",
        ),
    ),
    Option(
        "port", int, 0,
        "Port of the server; 0: 587 for starttls, 465 for implicit, 25 for none", minimum=0, maximum=65_535,
    ),
    Option(
        "user", str, "",
        "User name to log in with; empty: no login. The password is not saved in the workspace", check=_user,
    ),
    Option("from", str, "", "Address of the sender", required=True, check=mail_address_problem),
)  # fmt: skip
"""The keys of ``[mail]``."""


@dataclass(frozen=True, slots=True)
class Mail:
    """The ``[mail]`` of a workspace; ``MAIL`` says what each key means."""

    server: str
    sender: str
    tls: str = STARTTLS
    port: int = 0
    user: str = ""

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Mail:
        """The mail of a valid table."""
        return cls(sender=table["from"], **{key: value for key, value in table.items() if key != "from"})

    def as_table(self) -> dict[str, Any]:
        """The table for a workspace file: without keys that have their default values."""
        return without_defaults(MAIL, self.every_key())

    def every_key(self) -> dict[str, Any]:
        """The table with all its keys."""
        given = asdict(self) | {"from": self.sender}
        return {option.name: given[option.name] for option in MAIL}

    @property
    def address(self) -> str:
        """Server and port."""
        return address.join(self.server, self.port or PORTS[self.tls])


def mail_problem(table: Mapping[str, Any]) -> tuple[str, str] | None:
    """Key and text for what is wrong between the keys of a ``[mail]``, each of which is right; None for nothing."""
    if table.get("tls") == NO_TLS and table.get("user") and address.is_exposed(table["server"]):
        return "tls", "would send the password for all to read. Use starttls or implicit, or no user"
    return None
