"""Every action of the window, in one table: text, shortcut, tip, icon, and where its menu is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QAction, QMainWindow, QWidget

from ui.looks.icons import icon


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
    Spec("open_showcase", "File", "Open the s&howcase", "Open a service of each kind, to copy from"),
    "File-",
    Spec("export", "File", "&Export…", "Write events to pcapng, HAR, JSON lines or CSV", "Ctrl+Shift+E"),
    "File-",
    Spec("open_capture", "File", "Open &capture…", "Read another capture in a window of its own", "Ctrl+Alt+O"),
    Spec("save_capture_as", "File", "Save ca&pture as…", "A copy: all, without payloads, or redacted", "Ctrl+Alt+S"),
    Spec("capture", "File", "Cap&ture…", "Where it is, how large it may become, how long captures are kept"),
    "File-",
    Spec("quit", "File", "&Quit", "Stop the services, store everything, leave", "Ctrl+Q"),
    Spec("copy_rows", "Edit", "&Copy rows", "Copy the selected events as text", "Ctrl+C", "copy"),
    Spec("copy_payload", "Edit", "Copy &payload", "Copy the payload of the current event", "Ctrl+Shift+C", "copy"),
    "Edit-",
    Spec("copy_curl", "Edit", "Copy as c&url", "Copy the request as a line for a shell", "Ctrl+Alt+C"),
    Spec("copy_python", "Edit", "Copy as P&ython", "Copy the request as a Python program", "Ctrl+Alt+P"),
    Spec("copy_exchange", "Edit", "Copy request and ans&wer", "Copy both as text, bodies decoded", "Ctrl+Alt+R"),
    "Edit-",
    Spec("select_all", "Edit", "Select &all", "Select all events of the pane", "Ctrl+A"),
    "Edit-",
    Spec("filter", "Edit", "&Filter", "Show only events that contain a text", "Ctrl+F", "filter"),
    "Edit-",
    Spec("note", "Edit", "&Note…", "Write something on the selected rows, or colour them", "Ctrl+I", "pencil"),
    Spec("notes", "Edit", "Show all n&otes", "Show only rows that have a note or a colour", "Ctrl+Shift+I"),
    "Edit-",
    Spec("palette", "Edit", "Find a comman&d…", "Every action, service and pane by its name", "Ctrl+K", "search"),
    Spec("settings", "Edit", "S&ettings…", "Theme, fonts, times, captures, new services", "Ctrl+,"),
    Spec("start_all", "Services", "&Start all", "Start every service", "Ctrl+R", "play"),
    Spec("stop_all", "Services", "S&top all", "Stop every service", "Ctrl+Shift+R", "stop"),
    "Services-",
    Spec("toggle_service", "Services", "Start &or stop", "Start or stop the selected service", "F5"),
    Spec("new_service", "Services", "&New service…", "Add a service", "Ctrl+N", "plus"),
    Spec("edit_service", "Services", "&Edit…", "Change the selected service", "Ctrl+E", "pencil"),
    Spec("duplicate_service", "Services", "&Duplicate…", "Add a service like the selected one", "Ctrl+D", "duplicate"),
    Spec("remove_service", "Services", "&Remove", "Stop the selected service and take it away", "Ctrl+Del", "trash"),
    "Services-",
    Spec("send_message", "Services", "Send a &message", "Show or hide the send dock", "Ctrl+M", "send"),
    Spec("send_to_service", "Services", "Send to t&his service", "Write to the selected service", "Ctrl+Shift+M"),
    Spec("mock_exchange", "Services", "Answer this by a moc&k…", "Add a mock with the current answer", "Ctrl+Alt+M"),
    Spec("connect_lines", "Services", "Ho&w to connect…", "Addresses and lines to paste into a shell", "Ctrl+H"),
    "Services-",
    Spec("send", "Services", "Send to &connection…", "Send bytes to the selected connection", "Ctrl+Return", "send"),
    Spec("disconnect", "Services", "D&isconnect", "Close the selected connection", "Ctrl+Backspace", "disconnect"),
    Spec("follow", "View", "&Follow tail", "Keep the newest event in view, or stay here", "Ctrl+T", "follow", True),
    Spec("clear", "View", "&Clear view", "Show only what comes from now on; the capture keeps all", "Ctrl+L", "clear"),
    Spec("show_all", "View", "Show &everything again", "Undo Clear view", "Ctrl+Shift+L"),
    "View-",
    Spec("next_pane", "View", "&Next pane", "Show the pane to the right", "Ctrl+PgDown"),
    Spec("previous_pane", "View", "&Previous pane", "Show the pane to the left", "Ctrl+PgUp"),
    Spec("conversations", "View", "Con&versations", "Show all connections, past and present", "Ctrl+Shift+O"),
    "View-",
    Spec("follow_stream", "View", "Follow st&ream", "Show all that passed on the connection", "Ctrl+Alt+F"),
    Spec("http", "View", "&HTTP", "Show HTTP exchanges, one a row", "Ctrl+Shift+H"),
    Spec("failures", "View", "Fai&lures", "Show the Failures pane", "Ctrl+Shift+F", "failure"),
    Spec("resolve_group", "View", "&Mark as resolved", "Settle the selected group of failures", "Ctrl+G", "check"),
    Spec("reopen_group", "View", "Re&open", "The selected group of failures is not settled", "Ctrl+Shift+G", "again"),
    Spec("send_again", "View", "Send those &bytes again", "Send what caused it once more", "Ctrl+Shift+Return", "send"),
    Spec("save_report", "View", "&Save report…", "Save it for a bug tracker, without secrets", "Ctrl+Shift+B", "save"),
    Spec("copy_report", "View", "Cop&y report", "Copy it for a bug tracker, without secrets", "Ctrl+B", "copy"),
    "View-",
    Spec("start_page", "View", "S&tart page", "Show what to begin with", "Alt+Home"),
    Spec("theme", "View", "Li&ght or dark", "Change between light and dark", "Ctrl+Shift+T", "moon"),
    Spec("trust", "Help", "&Trust our certificates…", "How clients can be made to trust services with TLS"),
    "Help-",
    Spec("about", "Help", "&About Listening Post", "Version, licence and where the files are"),
)


_SERVICE = "Select a service first"
_CONNECTION = "Select a live connection first"
_EXCHANGE = "Select an HTTP exchange first"
_GROUP = "Select a group of failures first"

NEEDS: dict[str, str] = {
    "note": "Select an event first",
    "copy_payload": "Select an event with a payload first",
    **dict.fromkeys(("copy_curl", "copy_python", "copy_exchange", "mock_exchange"), _EXCHANGE),
    "start_all": "There is no service that is down",
    "stop_all": "There is no service that is up",
    **dict.fromkeys(("toggle_service", "edit_service", "duplicate_service", "remove_service"), _SERVICE),
    **dict.fromkeys(("send_to_service", "connect_lines"), _SERVICE),
    **dict.fromkeys(("send", "disconnect"), _CONNECTION),
    "follow_stream": "Select a connection, or an event of one, first",
    **dict.fromkeys(("resolve_group", "reopen_group"), _GROUP),
    "send_again": "Select a failure whose bytes were kept first",
    **dict.fromkeys(("save_report", "copy_report"), "Select a failure first"),
}
"""What an action waits for while it is disabled."""


def _picked(*names: str) -> Iterator[Spec | str]:
    """Those of the window's actions, and separators."""
    by_name = {spec.name: spec for spec in SPECS if isinstance(spec, Spec)}
    return (by_name.get(name, name) for name in names)


CAPTURE_SPECS: tuple[Spec | str, ...] = (
    *_picked("open_capture", "save_capture_as", "export", "File-"),
    Spec("close_window", "File", "&Close", "Close this window", "Ctrl+W"),
    *_picked("copy_rows", "copy_payload", "select_all", "Edit-", "filter", "Edit-", "note", "notes"),
    *_picked("next_pane", "previous_pane", "View-", "conversations", "follow_stream", "http", "failures"),
)
"""The actions of a window on an opened capture."""


def build(
    window: QMainWindow, handler: Callable[[str], Callable[[], object]], specs: tuple[Spec | str, ...] = SPECS
) -> dict[str, QAction]:
    """Make the actions, their menus and shortcuts. ``handler(name)`` gives what each does."""
    actions: dict[str, QAction] = {}
    names = dict.fromkeys(spec.menu for spec in specs if isinstance(spec, Spec))
    menus = {name: window.menuBar().addMenu(f"&{name}") for name in names}
    for spec in specs:
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
