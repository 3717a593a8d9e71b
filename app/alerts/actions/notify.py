"""``notify``: the desktop's notification, or what takes its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.alerts import errors
from app.alerts.actions import Action
from app.alerts.means import Means
from app.alerts.told import Told
from app.trust.asks import Ask


async def _act(told: Told, _: str, means: Means) -> str:
    if means.show is None:
        raise errors.NobodyHereError(what="show it")
    return await means.show(told)


def _asks(_: str, __: Any) -> Iterator[Ask]:
    yield Ask("tell", "", "notify", "shows notifications")


ACTION = Action(
    "notify", "Show a desktop notification; with serve, print a line to standard error", _act, asks=_asks, resolves=True
)
