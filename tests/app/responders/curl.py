"""curl, as a client of a service under test."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from twisted.internet.utils import getProcessOutputAndValue

from app.services.surroundings import Surroundings
from tests.app.services.helpers import Desk, address


class Said(NamedTuple):
    """curl's output, and its exit code."""

    out: str
    err: str
    code: int


def at(desk: Desk, folder: Path) -> None:
    """Give the desk's services a folder."""
    desk.surroundings = Surroundings(folder, folder / "data")


async def curl(desk: Desk, service: Any, path: str, *args: str, stdin: bytes = b"") -> Said:
    """Request ``path`` from ``service``, by https if it has TLS."""
    scheme = "https" if service.config.tls is not None else "http"
    url = "{}://{}:{}{}".format(scheme, *address(service), path)
    out, err, code = await getProcessOutputAndValue(
        "/usr/bin/env",
        ["curl", "-sSk", "--globoff", "--path-as-is", *args, url],
        env=os.environ,
        reactor=desk.reactor,
        stdinBytes=stdin,
    )
    return Said(out.decode(), err.decode(), code)
