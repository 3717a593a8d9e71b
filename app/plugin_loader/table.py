"""The table of plugins of this process, and which responders they bring.

There is one, as there is one ``sys.modules``. It is changed in the reactor's thread only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app import responders
from app.errors import PostError
from app.files.folders import data_folder
from app.plugin_loader import errors, loading
from app.plugin_loader.source import FOLDER, Offer, Stamp, look, offers, others_can_write
from app.plugin_loader.trust import Answer, Trust
from app.responders import Responder

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "listening_post.responders"
"""The entry points of installed packages."""

ANSWERS = "plugins.json"


@dataclass(frozen=True)
class Plugin:
    """One plugin, as it was found at one moment.

    Attributes:
        path: its file; of an installed package, what its entry point says.
        brings: its responders. One that cannot answer says why in ``missing``.
        problem: why it was not loaded.
        error: what it raised, if that was it.
    """

    path: Path
    stamp: Stamp | None
    brings: tuple[Responder, ...]
    problem: PostError | None = None
    error: BaseException | None = None

    @property
    def missing(self) -> bool:
        """Whether nothing that it brings can answer."""
        return all(responder.missing for responder in self.brings)

    @property
    def refused(self) -> bool:
        """Whether the user wants nothing of it; who names it in a workspace is told, and nobody else."""
        return isinstance(self.problem, errors.PluginRefusedError)

    @property
    def waiting(self) -> bool:
        """Whether the user is to be asked."""
        return isinstance(self.problem, errors.PluginWaitingError)

    @property
    def locked(self) -> bool:
        """Whether its permissions kept it out, which can be mended without a change of the file."""
        unread = isinstance(self.problem, errors.PluginBrokenError) and self.error is None
        return unread or isinstance(self.problem, errors.PluginUnsafeError)


def examine(path: Path, stamp: Stamp, answer: Answer | None, record: Path) -> Plugin:
    """Read a plugin, and run it where that is allowed. Blocks; touches nothing but ``sys.modules``."""
    found: tuple[Offer, ...] = ((path.stem, ()),)
    try:
        source = path.read_bytes()
        found = offers(source, path.stem)
        if answer == "never":
            raise errors.PluginRefusedError(path=path, record=record)
        if answer is None:
            raise errors.PluginWaitingError(path=path)
        if others_can_write(path):
            raise errors.PluginUnsafeError(path=path)
        return Plugin(path, stamp, loading.load(path, source))
    except PostError as e:
        return Plugin(path, stamp, tuple(_missing(found, e)), e)
    except OSError as e:
        problem = errors.PluginBrokenError(path=path, reason=e.strerror or e)
        return Plugin(path, stamp, tuple(_missing(found, problem)), problem)
    except BaseException as e:  # SystemExit too: it ends the plugin, not the program
        loading.trim(e, path)
        problem = errors.PluginBrokenError(path=path, reason=loading.where(e, path))
        return Plugin(path, stamp, tuple(_missing(found, problem)), problem, e)


def _missing(found: tuple[Offer, ...], why: PostError) -> Iterator[Responder]:
    def build(*_: object) -> None:
        raise why

    for name, protocols in found:
        serves = protocols or ("tcp", "udp", "http", "websocket")
        yield Responder(name, str(why), dict.fromkeys(serves, build), missing=why)


class Table:
    """Plugins and what they bring.

    Attributes:
        folder: the workspace's, if it has one.
        plugins: those that are files, by path.
        trouble: what to say of those that are there and bring something that cannot be taken.
    """

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.plugins: dict[Path, Plugin] = {}
        self.trouble: dict[Path, PostError] = {}
        self._trust: Trust | None = None
        self._installed: tuple[Plugin, ...] | None = None
        self._registered: dict[str, Responder] = {}

    @property
    def trust(self) -> Trust:
        file = data_folder() / ANSWERS
        if self._trust is None or self._trust.file != file:
            self._trust = Trust(file)
        return self._trust

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where plugin files are looked for."""
        beside = (self.folder / FOLDER,) if self.folder else ()
        return (*beside, data_folder() / FOLDER)

    def all(self) -> Iterator[Plugin]:
        """Whoever comes first has the name: files beside the workspace, in the data folder, packages."""
        yield from self.plugins.values()
        yield from self._installed or ()

    def enter(self, folder: Path | None) -> Path | None:
        """Look into the folder of another workspace, load what may be loaded, and let go of the rest.

        Blocks, as opening a workspace does. Returns the folder before.
        """
        before, self.folder = self.folder, folder.resolve() if folder else None
        found = look(self.folders)
        self.update(found, [self.examine(path, stamp) for path, stamp in self.news(found)])
        return before

    @property
    def complete(self) -> bool:
        """Whether it is known what installed packages bring: looking takes a while, so it waits until it matters."""
        return self._installed is not None

    def take_installed(self, plugins: Iterable[Plugin]) -> set[str]:
        """Add what ``installed`` found. Returns the names of the responders that are others now."""
        self._installed = tuple(plugins)
        return self._settle()

    def news(self, found: dict[Path, Stamp]) -> list[tuple[Path, Stamp]]:
        """Those of ``found`` that are others than the ones examined, or with which something else may be done now."""
        return [(path, stamp) for path, stamp in found.items() if self._is_news(path, stamp)]

    def _is_news(self, path: Path, stamp: Stamp) -> bool:
        old = self.plugins.get(path)
        return old is None or old.stamp != stamp or old.locked or (old.waiting and self.trust.of(path) is not None)

    def examine(self, path: Path, stamp: Stamp) -> Plugin:
        """As the function of that name. May be called in a thread."""
        return examine(path, stamp, self.trust.of(path), self.trust.file)

    def update(self, found: dict[Path, Stamp], examined: Iterable[Plugin]) -> set[str]:
        """Take what was examined, and forget what is not ``found`` any more.

        Returns the names of the responders that are others now.
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
            # Mending takes a few tries: until it is done the version before serves.
            return replace(plugin, brings=old.brings)
        return plugin

    def _settle(self) -> set[str]:
        """Make known what the plugins bring."""
        wanted = self._claims()
        changed = {name for name in {*wanted, *self._registered} if wanted.get(name) is not self._registered.get(name)}
        for name in changed:
            if name in wanted:
                responders.add(wanted[name])
            else:
                responders.remove(name)
        self._registered = wanted
        return changed

    def _claims(self) -> dict[str, Responder]:
        wanted: dict[str, Responder] = {}
        by: dict[str, Path] = {}
        self.trouble = {}
        # Those that can answer first: a name is not taken by what only may come one day.
        for plugin in sorted(self.all(), key=lambda plugin: plugin.missing):
            if plugin.problem is not None and not plugin.waiting and not plugin.refused:
                self.trouble[plugin.path] = plugin.problem
            for responder in plugin.brings:
                name = responder.name
                other = "Listening Post itself" if name in responders.built_in() else by.get(name)
                if other is None:
                    wanted[name], by[name] = responder, plugin.path
                elif not plugin.missing:
                    clash = errors.PluginNameTakenError(path=plugin.path, name=name, other=other)
                    self.trouble.setdefault(plugin.path, clash)
        return wanted


def installed() -> list[Plugin]:
    """What installed packages bring. They were installed to run: nobody is asked. Blocks."""
    from importlib.metadata import entry_points  # slow to load

    return [_installed(entry) for entry in entry_points(group=GROUP)]


def _installed(entry: EntryPoint) -> Plugin:
    path = Path(f"{entry.name} ({entry.value})")
    try:
        return Plugin(path, None, loading.load_entry_point(entry))
    except PostError as e:
        return Plugin(path, None, tuple(_missing(((entry.name, ()),), e)), e)
    except BaseException as e:
        problem = errors.PluginBrokenError(path=path, reason=f"{type(e).__name__}: {e}")
        return Plugin(path, None, tuple(_missing(((entry.name, ()),), problem)), problem, e)


TABLE = Table()
