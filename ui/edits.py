"""The one door for changes of the workspace, each of which can be undone and redone."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import replace
from itertools import count
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtWidgets import QUndoCommand, QUndoStack
from twisted.internet.defer import Deferred, DeferredLock

from app.post import Post
from app.programs.config import ProgramConfig
from app.services.config import ServiceConfig
from app.watch.config import WatchConfig
from app.workspace.message import Message
from app.workspace.outposts import OutpostConfig
from app.workspace.reading import Workspace
from app.workspace.service_checks import MAX_NAME

STEPS = 500
"""Changes that can be undone. Their states share what is the same in them."""

_MERGES = 1
"""The number by which Qt knows steps that may become one with the step before."""


class _Step(QUndoCommand):
    """One change: the workspace before and after it. Qt deletes steps, and undoes and redoes them in order.

    Attributes:
        renamed: the old and the new name of the service that the step renames.
        up: the services that were up when the step, or its undoing, removed them.
    """

    def __init__(
        self,
        edits: Edits,
        text: str,
        before: Workspace,
        after: Workspace,
        renamed: tuple[str, str] | None = None,
        merge: str = "",
        *,
        by_user: bool = True,
    ) -> None:
        super().__init__(text)
        self._edits, self._before, self._after, self._merge = edits, before, after, merge
        self.renamed = renamed
        self.up: set[str] = set()
        self._by_user = by_user

    def id(self) -> int:
        return _MERGES if self._merge else -1

    def mergeWith(self, later: QUndoCommand) -> bool:
        if not isinstance(later, _Step) or later._merge != self._merge:
            return False
        self._after = later._after
        if later.renamed is not None:
            self.renamed = (self.renamed or later.renamed)[0], later.renamed[1]
        self.setObsolete(self._before == self._after)
        return True

    def redo(self) -> None:
        by_user, self._by_user = self._by_user, False  # what comes back may do no more than it could
        self._edits._follow(self, self._before, self._after, self.renamed, by_user=by_user)

    def undo(self) -> None:
        back = self.renamed and (self.renamed[1], self.renamed[0])
        self._edits._follow(self, self._after, self._before, back, by_user=False)


class Edits(QObject):
    """Changes what the workspace of a Post holds, one step at a time.

    A step is known at once, in ``state``. The Post follows, which takes as long as services take to stop; steps
    wait for each other there.

    Attributes:
        stack: the steps. It is empty after another workspace was loaded.

    Signals:
        changed(): ``state`` or the stack may have changed.
        touched(str): the Post has followed a step that added or changed the service of this name.
    """

    changed = pyqtSignal()
    touched = pyqtSignal(str)

    def __init__(self, post: Post, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._post = post
        self._lock = DeferredLock()
        self._wanted = post.state()
        self._pending = self._loads = 0
        self.stack = QUndoStack(self)
        self.stack.setUndoLimit(STEPS)
        # A lambda would be called by the stack's end, when what it refers to may be gone.
        self.stack.indexChanged.connect(self._on_index)

    def _on_index(self) -> None:
        self.changed.emit()

    @property
    def state(self) -> Workspace:
        """What the workspace holds, with steps that the Post has not followed yet; without its file."""
        return self._wanted if self._pending else self._post.state()

    @property
    def loading(self) -> bool:
        """Whether another workspace is about to come. Nothing is changed meanwhile."""
        return self._loads > 0

    # -- changes

    def add(self, config: ServiceConfig, text: str = "") -> str:
        """Add a service at the end. Returns its name: if another has it already, a number was added."""
        state = self.state
        config = replace(config, name=_unused(config.name, state.services))
        text = text or self.tr("adding “{name}”").format(name=config.name)
        self._push(text, replace(state, services=(*state.services, config)))
        return config.name

    def replace(self, name: str, config: ServiceConfig, text: str = "", merge: str = "") -> None:
        """Give the service called ``name`` this configuration, which may have another name.

        Changes in a row with the same ``merge``, unless that is empty, are one step.
        """
        state = self.state
        others = [service for service in state.services if service.name != name]
        if len(others) == len(state.services):
            return
        config = replace(config, name=_unused(config.name, others))
        services = tuple(config if service.name == name else service for service in state.services)
        text = text or self.tr("editing “{name}”").format(name=name)
        renamed = (name, config.name) if config.name != name else None
        self._push(text, replace(state, services=services), renamed, merge)

    def remove(self, name: str, text: str = "") -> None:
        """Stop a service and remove it."""
        state = self.state
        text = text or self.tr("removing “{name}”").format(name=name)
        self._push(text, replace(state, services=tuple(one for one in state.services if one.name != name)))

    def reorder(self, names: Sequence[str], text: str) -> None:
        """Put the services in this order; those that ``names`` lacks stand behind, as they did."""
        state, at = self.state, {name: i for i, name in enumerate(names)}
        services = sorted(state.services, key=lambda service: at.get(service.name, len(at)))
        self._push(text, replace(state, services=tuple(services)))

    def set_messages(self, messages: Iterable[Message], text: str) -> None:
        """Replace the saved messages."""
        self._push(text, replace(self.state, messages=tuple(messages)))

    def set_watches(self, watches: Iterable[WatchConfig], text: str) -> None:
        """Replace the watches."""
        self._push(text, replace(self.state, watches=tuple(watches)))

    def set_programs(self, programs: Iterable[ProgramConfig], text: str, merge: str = "") -> None:
        """Replace the hosted programs; ``merge`` as for ``replace``."""
        self._push(text, replace(self.state, programs=tuple(programs)), merge=merge)

    def set_outposts(self, outposts: Iterable[OutpostConfig], text: str) -> None:
        """Replace the outposts."""
        self._push(text, replace(self.state, outposts=tuple(outposts)))

    def change(self, text: str, state: Workspace, merge: str = "", *, by_user: bool = True) -> None:
        """Make the workspace hold ``state``. ``text`` names the step, as in “Undo {text}”.

        Without ``by_user``, services may do no more there than was allowed before.
        """
        self._push(text, state, merge=merge, by_user=by_user)

    def undo(self) -> None:
        if not self.loading:
            self.stack.undo()

    def redo(self) -> None:
        if not self.loading:
            self.stack.redo()

    # -- what the Post does

    def load(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Have ``work`` load another workspace into the Post, after the steps before, and clear the stack."""
        self._loads += 1

        async def load() -> None:
            try:
                await work()
            finally:
                self._loads -= 1
                self.stack.clear()
                self.changed.emit()

        self._lock.run(lambda: Deferred.fromCoroutine(load()))

    def when_followed(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do ``work`` once the Post has followed the steps before; steps after it wait."""
        self._lock.run(lambda: Deferred.fromCoroutine(work()))

    def _push(
        self,
        text: str,
        after: Workspace,
        renamed: tuple[str, str] | None = None,
        merge: str = "",
        *,
        by_user: bool = True,
    ) -> None:
        before = self.state
        after = replace(after, watches=_following(before, after, renamed))
        if after != before and not self.loading:
            self.stack.push(_Step(self, text, before, after, renamed, merge, by_user=by_user))

    def _follow(
        self, step: _Step, before: Workspace, after: Workspace, renamed: tuple[str, str] | None, *, by_user: bool
    ) -> None:
        """Have the Post become ``after``, once it is what the steps before made it."""
        self._wanted = after
        self._pending += 1
        names = MappingProxyType(dict([renamed] if renamed else []))

        async def follow() -> None:
            up, step.up = step.up, set()  # known only now: the step before had to be followed
            try:
                step.up |= await self._post.become(after, names, up, by_user=by_user)
            finally:
                self._pending -= 1
                self.changed.emit()
            old = {service.name: service for service in before.services}
            new = [service for service in after.services if old.get(service.name) != service]
            if new and new[0].name in self._post.services:
                self.touched.emit(new[0].name)

        # The logbook records its exceptions, as of any Deferred without an errback.
        self._lock.run(lambda: Deferred.fromCoroutine(follow()))


def _following(before: Workspace, after: Workspace, renamed: tuple[str, str] | None) -> tuple[WatchConfig, ...]:
    """The watches of ``after``: they follow a service that has another name, and go with one that is gone."""
    names = dict([renamed] if renamed else [])
    there = {service.name for service in after.services}
    gone = {service.name for service in before.services} - there
    moved = (replace(watch, target=names.get(watch.target, watch.target)) for watch in after.watches)
    return tuple(watch for watch in moved if watch.target in there or watch.target not in gone)


class Named(Protocol):
    """Something of the workspace that has a name of its own."""

    @property
    def name(self) -> str: ...


OneNamed = TypeVar("OneNamed", bound=Named)


def put_among(ones: Iterable[OneNamed], new: OneNamed, instead: str) -> tuple[OneNamed, ...]:
    """``ones`` with ``new`` in the place of the one called ``instead``; behind them where none is."""
    there = tuple(ones)
    if all(one.name != instead for one in there):
        return *there, new
    return tuple(new if one.name == instead else one for one in there)


def _unused(name: str, others: Iterable[ServiceConfig]) -> str:
    """``name``, or with a number behind if one of ``others`` has it. Two dialogs may have been open at once."""
    taken = {other.name for other in others}
    endings = (f"-{number}" for number in count(2))
    return (
        name
        if name not in taken
        else next(new for end in endings if (new := name[: MAX_NAME - len(end)] + end) not in taken)
    )
