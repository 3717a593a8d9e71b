"""Which changes of its configuration a running service takes without a restart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from app import faults
from app.faults import tables
from app.options import Option, Options, problems, with_defaults
from app.responders import find
from app.services import errors, settings
from app.services.config import ServiceConfig
from app.services.protocols import options_of

FAULTS = "faults"
"""How ``live_changes`` calls a change of the faults, which a running service always takes."""

_FIXED = ("name", "protocol", "host", "port", "responder", "tls", "socket", "seed")


def live_changes(old: ServiceConfig, new: ServiceConfig) -> tuple[str, ...] | None:
    """The names of the options and limits in which ``new`` differs; None where that needs a restart."""
    if any(getattr(old, key) != getattr(new, key) for key in _FIXED):
        return None
    changed = [
        *_changed(options_of(find(old.responder), old.protocol), old.options, new.options),
        *_changed(settings.declared("limits", old.protocol), old.limits, new.limits),
    ]
    faults = (FAULTS,) if old.faults != new.faults else ()
    return (*(option.name for option in changed), *faults) if all(option.live for option in changed) else None


def _changed(declared: Iterable[Option], old: Options, new: Options) -> Iterator[Option]:
    options = list(declared)
    before, after = with_defaults(options, old), with_defaults(options, new)
    return (option for option in options if before[option.name] != after[option.name])


def check(config: ServiceConfig) -> None:
    """Raise OptionWrongError for the first option or setting that is wrong, in the words of the service's start.

    The options of a responder that is not there now are not known, and not looked at.
    """
    responder = find(config.responder)
    if responder is not None and not responder.missing:
        check_options(config)
    for section in settings.SECTIONS:
        for key, text in problems(settings.declared(section, config.protocol), getattr(config, section) or {}):
            raise errors.OptionWrongError(responder=f"[service.{section}]", key=key, problem=text)
    check_faults(config)


def check_options(config: ServiceConfig) -> None:
    """The same for the options of responder and protocol alone."""
    for key, text in problems(options_of(find(config.responder), config.protocol), config.options):
        raise errors.OptionWrongError(responder=config.responder, key=key, problem=text)


def check_faults(config: ServiceConfig, *, loaded: bool = False) -> None:
    """Raise OptionWrongError for the first thing that is wrong with its faults.

    With ``loaded``, a kind of a plugin that is not loaded is wrong, too: raises what it is missing for.
    """
    for table in config.faults if loaded else ():
        kind = faults.find(table["kind"])
        if kind is not None and kind.missing is not None:
            raise kind.missing
    for mistake in tables.mistakes(config.faults, config.protocol, tls=config.tls is not None):
        number = f"fault number {(mistake.table or 0) + 1}"
        raise errors.OptionWrongError(responder=number, key=mistake.key or tables.FAULT, problem=mistake.text)
