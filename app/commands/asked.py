"""The lines that say what a workspace asks for, and whether that is allowed."""

from __future__ import annotations

from collections.abc import Iterator

from app.plugin_loader.table import TABLE
from app.text.escapes import one_line
from app.trust.asks import KINDS, Ask, asks_of, of_plugin
from app.workspace.gate import Gate, is_shipped
from app.workspace.reading import Workspace


def asks(workspace: Workspace) -> list[Ask]:
    """All that the workspace and the plugin files beside it ask for, allowed or not. Blocks."""
    plugins = [of_plugin(plugin.path, [one.name for one in plugin.brings]) for plugin in TABLE.plugins.values()]
    return sorted(
        [*plugins, *asks_of(workspace.services, workspace.folder)], key=lambda ask: KINDS.index(ask.kind)
    )  # fmt: skip


def lines(workspace: Workspace) -> Iterator[str]:
    """What ``check`` and ``trust`` print; nothing for a workspace that asks for nothing. Blocks."""
    asked = asks(workspace)
    if not asked:
        return
    gate = Gate()
    gate.enter(workspace)
    path = workspace.path
    if path is not None and is_shipped(path):
        yield "it comes with the program, and so may"
    elif gate.question(plugin for plugin in TABLE.plugins.values() if plugin.waiting) is None:
        yield "it is trusted, and so may"
    else:
        yield f"it is not trusted. Until it is (listening-post trust {one_line(str(path))}), nothing of this happens:"
    for ask in asked:
        yield f"  {ask.kind:5} {ask}"
