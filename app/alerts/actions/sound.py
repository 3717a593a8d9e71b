"""``sound``: a beep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.alerts import errors
from app.alerts.actions import Action
from app.alerts.means import Means
from app.alerts.told import Told
from app.trust.asks import Ask


async def _act(_: Told, __: str, means: Means) -> str:
    if means.beep is None:
        raise errors.NobodyHereError(what="make a sound")
    means.beep()
    return "beeped"


def _asks(_: str, __: Any) -> Iterator[Ask]:
    yield Ask("tell", "", "sound", "makes sounds")


ACTION = Action("sound", "Beep; with serve, ring the bell of the terminal", _act, asks=_asks)
