"""Changes of the outposts of the workspace, as steps that can be undone."""

from __future__ import annotations

from PyQt5.QtCore import QObject

from app.options import Options, mistakes
from app.workspace.outposts import MAX_OUTPOSTS, OUTPOST, OutpostConfig, made_of
from ui.edits import Edits


class OutpostChanges(QObject):
    """Adds, edits and removes outposts."""

    def __init__(self, edits: Edits, parent: QObject) -> None:
        super().__init__(parent)
        self._edits = edits

    @property
    def outposts(self) -> tuple[OutpostConfig, ...]:
        return self._edits.state.outposts

    @property
    def why_none(self) -> str:
        """Why no outpost can be added, or an empty text."""
        if self._edits.state.allow:
            return self.tr("This workspace is an outpost itself: its [outpost] says what others may do here")
        if len(self.outposts) >= MAX_OUTPOSTS:
            return self.tr("A workspace has at most {count} outposts").format(count=MAX_OUTPOSTS)
        return ""

    def problems(self, table: Options, instead: str = "") -> dict[str, str]:
        """What is wrong with a table, by key. ``instead``: the name of the outpost that it would replace."""
        found = {mistake.option: mistake.text for mistake in mistakes(OUTPOST, table)}
        name = table.get("name")
        if name != instead and any(outpost.name == name for outpost in self.outposts):
            found["name"] = self.tr("“{name}” is taken. Give each outpost its own name").format(name=name)
        return found

    def put(self, table: Options, instead: str = "") -> None:
        """Add an outpost, or put it in the place of the one called ``instead``. The table must have no problems."""
        new, outposts = made_of(table), list(self.outposts)
        places = [at for at, outpost in enumerate(outposts) if outpost.name == instead]
        if places:
            outposts[places[0]] = new
            self._edits.set_outposts(outposts, self.tr("editing the outpost “{name}”").format(name=instead))
        else:
            words = self.tr("adding the outpost “{name}”").format(name=new.name)
            self._edits.set_outposts([*outposts, new], words)

    def remove(self, name: str) -> None:
        """Read an outpost no more. What was read stays."""
        rest = [outpost for outpost in self.outposts if outpost.name != name]
        self._edits.set_outposts(rest, self.tr("removing the outpost “{name}”").format(name=name))
