"""Framing: where a message ends in a stream of bytes.

A framer takes the bytes as they come, in pieces of any size, and gives out whole messages;
the other way it makes of a message the bytes to send. Except for ``Unframed`` the messages
do not depend on the pieces.

Each framing is declared beside its framer, in a module of its own, and listed in ``FRAMINGS``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from app.options import Option, Options
from app.text.framing.delimited import DELIMITER, Delimited
from app.text.framing.fixed import FIXED, Fixed
from app.text.framing.framer import LONGEST, MAX_MESSAGE, UNFRAMED, Framer, Framing, Unframed
from app.text.framing.gapped import GAP, Gapped
from app.text.framing.prefixed import LENGTH, Prefixed

FRAMINGS: dict[str, Framing] = {framing.name: framing for framing in (UNFRAMED, DELIMITER, LENGTH, FIXED, GAP)}


def maker(options: Options) -> Callable[[], Framer]:
    """What makes a framer for each connection of a service that has these options."""
    return FRAMINGS[options["framing"]].maker(options)


def options(protocols: tuple[str, ...]) -> tuple[Option, ...]:
    """``framing`` and what belongs to each, for a responder's services of ``protocols``."""
    uses: dict[Option, list[str]] = {}
    for framing in FRAMINGS.values():
        for option in framing.options:
            uses.setdefault(option, []).append(framing.name)
    # What several share stands last.
    uses = dict(sorted(uses.items(), key=lambda use: len(use[1]) > 1))
    return (
        Option(
            "framing", str, "none", "How messages are separated", protocols=protocols, choices=tuple(FRAMINGS),
            helps=tuple(framing.help for framing in FRAMINGS.values()),
        ),
        *(replace(option, protocols=protocols, when=("framing", tuple(names))) for option, names in uses.items()),
    )  # fmt: skip


__all__ = [
    "FRAMINGS", "LONGEST", "MAX_MESSAGE", "Delimited", "Fixed", "Framer", "Framing", "Gapped", "Prefixed", "Unframed",
    "maker", "options",
]  # fmt: skip
