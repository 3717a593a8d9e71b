"""Finds plugin files and, without running them, the responders and faults that they seem to declare."""

from __future__ import annotations

import ast
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from app.files import confined
from app.plugin_loader import errors
from app.text.escapes import amount

FOLDER = "plugins"

MAX_SIZE = 1 << 20
"""Bytes above which a file is no plugin. It is not read."""

MAX_FILES = 200
"""Plugin files of a workspace and of the data folder together; what comes after them is passed over."""

Stamp = tuple[int, int, int]
"""Time of a file's last change (ns), its size and inode. A different stamp means that the file changed."""

Offer = tuple[str, tuple[str, ...]]
"""The name of a responder or a kind of fault, and its protocols; no protocols if the source does not tell them."""


def look(folders: Iterable[Path]) -> dict[Path, Stamp]:
    """The plugin files in ``folders``, in order. Blocks."""
    found: dict[Path, Stamp] = {}
    for folder in folders:
        try:
            with os.scandir(folder) as entries:
                names = (entry.name for entry in entries)
                plugins = sorted(name for name in names if name.endswith(".py") and not name.startswith(("_", ".")))
        except OSError:
            continue  # most workspaces have no plugins folder
        for name in plugins:
            try:
                path = (folder / name).resolve()
                facts = path.stat()
            except (OSError, RuntimeError):
                continue  # deleted meanwhile, a broken link, or a loop of links
            if stat.S_ISREG(facts.st_mode):
                found[path] = (facts.st_mtime_ns, facts.st_size, facts.st_ino)
    return found


def read(path: Path) -> bytes:
    """The content of a plugin's file. Blocks. Raises OSError; PluginTooLargeError, without reading all of it."""
    with open(path, "rb", opener=confined.regular) as file:
        size = os.fstat(file.fileno()).st_size
        source = file.read(MAX_SIZE + 1) if size <= MAX_SIZE else b""
    if max(size, len(source)) > MAX_SIZE:
        raise errors.PluginTooLargeError(path=path, size=amount(size), most=amount(MAX_SIZE))
    return source


def others_can_write(path: Path) -> bool:
    """Whether other users of this machine can change or replace the file."""
    if os.name != "posix":
        return False
    facts, folder = path.stat(), path.parent.stat()
    replaceable = folder.st_mode & stat.S_IWOTH and not folder.st_mode & stat.S_ISVTX
    return bool(facts.st_mode & stat.S_IWOTH or replaceable)


def offers(source: bytes, stem: str) -> tuple[Offer, ...]:
    """The responders that a file seems to declare; one with the file's name if it declares none, and no fault."""
    tree = _parsed(source)
    declared = dict(_declared(tree))
    return tuple(declared.items()) or (() if any(_faults(tree)) else ((stem, ()),))


def fault_offers(source: bytes) -> tuple[Offer, ...]:
    """The kinds of fault that a file seems to declare."""
    return tuple(dict(_faults(_parsed(source))).items())


def _parsed(source: bytes) -> ast.Module:
    """Its syntax tree; an empty one where it is no Python."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


def _faults(tree: ast.Module) -> Iterator[Offer]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            for call in node.decorator_list:
                if isinstance(call, ast.Call) and _called(call) == "fault" and (name := _text(call, 0, "name")):
                    yield name, _texts(call, 1, "protocols") or ("tcp",)


def _declared(tree: ast.Module) -> Iterator[Offer]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            default = () if isinstance(node, ast.ClassDef) else ("tcp",)
            for call in node.decorator_list:
                if isinstance(call, ast.Call) and _called(call) == "responder" and (name := _text(call, 0, "name")):
                    yield name, _texts(call, 1, "protocols") or default
                elif isinstance(call, ast.Call) and "IResponder" in ast.unparse(call):
                    yield from _provided(node)
        elif isinstance(node, ast.Call) and _called(node) == "Responder" and (name := _text(node, 0, "name")):
            yield name, _texts(node, 2, "builders")


def _called(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]


def _argument(call: ast.Call, place: int, name: str) -> ast.expr | None:
    if len(call.args) > place:
        return call.args[place]
    return next((word.value for word in call.keywords if word.arg == name), None)


def _text(call: ast.Call, place: int, name: str) -> str:
    return _constant(_argument(call, place, name))


def _constant(node: ast.AST | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _texts(call: ast.Call, place: int, name: str) -> tuple[str, ...]:
    node = _argument(call, place, name)
    items = node.keys if isinstance(node, ast.Dict) else getattr(node, "elts", ())
    return tuple(text for item in items if (text := _constant(item)))


def _provided(node: ast.AST) -> Iterator[Offer]:
    for statement in getattr(node, "body", ()):
        if isinstance(statement, ast.Assign) and "name" in map(ast.unparse, statement.targets):
            name = _constant(statement.value)
            if name:
                yield name, ()
