"""Every action of the window, in one table: text, shortcut, tip, icon, and where its menu is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QAction, QMainWindow, QWidget

from ui.icons import icon


@dataclass(frozen=True, slots=True)
class Spec:
    """One action; its shortcut works everywhere in the window."""

    name: str
    menu: str
    text: str
    tip: str
    keys: str = ""
    icon: str = ""
    checkable: bool = False


SEPARATOR = "-"

SPECS: tuple[Spec | str, ...] = (
    Spec("new_workspace", "File", "&New workspace", "Begin with no services", "Ctrl+Shift+N", "new-file"),
    Spec("open_workspace", "File", "&Open workspace…", "Open another set of services", "Ctrl+O", "folder-open"),
    Spec("save_workspace", "File", "&Save workspace", "Save the services to their file", "Ctrl+S", "save"),
    Spec("save_workspace_as", "File", "Save workspace &as…", "Save the services to another file", "Ctrl+Shift+S"),
    Spec("open_demo", "File", "Open the &demo", "Open four services to try things with"),
    "File-",
    Spec("quit", "File", "&Quit", "Stop the services, store everything, leave", "Ctrl+Q"),
    Spec("copy_rows", "Edit", "&Copy rows", "Copy the selected events as text", "Ctrl+C", "copy"),
    Spec("copy_payload", "Edit", "Copy &payload", "Copy the payload of the current event", "Ctrl+Shift+C", "copy"),
    Spec("select_all", "Edit", "Select &all", "Select all events of the pane", "Ctrl+A"),
    "Edit-",
    Spec("filter", "Edit", "&Filter", "Show only events that contain a text", "Ctrl+F", "filter"),
    Spec("start_all", "Services", "&Start all", "Start every service", "Ctrl+R", "play"),
    Spec("stop_all", "Services", "S&top all", "Stop every service", "Ctrl+Shift+R", "stop"),
    "Services-",
    Spec("toggle_service", "Services", "Start &or stop", "Start or stop the selected service", "F5"),
    Spec("new_service", "Services", "&New service…", "Add a service", "Ctrl+N", "plus"),
    Spec("edit_service", "Services", "&Edit…", "Change the selected service", "Ctrl+E", "pencil"),
    Spec("duplicate_service", "Services", "&Duplicate…", "Add a service like the selected one", "Ctrl+D", "duplicate"),
    Spec("remove_service", "Services", "&Remove", "Stop the selected service and take it away", "Ctrl+Del", "trash"),
    "Services-",
    Spec("send", "Services", "Send to &connection…", "Send bytes to the selected connection", "Ctrl+Return", "send"),
    Spec("disconnect", "Services", "D&isconnect", "Close the selected connection", "Ctrl+Backspace", "disconnect"),
    Spec("follow", "View", "&Follow tail", "Keep the newest event in view, or stay here", "Ctrl+T", "follow", True),
    Spec("clear", "View", "&Clear view", "Show only what comes from now on; the capture keeps all", "Ctrl+L", "clear"),
    Spec("show_all", "View", "Show &everything again", "Undo Clear view", "Ctrl+Shift+L"),
    "View-",
    Spec("next_pane", "View", "&Next pane", "Show the pane to the right", "Ctrl+PgDown"),
    Spec("previous_pane", "View", "&Previous pane", "Show the pane to the left", "Ctrl+PgUp"),
    Spec("failures", "View", "Fai&lures", "Show the Failures pane", "Ctrl+Shift+F", "failure"),
    "View-",
    Spec("theme", "View", "Li&ght or dark", "Change between light and dark", "Ctrl+Shift+T", "moon"),
    Spec("about", "Help", "&About Listening Post", "Version, licence and where the files are"),
)


def build(window: QMainWindow, handler: Callable[[str], Callable[[], object]]) -> dict[str, QAction]:
    """Make the actions, their menus and shortcuts. ``handler(name)`` gives what each does."""
    actions: dict[str, QAction] = {}
    menus = {name: window.menuBar().addMenu(f"&{name}") for name in ("File", "Edit", "Services", "View", "Help")}
    for spec in SPECS:
        if isinstance(spec, str):
            menus[spec.rstrip(SEPARATOR)].addSeparator()
            continue
        action = QAction(spec.text, window)
        action.setObjectName(spec.name)
        if spec.icon:
            action.setIcon(icon(spec.icon))
        if spec.keys:
            action.setShortcut(QKeySequence(spec.keys))
        keys = f" ({action.shortcut().toString(QKeySequence.NativeText)})" if spec.keys else ""
        action.setToolTip(f"{spec.tip}{keys}")
        action.setStatusTip("")
        action.setCheckable(spec.checkable)
        action.setShortcutContext(Qt.WindowShortcut)
        call = handler(spec.name)
        action.triggered.connect(lambda _=False, call=call: call())
        menus[spec.menu].addAction(action)
        actions[spec.name] = action
    return actions


def unmarked(text: str) -> str:
    """``text`` for a tab or a menu, where & would underline the letter behind it."""
    return text.replace("&", "&&")


def plain(text: str) -> str:
    """``text`` for a tooltip, where < could begin a tag."""
    return f"<span>{escape(text)}</span>"


def mark_accessible(widget: QWidget, name: str, description: str) -> None:
    """Name a control for screen readers."""
    widget.setAccessibleName(name)
    widget.setAccessibleDescription(description)
