"""The table of this process's plugins, their responders and faults.

There is one table, as there is one ``sys.modules``. It is changed in the reactor's thread only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import faults, responders
from app.errors import PostError
from app.faults import FaultKind
from app.files.folders import data_folder
from app.plugin_loader import errors, loading
from app.plugin_loader.loading import Brought
from app.plugin_loader.source import FOLDER, MAX_FILES, Offer, Stamp, fault_offers, look, offers, others_can_write, read
from app.responders import Responder
from app.trust.asks import digest_of
from app.trust.store import Trust

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP, FAULTS_GROUP = "listening_post.responders", "listening_post.faults"
"""The groups of entry points by which installed packages provide responders and faults."""

RESPONDER, FAULT = "responder", "fault"
"""What a plugin brings."""

Key = tuple[str, str]
"""What it is, ``RESPONDER`` or ``FAULT``, and its name."""

ANSWERS = "trust.json"
"""The user's answers, in the data folder."""


@dataclass(frozen=True)
class Plugin:
    """One plugin, as it was found at one moment.

    Attributes:
        path: its file; for an installed package, the name and value of its entry point.
        stamp: the file's stamp; None for an installed package.
        brings: its responders and kinds of fault. ``missing`` on one says why it cannot be used.
        problem: why the plugin was not loaded, or None.
        error: the exception that loading it raised, or None.
        digest: of the content that was examined; empty if it was not read.
    """

    path: Path
    stamp: Stamp | None
    brings: tuple[Brought, ...]
    problem: PostError | None = None
    error: BaseException | None = None
    digest: str = ""

    @property
    def missing(self) -> bool:
        """Whether nothing that it brings can be used."""
        return all(one.missing for one in self.brings)

    @property
    def refused(self) -> bool:
        """Whether the user chose never to load it. Only a workspace that names it reports that as a problem."""
        return isinstance(self.problem, errors.PluginRefusedError)

    @property
    def waiting(self) -> bool:
        """Whether the user must be asked about it."""
        return isinstance(self.problem, errors.PluginWaitingError)

    @property
    def passed_over(self) -> bool:
        """Whether it was not run and no answer would change that: too large, unreadable, open to others, refused."""
        unread = not self.digest or isinstance(self.problem, errors.PluginUnsafeError)
        return self.problem is not None and (unread or self.refused)

    @property
    def locked(self) -> bool:
        """Whether file permissions kept it from loading. They can be corrected without changing the file."""
        unread = isinstance(self.problem, errors.PluginBrokenError) and self.error is None
        return unread or isinstance(self.problem, errors.PluginUnsafeError)


def examine(path: Path, stamp: Stamp, trust: Trust, *, linked: bool = False) -> Plugin:
    """Read a plugin's file, and run it if it may run. Blocks. Changes nothing but ``sys.modules``.

    ``linked``: whether a link has led out of the plugins folder to it.
    """
    found: tuple[Offer, ...] = ((path.stem, ()),)
    failing: tuple[Offer, ...] = ()
    digest = ""
    try:
        source = read(path)
        digest = digest_of(source)
        answer = trust.plugin(path, digest, linked=linked)
        found, failing = offers(source, path.stem), fault_offers(source)
        if answer == "never":
            raise errors.PluginRefusedError(path=path, record=trust.file)
        if answer is None:
            raise errors.PluginWaitingError(path=path)
        if others_can_write(path):
            raise errors.PluginUnsafeError(path=path)
        return Plugin(path, stamp, loading.load(path, source), digest=digest)
    except PostError as e:
        return Plugin(path, stamp, tuple(_missing(found, failing, e)), e, digest=digest)
    except OSError as e:
        problem = errors.PluginBrokenError(path=path, reason=e.strerror or e)
        return Plugin(path, stamp, tuple(_missing(found, failing, problem)), problem)
    except BaseException as e:  # SystemExit too: it ends the plugin, not the program
        loading.trim(e, path)
        problem = errors.PluginBrokenError(path=path, reason=loading.where(e, path))
        return Plugin(path, stamp, tuple(_missing(found, failing, problem)), problem, e, digest)


def _missing(found: tuple[Offer, ...], failing: tuple[Offer, ...], why: PostError) -> Iterator[Brought]:
    """What takes the place of the responders ``found`` and of the faults ``failing`` that cannot be used."""

    def act(*_: object) -> Any:
        raise why

    for name, protocols in found:
        yield Responder(name, str(why), dict.fromkeys(protocols or _PROTOCOLS, act), missing=why)
    for name, protocols in failing:
        sides = (faults.SENT, faults.RECEIVED, faults.CONNECT)
        yield FaultKind(name, str(why), act, protocols or _PROTOCOLS, sides, missing=why)


_PROTOCOLS = ("tcp", "udp", "http", "websocket")


class Table:
    """All plugins, and the responders and faults that they provide.

    Attributes:
        folder: the workspace's folder, or None.
        plugins: the plugins that are files, by path.
        trouble: problems to show to the user, by the plugin's path.
    """

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.plugins: dict[Path, Plugin] = {}
        self.trouble: dict[Path, PostError] = {}
        self._trust: Trust | None = None
        self._installed: tuple[Plugin, ...] | None = None
        self._registered: dict[Key, Brought] = {}
        self._surplus = 0

    @property
    def trust(self) -> Trust:
        file = data_folder() / ANSWERS
        if self._trust is None or self._trust.file != file:
            self._trust = Trust(file)
        return self._trust

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that may contain plugin files."""
        beside = (self.folder / FOLDER,) if self.folder else ()
        return (*beside, data_folder() / FOLDER)

    def linked(self, path: Path) -> bool:
        """Whether the plugin at this real path lies in none of the folders: a link leads to it. Blocks."""
        beside, own = self.folders[:-1], self.folders[-1]
        return path.parent not in (*beside, own.resolve())

    def all(self) -> Iterator[Plugin]:
        """All plugins. If two declare the same name, the first one wins.

        The order is: files beside the workspace, files in the data folder, installed packages.
        """
        yield from self.plugins.values()
        yield from self._installed or ()

    def enter(self, folder: Path | None) -> Path | None:
        """Load the plugins of another workspace's folder, and unload those of the previous workspace.

        Blocks. Returns the previous folder.
        """
        before, self.folder = self.folder, folder.resolve() if folder else None
        found = self.bounded(look(self.folders))
        self.update(found, [self.examine(path, stamp) for path, stamp in self.news(found)])
        return before

    def bounded(self, found: dict[Path, Stamp]) -> dict[Path, Stamp]:
        """The first ``MAX_FILES`` of the files that ``look`` found. How many were passed over becomes trouble."""
        self._surplus = max(0, len(found) - MAX_FILES)
        return dict(list(found.items())[:MAX_FILES])

    @property
    def complete(self) -> bool:
        """Whether the plugins of installed packages were looked for. That is slow, so it is done late."""
        return self._installed is not None

    def take_installed(self, plugins: Iterable[Plugin]) -> set[Key]:
        """Add the plugins that ``installed`` found. Returns what has changed."""
        self._installed = tuple(plugins)
        return self._settle()

    def news(self, found: dict[Path, Stamp]) -> list[tuple[Path, Stamp]]:
        """The files in ``found`` to examine: new and changed ones, and those that may be loaded only now."""
        return [(path, stamp) for path, stamp in found.items() if self._is_news(path, stamp)]

    def _is_news(self, path: Path, stamp: Stamp) -> bool:
        old = self.plugins.get(path)
        return old is None or old.stamp != stamp or old.locked or (old.waiting and self._answered(old))

    def _answered(self, plugin: Plugin) -> bool:
        return self.trust.plugin(plugin.path, plugin.digest, linked=self.linked(plugin.path)) is not None

    def examine(self, path: Path, stamp: Stamp) -> Plugin:
        """Call the function ``examine`` with the user's answers. May be called in a thread."""
        return examine(path, stamp, self.trust, linked=self.linked(path))

    def update(self, found: dict[Path, Stamp], examined: Iterable[Plugin]) -> set[Key]:
        """Add the examined plugins, and unload those whose file is not in ``found`` any more.

        Returns what has changed.
        """
        fresh = {plugin.path: plugin for plugin in examined}
        for path in set(self.plugins) - set(found):
            loading.unload(path)
        known = self.plugins | {path: self._after(plugin) for path, plugin in fresh.items()}
        self.plugins = {path: known[path] for path in found if path in known}
        return self._settle()

    def _after(self, plugin: Plugin) -> Plugin:
        old = self.plugins.get(plugin.path)
        if old is not None and plugin.problem is not None and not old.missing:
            # An edited plugin may be broken for a while: until it loads again, the previous version serves.
            return replace(plugin, brings=old.brings)
        return plugin

    def _settle(self) -> set[Key]:
        """Register what the plugins bring. Returns what has changed."""
        wanted = self._claims()
        changed = {key for key in {*wanted, *self._registered} if wanted.get(key) is not self._registered.get(key)}
        for key in changed:
            one = wanted.get(key)
            if isinstance(one, Responder):
                responders.add(one)
            elif isinstance(one, FaultKind):
                faults.add(one)
            else:
                what, name = key
                (responders if what == RESPONDER else faults).remove(name)
        self._registered = wanted
        return changed

    def _claims(self) -> dict[Key, Brought]:
        wanted: dict[Key, Brought] = {}
        by: dict[Key, Path] = {}
        self.trouble = {}
        if self._surplus:
            folder = self.folders[0]
            surplus = errors.PluginsTooManyError(path=folder, count=f"{self._surplus:,}", most=MAX_FILES)
            self.trouble[folder] = surplus
        # Usable plugins first: a plugin that is not loaded must not take a name from one that is.
        for plugin in sorted(self.all(), key=lambda plugin: plugin.missing):
            if plugin.problem is not None and not plugin.waiting and not plugin.refused:
                self.trouble[plugin.path] = plugin.problem
            for one in plugin.brings:
                what, ours = (RESPONDER, responders) if isinstance(one, Responder) else (FAULT, faults)
                key = what, one.name
                other = "Listening Post itself" if one.name in ours.built_in() else by.get(key)
                if other is None:
                    wanted[key], by[key] = one, plugin.path
                elif not plugin.missing:
                    clash = errors.PluginNameTakenError(path=plugin.path, what=what, name=one.name, other=other)
                    self.trouble.setdefault(plugin.path, clash)
        return wanted


def installed() -> list[Plugin]:
    """The plugins of installed packages. The user installed them, so they run without a question. Blocks."""
    from importlib.metadata import entry_points  # slow to load

    return [_installed(entry) for group in (GROUP, FAULTS_GROUP) for entry in entry_points(group=group)]


def _installed(entry: EntryPoint) -> Plugin:
    path = Path(f"{entry.name} ({entry.value})")
    offer = ((entry.name, ()),)
    found, failing = ((), offer) if entry.group == FAULTS_GROUP else (offer, ())
    try:
        return Plugin(path, None, loading.load_entry_point(entry))
    except PostError as e:
        return Plugin(path, None, tuple(_missing(found, failing, e)), e)
    except BaseException as e:
        problem = errors.PluginBrokenError(path=path, reason=f"{type(e).__name__}: {e}")
        return Plugin(path, None, tuple(_missing(found, failing, problem)), problem, e)


TABLE = Table()
