"""The tables of the manual about the keys of a workspace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from app import responders
from app.alerts.alert import ALERT
from app.alerts.mail import MAIL
from app.commands.reference.markdown import options_table, plain
from app.faults.tables import MAX_FAULTS
from app.options import Option
from app.programs.config import PROGRAM
from app.services import settings
from app.services.protocols import PROTOCOLS
from app.watch.config import WATCH
from app.workspace import service_checks
from app.workspace.message import MESSAGE
from app.workspace.outposts import OUTPOST, OWN


def responder_options() -> str:
    """For each responder that has options, a table of its options."""
    parts = []
    for name in responders.built_in():
        found = responders.find(name)
        assert found is not None
        if found.options:
            parts.append(f"### `{name}`\n\n{plain(found.help)}.\n\n{options_table(_merged(found.options))}")
    return "\n\n".join(parts)


def protocol_options() -> str:
    """For each protocol, a table of the options that each of its services has."""
    parts = []
    for protocol in PROTOCOLS.values():
        if protocol.options:
            parts.append(f"### {protocol.title}\n\n{options_table(protocol.options)}")
    return "\n\n".join(parts)


def sections() -> str:
    """The tables ``tls``, ``limits`` and ``socket`` of a service."""
    parts = [f"### `[service.{name}]`\n\n{options_table(declared)}" for name, declared in settings.SECTIONS.items()]
    return "\n\n".join(parts)


def workspace_keys() -> str:
    """The keys of a service, of a saved message and of a watch."""
    service = "\n".join(
        ["| key | |", "|---|---|", *(f"| `{key}` | {plain(words)} |" for key, words in _SERVICE.items())]
    )
    faults = (
        "| `fault` | none | tables `[[message.fault]]`: [how its connection fails](faults.md#a-client-that-fails) |"
    )
    messages = f"### `[[message]]`\n\n{options_table(MESSAGE)}\n{faults}"
    of_ports = "| `fault` | none | tables `[[program.fault]]`: [how its ports fail](program.md#3-in-the-window) |"
    programs = f"### `[[program]]`\n\n{options_table(PROGRAM)}\n{of_ports}"
    watches = f"### `[[watch]]`\n\n{options_table(WATCH)}"
    return "\n\n".join((f"### `[[service]]`\n\n{service}", messages, programs, watches, _outposts()))


def _outposts() -> str:
    return f"### `[[outpost]]`\n\n{options_table(OUTPOST)}\n\n### `[outpost]`\n\n{options_table(OWN)}"


_SERVICE = {
    "name": f"**needed**; one line of at most {service_checks.MAX_NAME} characters, each service its own",
    "protocol": f"**needed**; one of {', '.join(f'`{name}`' for name in PROTOCOLS)}",
    "listen": '**needed**; address and port, as `"127.0.0.1:9007"` or `"[::1]:9007"`. Port 0 takes a free one',
    "responder": "how it answers; " + ", ".join(f"`{p.default}` for {name}" for name, p in PROTOCOLS.items()),
    "autostart": "start it with the window (no)",
    "group": "heading under which the window lists the service; one line of at most"
    f" {service_checks.MAX_NAME} characters",
    "seed": "seed of the random choices of its faults; 0: the seed of the run (0)",
    "options": "the responder's own, and the protocol's",
    "fault": f"tables `[[service.fault]]`, at most {MAX_FAULTS}: see [faults](faults.md)",
    **{name: f"see `[service.{name}]`" for name in settings.SECTIONS},
}


def alert_keys() -> str:
    """The keys of an alert and of the mail settings."""
    return f"### `[[alert]]`\n\n{options_table(ALERT)}\n\n### `[mail]`\n\n{options_table(MAIL)}"


def _merged(options: Iterable[Option]) -> list[Option]:
    """Make one option of those with the same name and help that are declared for several protocols separately."""
    found: dict[tuple[str, str], Option] = {}
    for option in options:
        first = found.setdefault((option.name, option.help), option)
        if first is not option:
            found[option.name, option.help] = replace(first, protocols=first.protocols + option.protocols)
    return list(found.values())
