"""The entries of the palette: the actions, and what can be done with each service, pane and workspace."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from PyQt5.QtCore import QCoreApplication
from PyQt5.QtGui import QKeySequence

from app.post import Post
from app.services.protocols import PROTOCOLS
from ui.actions.action import menu_title
from ui.actions.build import Actions
from ui.looks.icons import icon
from ui.services.actions import ServiceActions
from ui.settings import Settings
from ui.window.middle import Middle
from ui.window.palette import Entry
from ui.window.workspace_files import WorkspaceFiles


class PaletteEntries:
    """Lists the entries as they are now, those that are disabled included."""

    def __init__(
        self,
        post: Post,
        settings: Settings,
        actions: Actions,
        services: ServiceActions,
        files: WorkspaceFiles,
        middle: Middle,
    ) -> None:
        self._post, self._settings, self._actions = post, settings, actions
        self._services, self._files, self._middle = services, files, middle

    def entries(self) -> Iterator[Entry]:
        """All entries."""
        services, tr = self._services, partial(QCoreApplication.translate, "Palette")
        yield from self._of_actions()
        for at, name in enumerate(self._middle.browser.panes.names()):
            yield Entry(
                f"pane {name}", tr("Go to {name}").format(name=name), tr("Pane"), partial(self._middle.show_pane, at)
            )
        for name, service in self._post.services.items():
            up = service.running
            text = (tr("Stop {name}") if up else tr("Start {name}")).format(name=name)
            toggle = partial(services.toggle, name)
            yield Entry(
                f"edit {name}", tr("Edit {name}").format(name=name), tr("Service"), partial(services.edit, name)
            )
            yield Entry(f"toggle {name}", text, tr("Service"), toggle, icon=icon("stop" if up else "play"), heavy=True)
        for protocol in PROTOCOLS.values():
            create = partial(services.create, protocol.name)
            yield Entry(
                f"new {protocol.name}", tr("New {title} service…").format(title=protocol.title), tr("Service"), create
            )
        for path in self._settings.recent:
            yield Entry(
                f"open {path}",
                tr("Open {name}").format(name=path.name),
                str(path.parent),
                partial(self._files.open_path, path),
            )

    def _of_actions(self) -> Iterator[Entry]:
        for name, declared in self._actions.declared.items():
            if name == "palette":
                continue
            action = self._actions[name]
            yield Entry(
                name,
                re.sub("&(.)", r"\1", action.text()),  # not the declared one: undo names its step, pause becomes resume
                menu_title(declared.menu).replace("&", ""),
                action.trigger,
                action.shortcut().toString(QKeySequence.NativeText),
                self._actions.why_disabled(name),
                icon(declared.icon) if declared.icon else None,
            )
