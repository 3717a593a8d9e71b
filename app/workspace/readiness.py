"""What would keep a service from starting, as a missing file, found without starting it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from app import responders
from app.files import confined
from app.options import Option, Options
from app.responders.manhole.errors import ManholeOpenError
from app.responders.relay.outposts import unread
from app.services import address, errors, settings
from app.services.config import ServiceConfig
from app.services.protocols import options_of

Missing = tuple[str, str, str]
"""The section of a service's table ("" for the table itself), the key in it, and what is wrong."""


def missing(service: ServiceConfig, folder: Path) -> Iterator[Missing]:
    """What would keep ``service`` from starting or answering. Relative paths start in ``folder``. Blocks."""
    if service.protocol == "ssh":
        yield from _login(service)
    declared = options_of(responders.find(service.responder), service.protocol)
    yield from _files("options", declared, service.options, folder)
    if service.tls is not None:
        yield from _files("tls", settings.TLS, service.tls, folder)


def without_outpost(service: ServiceConfig, outposts: Collection[str]) -> Iterator[tuple[str, int | None, str]]:
    """Each service of an outpost that an option names, where the workspace reads none of that name.

    The option, for a list the index in it, and what is wrong.
    """
    for option in options_of(responders.find(service.responder), service.protocol):
        value = service.options.get(option.name, option.default)
        if option.outpost is None or not value:
            continue
        for number, text in enumerate(value if isinstance(value, list) else [value]):
            if words := unread(option.outpost(text), outposts):
                in_list = isinstance(value, list)
                yield option.name, number if in_list else None, f"number {number + 1} {words}" if in_list else words


def _login(service: ServiceConfig) -> Iterator[Missing]:
    if address.is_exposed(service.host):
        yield "", "listen", str(errors.ManholeExposedError(host=service.host))
    given = service.settings("options")
    if not (given.get("password") or given.get("authorized_keys")):
        yield "options", "password", str(ManholeOpenError())


def _files(section: str, declared: Iterable[Option], given: Options, folder: Path) -> Iterator[Missing]:
    for option in declared:
        value = given.get(option.name, option.default)
        if option.of:
            for number, table in enumerate(value, 1):
                for _, key, wrong in _files(section, option.of, table, folder):
                    yield section, option.name, f"number {number}: {key} {wrong}"
        if value != option.default and (text := _missing_of(option, value, folder)):
            yield section, option.name, text


def _missing_of(option: Option, value: Any, folder: Path) -> str | None:
    if option.missing is not None:
        return option.missing(value, folder)
    if option.path not in ("file", "folder") or _exists(option.path, folder, value):
        return None
    return f'names a {option.path} that is not there: "{value}"'


def _exists(kind: str, folder: Path, name: str) -> bool:
    try:
        path = confined.named(folder, name)
        return path.is_dir() if kind == "folder" else path.is_file()
    except (OSError, ValueError, RuntimeError):  # a null character, a loop of links, an unknown ~user
        return False
