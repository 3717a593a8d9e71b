"""Runs a plugin's code and takes what it offers. Nothing here knows whether that is allowed."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import linecache
import sys
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from app.faults import FaultKind
from app.plugin_loader import errors
from app.plugin_loader.import_guard import guarded
from app.responders import Responder

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

PACKAGE = "listening_post_plugins"
"""The package under whose name plugin files are imported; there is no such folder."""

OWN = ("app", "ui", "resources")
"""The program's packages; a project of the user's may have others of these names."""


class _Loader(importlib.abc.SourceLoader):
    """Imports bytes that were read already: what was looked at is what runs, and no cache is written."""

    def __init__(self, path: Path, source: bytes) -> None:
        self._path, self._source = path, source

    def get_filename(self, fullname: str) -> str:
        return str(self._path)

    def get_data(self, path: str | bytes) -> bytes:
        return self._source


Brought = Responder | FaultKind
"""What a plugin may bring."""


def load(path: Path, source: bytes) -> tuple[Brought, ...]:
    """Run the file and return what it offers. Raises whatever the file raises, or a PluginError.

    The module is imported under a name of its own; one of that name that was here before, and serves
    live connections, goes on with its own code.
    """
    name = _module_name(path)
    spec = importlib.machinery.ModuleSpec(name, _Loader(path, source), origin=str(path))
    spec.has_location = True
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get(name)
    sys.modules[name] = module
    # Kept as it was run: tracebacks of live connections are looked up in it, not in the file.
    lines = source.decode("utf-8", "replace").splitlines(keepends=True)
    linecache.cache[str(path)] = (len(source), None, lines, str(path))
    try:
        assert spec.loader is not None
        with guarded(str(path), path):
            spec.loader.exec_module(module)
        return tuple(offered(module, path.stem, str(path)))
    except BaseException:
        if before is None:
            del sys.modules[name]
        else:
            sys.modules[name] = before
        raise


def unload(path: Path) -> None:
    """Forget the module of a file that is gone."""
    for name in _names_of(path):
        del sys.modules[name]


def _names_of(path: Path) -> list[str]:
    modules = list(sys.modules.items())
    return [name for name, module in modules if name.startswith(f"{PACKAGE}.") and module.__file__ == str(path)]


def _module_name(path: Path) -> str:
    if PACKAGE not in sys.modules:
        package = sys.modules[PACKAGE] = ModuleType(PACKAGE)
        package.__path__ = []
    for name in _names_of(path):
        return name
    names = (f"{PACKAGE}.{path.stem}{f'_{number}' if number > 1 else ''}" for number in count(1))
    return next(name for name in names if name not in sys.modules)


def trim(error: BaseException, file: Path) -> None:
    """Leave of the traceback what is the plugin's: from its first frame on."""
    step = error.__traceback__
    while step is not None and step.tb_frame.f_code.co_filename != str(file):
        step = step.tb_next
    error.__traceback__ = step


def where(error: BaseException, file: Path) -> str:
    """``line 3: NameError: …``: what went wrong, and the last line of the file in which it did."""
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == str(file) else 0
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == str(file):
            line = step.tb_lineno
        step = step.tb_next
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    words = f"{type(error).__name__}: {message}" if message else type(error).__name__
    if isinstance(error, ImportError) and (root := (error.name or "").partition(".")[0]) in OWN:
        words += f" (in this program, {root} is Listening Post's own package)"
    return f"line {line}: {words}" if line else words


def load_entry_point(entry: EntryPoint) -> tuple[Brought, ...]:
    """What an installed package offers under one name. Raises whatever its import does, or a PluginError."""
    with guarded(f"{entry.name} ({entry.value})"):
        thing = entry.load()
    if isinstance(thing, ModuleType):
        return tuple(offered(thing, entry.name, entry.value))
    found = _declared(thing)
    return (found or _undeclared({entry.name: thing}, entry.name, entry.value),)


def offered(module: ModuleType, stem: str, title: str) -> Iterator[Brought]:
    """The responders and faults that a module declares; else the one responder that its factories and such make up."""
    declared = {id(found): found for thing in vars(module).values() if (found := _declared(thing))}
    if declared:
        yield from declared.values()
        return
    own = {
        name: thing
        for name, thing in vars(module).items()
        if getattr(thing, "__module__", None) == module.__name__ or not isinstance(thing, type)
    }
    yield _undeclared(own, stem, title)


def _declared(thing: Any) -> Brought | None:
    from app.plugin import declare, declare_fault

    if isinstance(thing, Responder):
        return thing
    # Not what a class only inherits.
    own = getattr(thing, "__dict__", {})
    for mark in (declare.MARK, declare_fault.MARK):
        if isinstance(marked := own.get(mark), Brought):
            return marked
    if not isinstance(thing, type) and declare.IResponder.providedBy(thing):
        builders = {protocol: _building(thing, protocol) for protocol in thing.protocols}
        return Responder(thing.name, thing.help, builders, tuple(thing.options))
    return None


def _building(thing: Any, protocol: str) -> Any:
    return lambda options, context: thing.build(protocol, options, context)


def _undeclared(things: Mapping[str, Any], name: str, title: str) -> Responder:
    from app.plugin.declare import builders_of

    found: dict[str, dict[int, dict[str, Any]]] = {}
    for called, thing in things.items():
        for protocol, build in builders_of(thing).items():
            found.setdefault(protocol, {}).setdefault(_rank(thing), {})[called] = (thing, build)
    builders, words = {}, ""
    for protocol, ranks in found.items():
        best = ranks[min(ranks)]
        if len(best) > 1:
            raise errors.PluginAmbiguousError(path=title, names=" and ".join(best), protocol=protocol)
        [(thing, builders[protocol])] = best.values()
        words = words or (thing.__doc__ or "").strip().partition("\n")[0]
    if not builders:
        raise errors.PluginEmptyError(path=title)
    return Responder(name, words or f"From {Path(title).name}", builders)


def _rank(thing: Any) -> int:
    """A factory that was made beats a class of factories, and that a class of protocols."""
    from twisted.internet.interfaces import IProtocolFactory

    if not isinstance(thing, type):
        return 0
    return 1 if IProtocolFactory.implementedBy(thing) else 2
