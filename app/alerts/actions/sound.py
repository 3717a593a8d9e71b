"""``sound``: a beep."""

from __future__ import annotations

from app.alerts import errors
from app.alerts.actions import Action
from app.alerts.means import Means
from app.alerts.told import Told


async def _act(_: Told, __: str, means: Means) -> str:
    if means.beep is None:
        raise errors.NobodyHereError(what="make a sound")
    means.beep()
    return "beeped"


ACTION = Action("sound", "A beep; under serve, the bell of the terminal", _act)
