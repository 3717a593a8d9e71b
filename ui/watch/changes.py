"""Changes of the watches of the workspace, as steps that can be undone."""

from __future__ import annotations

from PyQt5.QtCore import QObject

from app.options import Options
from app.sending.clients import CLIENTS
from app.watch.config import MAX_WATCHES, WatchConfig, client_of, made_of, mistakes, schemes, without_outpost
from ui.edits import Edits, put_among

FIRST_SENT = {"tcp": "", "udp": "ping", "websocket": "", "http": ""}
"""What a watch on a service sends at first, by its protocol."""


class WatchChanges(QObject):
    """Adds, edits and removes watches."""

    def __init__(self, edits: Edits, parent: QObject) -> None:
        super().__init__(parent)
        self._edits = edits

    @property
    def watches(self) -> tuple[WatchConfig, ...]:
        return self._edits.state.watches

    def schemes(self) -> dict[str, str | None]:
        """The services that a watch can name, and the scheme that reaches each."""
        return schemes(self._edits.state.services)

    def watchable(self) -> list[str]:
        """The names of services that can be watched and are not yet."""
        watched = {watch.target for watch in self.watches}
        return [name for name, scheme in self.schemes().items() if scheme is not None and name not in watched]

    @property
    def full(self) -> bool:
        """Whether there are as many as a workspace may have."""
        return len(self.watches) >= MAX_WATCHES

    def first(self, service: str) -> dict[str, object]:
        """The table of a new watch on a service; "": on nothing yet."""
        table: dict[str, object] = {"name": self.unused(service or self.tr("watch")), "target": service}
        client = client_of(service, self.schemes())
        if client is not None and (sent := FIRST_SENT[client.protocol]):
            table["send"] = sent
        return table

    def unused(self, name: str) -> str:
        """``name``, or with a number behind where another watch has it."""
        taken = {watch.name for watch in self.watches}
        return next(new for new in (name, *(f"{name} {n}" for n in range(2, MAX_WATCHES + 3))) if new not in taken)

    def problems(self, table: Options, instead: str = "") -> dict[str, str]:
        """What is wrong with a table, by key. ``instead``: the name of the watch that it would replace."""
        services, outposts = self.schemes(), {outpost.name for outpost in self._edits.state.outposts}
        found = {mistake.option: mistake.text for mistake in without_outpost(table, services, outposts)}
        found |= {mistake.option: mistake.text for mistake in mistakes(table, services)}
        name = table.get("name")
        if name != instead and any(watch.name == name for watch in self.watches):
            found["name"] = self.tr("“{name}” is taken. Give each watch its own name").format(name=name)
        return found

    def put(self, table: Options, instead: str = "") -> str:
        """Add a watch, or put it in the place of the one called ``instead``. Returns its name.

        The table must have no problems.
        """
        new, before = made_of(table), self.watches
        watches = put_among(before, new, instead)
        if len(watches) == len(before):
            text = self.tr("editing the watch “{name}”").format(name=instead)
        else:
            text = self.tr("adding the watch “{name}”").format(name=new.name)
        self._edits.set_watches(watches, text)
        return new.name

    def remove(self, name: str) -> None:
        """Take a watch away."""
        rest = [watch for watch in self.watches if watch.name != name]
        self._edits.set_watches(rest, self.tr("removing the watch “{name}”").format(name=name))


def known_targets(services: dict[str, str | None]) -> list[str]:
    """What can stand at the beginning of a target, for completion."""
    return [*(name for name, scheme in services.items() if scheme), *(f"{scheme}://" for scheme in CLIENTS)]
