"""The services of one outpost, as it tells of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater

from app.errors import PostError
from app.outposts import protocol as p
from app.outposts import sound

CALM = 0.1
"""Seconds from one answer to the next question, however many hints come meanwhile."""


class Told:
    """Asks for the services once, and again when something has changed.

    Attributes:
        services: as the outpost has told last.
        more: how many it has beside these.
        by_name: those that it has told over this connection; None before it has.
        news: how many times it has told.
    """

    def __init__(
        self, reactor: Any, ask: Callable[[p.Request], Deferred[Any]], changed: Callable[[], object]
    ) -> None:  # fmt: skip
        """``ask`` asks the outpost; ``changed`` is called when it has told."""
        self._reactor, self._ask, self._changed = reactor, ask, changed
        self.services: tuple[p.Service, ...] = ()
        self.by_name: dict[str, p.Service] | None = None
        self.more = self.news = 0
        self._asking: Deferred[None] | None = None
        self._asks = self._stale = False

    def refresh(self) -> None:
        """Ask; once at a time, however often this is called."""
        self._stale = True
        if not self._asks:
            self._asks = True
            self._asking = Deferred.fromCoroutine(self._take())

    def stop(self) -> None:
        """The connection has ended: ask no more. What was told before is as it was last."""
        self.by_name = None
        if self._asking is not None:
            self._asking.cancel()

    async def _take(self) -> None:
        try:
            while self._stale:
                self._stale = False
                found: p.Services = await self._ask(p.Status())
                self.services = sound.services(found)
                self.more = max(0, found.more, len(found.services) - p.MOST_SERVICES)
                self.by_name = {service.name: service for service in self.services}
                self.news += 1
                self._changed()
                if self._stale:
                    await deferLater(self._reactor, CALM)
        except (PostError, CancelledError):
            pass  # it is asked anew with the next connection
        finally:
            self._asks = False
