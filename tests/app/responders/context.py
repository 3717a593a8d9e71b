"""A context for responders under test: a ``Clock``, a folder, and what was logged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock

from app import events, responders
from app.responders.relay.errors import UpstreamAwayError
from app.responders.relay.loops import Loops
from app.responders.relay.outposts import Located
from app.text.variables import Variables


class BareContext:
    """An ``app.responders.Context`` without a service.

    Attributes:
        logged: ``(summary, detail)`` of each ``log``.
        failures: ``(error, payload)`` of each ``failed``.
        endpoints: by ``(host, port)``, what ``endpoint`` gives out.
        down: the addresses that a watch has found to be down.
        located: where services of outposts listen, by ``outpost/service``; all others are away.
        recorded: ``(kind, detail)`` of each ``log`` of another kind.
        datagrams: the protocols for which ``open_datagrams`` was called.
    """

    name = "under-test"
    seed = 1

    def __init__(self, reactor: Any = None, folder: Path | str = ".") -> None:
        self.reactor = reactor or Clock()
        self.folder = self.data = Path(folder)
        self.namespace: dict[str, Any] = {}
        self.loops = Loops()
        self.variables: Variables = {}
        self.logged: list[tuple[str, dict[str, Any]]] = []
        self.failures: list[tuple[BaseException, bytes | None]] = []
        self.endpoints: dict[tuple[str, int], Any] = {}
        self.datagrams: list[Any] = []
        self.down: set[str] = set()
        self.located: dict[str, Located] = {}
        self.recorded: list[tuple[int, dict[str, Any]]] = []

    def log(self, summary: str, detail: Any = None, kind: int = events.LOG) -> None:
        if kind == events.LOG:
            self.logged.append((summary, dict(detail or {})))
        else:
            self.recorded.append((kind, dict(detail or {})))

    def is_down(self, host: str, port: int) -> bool:
        return f"{host}:{port}" in self.down

    def locate(self, outpost: str, service: str) -> Located:
        found = self.located.get(f"{outpost}/{service}")
        if found is None:
            raise UpstreamAwayError(address=f"{outpost}/{service}", reason="it is stopped there")
        return found

    def failed(self, error: BaseException, payload: bytes | None = None) -> None:
        self.failures.append((error, payload))

    def endpoint(self, host: str, port: int, **more: Any) -> Any:
        return self.endpoints[host, port]

    def open_datagrams(self, protocol: Any, host: str = "") -> Any:
        self.datagrams.append(protocol)

    def in_thread(self, call: Any, *args: Any) -> Deferred[Any]:
        return maybeDeferred(call, *args)


def build(name: str, protocol: str, options: Any = None, context: Any = None) -> Any:
    """The object that the responder ``name`` builds."""
    return responders.build(name, protocol, options or {}, context or BareContext())
