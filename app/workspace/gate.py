"""Keeps what asks for something that the user has not allowed from starting; says what there is to allow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import resources
from app.alerts.alert import Alert
from app.alerts.asks import action_asks, alerts_asks
from app.alerts.errors import WithheldError
from app.alerts.mail import Mail
from app.errors import PostError
from app.plugin_loader.table import TABLE, Plugin
from app.programs import config as of_programs
from app.programs.config import ProgramConfig
from app.services.config import ServiceConfig
from app.services.errors import NotTrustedError
from app.text.escapes import one_line
from app.trust.asks import KINDS, Ask, asks_of, fingerprint, of_plugin, of_service
from app.trust.store import others_can_write
from app.watch import asks as of_watches
from app.watch.config import WatchConfig
from app.workspace.outposts import OutpostConfig
from app.workspace.outposts import asks_of as asks_of_outposts
from app.workspace.reading import Workspace

How = Literal["content", "folder"]
"""What an answer holds for: what the file has in it now, or whatever stands in its folder, now and later."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the user has to allow before all of the workspace runs.

    Attributes:
        path: of the workspace's file; None if it has none: then only plugins are asked about.
        asks: what it asks for, the most far-reaching first.
        folders: what would be trusted with ``"folder"``; empty if that cannot be offered.
    """

    path: Path | None
    asks: tuple[Ask, ...]
    folders: tuple[Path, ...]


class Gate:
    """What the open workspace may do. Its methods block a little, because paths are resolved.

    Relative paths start where the workspace was opened, as for its services, also after it was saved elsewhere.
    """

    def __init__(self) -> None:
        self._workspace = Workspace()
        self._allowed: set[tuple[str, str, str]] = set()
        self._all = True
        self._folder = self._workspace.folder
        self._now = self._workspace  # as it was opened, with the changes since
        self._unanswered: tuple[Ask, ...] = ()

    def enter(self, workspace: Workspace, *, own: bool = True) -> None:
        """Another workspace was opened. What has no file is the user's own, or one that the program brings,
        unless ``own`` is false.
        """
        self._workspace = self._now = workspace
        self._folder = workspace.folder
        path = workspace.path
        self._all = own if path is None else is_shipped(path) or _in_trusted_folder(path)
        asks = [] if self._all else all_asks(workspace)
        known = TABLE.trust.content(fingerprint(workspace.digest, asks))
        self._allowed = {ask.key for ask in asks} if known else set()
        self._look()

    @property
    def unanswered(self) -> tuple[Ask, ...]:
        """What the services and watches ask for and the user has not allowed."""
        return self._unanswered

    def held(self, service: ServiceConfig) -> NotTrustedError | None:
        """Why this service may not start; None if it may."""
        asks = [ask for ask in self._unanswered if ask.service == service.name]
        return self._not_trusted(asks) if asks else None

    def held_watch(self, watch: WatchConfig) -> NotTrustedError | None:
        """Why this watch may not run; None if it may. None runs while the question is open."""
        if not self._unanswered:
            return None
        return self._not_trusted(self._held(of_watches.of_watch(watch, self._now.services)) or self._unanswered)

    def held_program(self, program: ProgramConfig) -> NotTrustedError | None:
        """Why this program may not start; None if it may."""
        if not self._unanswered:
            return None
        asks = self._held(of_programs.asks_of([program], self._folder))
        return self._not_trusted(asks) if asks else None

    def held_outpost(self, outpost: OutpostConfig) -> NotTrustedError | None:
        """Why this outpost may not be connected to; None if it may."""
        asks = self._held(asks_of_outposts([outpost]))
        return self._not_trusted(asks) if asks else None

    def _held(self, asks: Iterable[Ask]) -> list[Ask]:
        """Those of ``asks`` that the user has not answered."""
        wanted = {ask.key for ask in asks}
        return [ask for ask in self._unanswered if ask.key in wanted]

    def admit_program(self, program: ProgramConfig) -> None:
        """Raise NotTrustedError unless this program may start."""
        self._admit(of_programs.asks_of([program], self._folder))

    def admit(self, service: ServiceConfig) -> None:
        """Raise NotTrustedError unless this service may start. Links are looked at anew."""
        self._admit(of_service(service, self._now.services, self._folder))

    def _admit(self, wanted: Iterable[Ask]) -> None:
        """Raise NotTrustedError unless all of this is allowed."""
        if self._all or TABLE.trust.everything:
            return
        asks = [ask for ask in wanted if ask.key not in self._allowed]
        if asks:
            raise self._not_trusted(sorted(asks, key=lambda ask: KINDS.index(ask.kind)))

    def changed(self, services: Sequence[ServiceConfig], by_user: Iterable[str] = ()) -> None:
        """These are the services now; the user gave those called ``by_user`` their settings.

        That allows what they ask for, unless there is a question that is not answered yet: a service of a workspace
        that is not trusted is not trusted because one of its settings was changed.
        """
        names = set(by_user)
        self._now = replace(self._now, services=tuple(services))
        made = (service for service in services if service.name in names)
        self._follow((ask for one in made for ask in of_service(one, services, self._folder)), by_user=True)

    def watches_changed(self, watches: Sequence[WatchConfig], *, by_user: bool) -> None:
        """These are the watches now. ``by_user``: the user made those that are new, which is as for services."""
        new = [watch for watch in watches if watch not in self._now.watches]
        self._now = replace(self._now, watches=tuple(watches))
        self._follow((ask for one in new for ask in of_watches.of_watch(one, self._now.services)), by_user=by_user)

    def programs_changed(self, programs: Sequence[ProgramConfig], *, by_user: bool) -> None:
        """These are the programs now; ``by_user``: the user made those that are new, which is as for services."""
        new = [program for program in programs if program not in self._now.programs]
        self._now = replace(self._now, programs=tuple(programs))
        self._follow((ask for one in new for ask in of_programs.asks_of([one], self._folder)), by_user=by_user)

    def alerts_changed(self, alerts: Sequence[Alert], mail: Mail | None, *, by_user: bool) -> None:
        """These are the alerts now, and their mail; ``by_user``: the user made them so, as in ``changed``."""
        self._now = replace(self._now, alerts=tuple(alerts), mail=mail)
        self._follow(alerts_asks(self._now.alerts, mail), by_user=by_user)

    def outposts_changed(self, outposts: Sequence[OutpostConfig], *, by_user: bool) -> None:
        """These are the outposts now; ``by_user``: the user made those that are new, as in ``changed``."""
        new = [outpost for outpost in outposts if outpost not in self._now.outposts]
        self._now = replace(self._now, outposts=tuple(outposts))
        self._follow(asks_of_outposts(new), by_user=by_user)

    def _follow(self, asks: Iterable[Ask], *, by_user: bool) -> None:
        """Something has changed; ``asks`` is what the new of it asks for, which is allowed if the user made it."""
        if by_user and not self._unanswered and not self._all:
            self._allowed |= {ask.key for ask in asks}
        self._look()

    def withheld(self, alert: str, action: str, tried: bool = False) -> PostError | None:
        """Why an alert may not do this action; None if it may. ``tried``: the user wants it now, as a test."""
        if self._all or TABLE.trust.everything or (tried and not self._unanswered):
            return None
        asks = [ask for ask in action_asks(alert, action, self._now.mail) if ask.key not in self._allowed]
        if not asks:
            return None
        return WithheldError(asks="; ".join(map(str, asks)), path=one_line(str(self._workspace.path or "FILE")))

    def saved(self, workspace: Workspace) -> bool:
        """The workspace was saved. What this program wrote is trusted, unless a question is not answered yet.

        Returns whether there is an answer to save.
        """
        allowed = not self._unanswered
        self._workspace = workspace
        if not allowed or workspace.path is None:
            return False
        self._allowed |= {ask.key for ask in self._asks()}
        asks = all_asks(workspace)
        self._all = _in_trusted_folder(workspace.path)
        self._look()
        if not asks:
            return False
        TABLE.trust.trust_content(fingerprint(workspace.digest, asks), workspace.path)
        return True

    def question(self, waiting: Iterable[Plugin]) -> Question | None:
        """The question to ask, with the plugins that wait for an answer; None if there is nothing to ask."""
        plugins = list(waiting)
        asks = [of_plugin(plugin.path, [one.name for one in plugin.brings]) for plugin in plugins]
        asks = sorted([*asks, *self._unanswered], key=lambda ask: KINDS.index(ask.kind))
        if not asks:
            return None
        folders = self._folders(plugins)
        offered = () if any(map(others_can_write, folders)) else folders
        return Question(self._workspace.path, tuple(asks), offered)

    def allow(self, how: How, waiting: Iterable[Plugin]) -> None:
        """The user allows what ``question`` asked. The store has the answer then, and has to be saved."""
        plugins, trust, path = list(waiting), TABLE.trust, self._workspace.path
        if how == "folder":
            for folder in self._folders(plugins):
                trust.trust_folder(folder)
        if path is not None and self._unanswered:
            # Of the file as it was read; what the user changed since is allowed until it is saved.
            asks = all_asks(self._workspace)
            trust.trust_content(fingerprint(self._workspace.digest, asks), path)
        for plugin in plugins:
            if how == "content" or TABLE.linked(plugin.path):  # no folder's answer holds for a link
                trust.set_plugin(plugin.path, plugin.digest)
        self._all = self._all or (path is not None and _in_trusted_folder(path))
        self._allowed |= {ask.key for ask in self._unanswered}
        self._look()

    def _folders(self, plugins: Iterable[Plugin]) -> tuple[Path, ...]:
        """The folder of the workspace, and those of plugins that are not beside it."""
        path = self._workspace.path
        own = [path.parent.resolve(), Path(path).resolve().parent] if path is not None else []
        beside = {folder / "plugins" for folder in own}
        others = [
            plugin.path.parent
            for plugin in plugins
            if plugin.path.parent not in beside and not TABLE.linked(plugin.path)
        ]
        return tuple(dict.fromkeys([*own, *others]))

    def _not_trusted(self, asks: Sequence[Ask]) -> NotTrustedError:
        path = one_line(str(self._workspace.path or "FILE"))
        return NotTrustedError(asks="; ".join(one_line(ask.text) for ask in asks), path=path)

    def _look(self) -> None:
        asks = [] if self._all or TABLE.trust.everything else self._asks()
        self._unanswered = tuple(ask for ask in asks if ask.key not in self._allowed)

    def _asks(self) -> list[Ask]:
        return _together(self._now, self._folder)


def all_asks(workspace: Workspace) -> list[Ask]:
    """What all of a workspace asks for, the most far-reaching first. Blocks."""
    return _together(workspace, workspace.folder)


def _together(workspace: Workspace, folder: Path) -> list[Ask]:
    asks = [
        *asks_of(workspace.services, folder),
        *of_programs.asks_of(workspace.programs, folder),
        *of_watches.asks_of(workspace.watches, workspace.services),
        *alerts_asks(workspace.alerts, workspace.mail),
        *asks_of_outposts(workspace.outposts),
    ]
    return sorted(asks, key=lambda ask: KINDS.index(ask.kind))


def is_shipped(path: Path) -> bool:
    """Whether the program brings this file, as the showcase. Who can change it can change the program."""
    return Path(path).resolve().is_relative_to(Path(resources.__file__).resolve().parent)


def _in_trusted_folder(path: Path) -> bool:
    return TABLE.trust.file_in_folder(path)
