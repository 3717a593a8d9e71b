"""What the palette offers: the actions, and what can be done to each service and pane."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from PyQt5.QtGui import QKeySequence

from app.post import Post
from app.services.protocols import PROTOCOLS
from ui.looks.icons import icon
from ui.parts.actions import NEEDS, SPECS, Spec
from ui.settings import Settings
from ui.window.palette import Entry

if TYPE_CHECKING:
    from ui.window.main_window import MainWindow


def entries(window: MainWindow, post: Post, settings: Settings) -> Iterator[Entry]:
    """Everything that can be done at this moment, and what could be at another."""
    yield from _actions(window)
    for at, name in enumerate(window.panes.names()):
        yield Entry(f"pane {name}", f"Go to {name}", "Pane", partial(window.show_pane, at))
    for name, service in post.services.items():
        up = service.running
        text = f"Stop {name}" if up else f"Start {name}"
        toggle = partial(window.service_actions.toggle, name)
        yield Entry(f"edit {name}", f"Edit {name}…", "Service", partial(window.service_actions.edit, name))
        yield Entry(f"toggle {name}", text, "Service", toggle, icon=icon("stop" if up else "play"), heavy=True)
    for protocol in PROTOCOLS.values():
        create = partial(window.service_actions.create, protocol.name)
        yield Entry(f"new {protocol.name}", f"New {protocol.title} service…", "Service", create)
    for path in settings.recent:
        yield Entry(f"open {path}", f"Open {path.name}", str(path.parent), partial(window.files.open_path, path))


def _actions(window: MainWindow) -> Iterator[Entry]:
    for spec in SPECS:
        if not isinstance(spec, Spec) or spec.name == "palette":
            continue
        action = window.actions_[spec.name]
        why_not = "" if action.isEnabled() else NEEDS.get(spec.name)
        keys = action.shortcut().toString(QKeySequence.NativeText)
        text = spec.text.replace("&", "")
        yield Entry(spec.name, text, spec.menu, action.trigger, keys, why_not, icon(spec.icon) if spec.icon else None)
