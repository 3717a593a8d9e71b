"""``notify``: the desktop's notification, or what takes its place."""

from __future__ import annotations

from app.alerts import errors
from app.alerts.actions import Action
from app.alerts.means import Means
from app.alerts.told import Told


async def _act(told: Told, _: str, means: Means) -> str:
    if means.show is None:
        raise errors.NobodyHereError(what="show it")
    return await means.show(told)


ACTION = Action("notify", "A notification of the desktop; under serve, a line on standard error", _act, resolves=True)
