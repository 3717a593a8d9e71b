"""The lines that say what a workspace asks for, and whether that is allowed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from app.plugin_loader.table import TABLE
from app.text.escapes import one_line
from app.trust.asks import KINDS, Ask, of_plugin
from app.workspace.gate import Gate, all_asks, is_shipped
from app.workspace.reading import Workspace


def asks(workspace: Workspace) -> list[Ask]:
    """All that the workspace and the plugin files beside it ask for, allowed or not. Blocks."""
    plugins = [of_plugin(plugin.path, [one.name for one in plugin.brings]) for plugin in TABLE.plugins.values()]
    return sorted([*plugins, *all_asks(workspace)], key=lambda ask: KINDS.index(ask.kind))


def lines(workspace: Workspace) -> Iterator[str]:
    """What ``check`` and ``trust`` print; nothing for a workspace that asks for nothing. Blocks."""
    plugins = TABLE.plugins.values()
    passed_over = {plugin.path for plugin in plugins if plugin.passed_over}
    every = asks(workspace)
    of_none = [ask for ask in every if not ask.service and Path(ask.target) in passed_over]
    asked = [ask for ask in every if ask not in of_none]
    if asked:
        yield _standing(workspace)
        yield from map(_line, asked)
    if of_none:
        yield "not loaded, trusted or not:"
        yield from map(_line, of_none)


def _standing(workspace: Workspace) -> str:
    """Whether what is listed below it may happen."""
    gate = Gate()
    gate.enter(workspace)
    path = workspace.path
    if path is not None and is_shipped(path):
        return "it comes with the program, and so may"
    if gate.question(plugin for plugin in TABLE.plugins.values() if plugin.waiting) is None:
        return "it is trusted, and so may"
    return f"it is not trusted. Until it is (listening-post trust {one_line(str(path))}), nothing of this happens:"


def _line(ask: Ask) -> str:
    return f"  {ask.kind:5} {ask}"
