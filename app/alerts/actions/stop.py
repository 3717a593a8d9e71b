"""``stop SERVICE``: stops a service of the workspace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.alerts import errors
from app.alerts.actions import Action
from app.alerts.means import Means
from app.alerts.told import Told
from app.trust.asks import Ask


async def _act(told: Told, name: str, means: Means) -> str:
    if told.state == "test":
        return f"would stop {name}"
    if not means.stop(name):
        raise errors.NoServiceError(name=name)
    return f"stopped {name}"


def _asks(name: str, _: Any) -> Iterator[Ask]:
    yield Ask("stop", "", name, f"stops the service {name}")


ACTION = Action("stop", "Stop a service of this workspace", _act, "SERVICE", "tcp-echo", asks=_asks, stops=True)
