"""What one declaration of an action consists of. The declarations are in ``ui/actions/table.py``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from PyQt5.QtCore import QCoreApplication

from app.capture.reading.groups import Group
from app.events import Event


def shown(text: str) -> str:
    """A text of the table of actions as the window shows it: translated, if there is a translation.

    The table has plain texts, which a translator's list takes from there.
    """
    return QCoreApplication.translate("actions", text)


MNEMONICS = {"Faults": "Fa&ults"}
"""Menus whose first letter is another's mnemonic."""


def menu_title(menu: str) -> str:
    """The title of a menu of the menu bar, with its mnemonic."""
    return shown(MNEMONICS.get(menu, f"&{menu}"))


class Place(Enum):
    """A menu bar or a context menu that actions stand in."""

    MAIN = auto()
    """The menu bar of the main window."""
    CAPTURE = auto()
    """The menu bar of the window of an opened capture."""
    SERVICE = auto()
    """The context menu of a service."""
    CONNECTION = auto()
    """The context menu of a live connection."""
    EVENTS = auto()
    """The context menu of the rows of a pane."""
    STRIKES = auto()
    """The menu of what can be done to an open connection, inside the two menus that have one."""
    GROUP = auto()
    """The context menu of a group of failures."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What is selected in a window and what runs. It decides which actions are enabled.

    Attributes:
        service: whether a service is selected, a hosted program, or one of its ports.
        own: whether that is a service of the workspace, which can be changed and copied.
        port: whether it is a service, or a port of a program: what listens, or connects, and can fail.
        reachable: whether a client can reach it.
        connection: whether a live connection is selected.
        stopped, running: whether there is a service that is down or on its way down, or one that is up.
        event: the current event of the pane in view.
        stream: whether a connection whose stream can be shown is selected, or an event of one.
        group: the selected group of failures, if the Failures pane is in view.
        can_resend: whether the bytes that caused the current failure can be sent again.
        following: whether the pane in view follows the newest event.
        read_only: whether the window shows an opened capture, which nothing can change.
        compact: whether the list of services has one line for each.
        paused: whether the capture is paused.
        undo, redo: the changes of the workspace that can be undone and redone next, in words; "" if there is none.
        page: whether the page of a service is in view.
        seeded: whether the selected service has faults, and a seed by which they draw.
        rules: whether the selected service has rules that are counted.
        checks_shown: whether the panes show what passes for checks.
        program: whether a hosted program is selected, or one of its ports; ``alive``: whether it has a process.
        tls: whether the selected service speaks TLS; None if it cannot.
    """

    service: bool = False
    connection: bool = False
    stopped: bool = False
    running: bool = False
    event: Event | None = None
    stream: bool = False
    group: Group | None = None
    can_resend: bool = False
    following: bool = False
    read_only: bool = False
    undo: str = ""
    redo: str = ""
    compact: bool = False
    paused: bool = False
    page: bool = False
    seeded: bool = False
    rules: bool = False
    tls: bool | None = None
    program: bool = False
    alive: bool = False
    checks_shown: bool = False
    own: bool = False
    port: bool = False
    reachable: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """When an action is enabled.

    Attributes:
        reason: what to say while it is disabled.
        holds: whether it is enabled in a situation.
    """

    reason: str
    holds: Callable[[Situation], bool]


ALWAYS = Condition("", lambda now: True)


@dataclass(frozen=True, slots=True)
class Action:
    """One action; its shortcut works everywhere in its windows.

    Attributes:
        name: of the method that does it, and the object name of the ``QAction``.
        menu: title of the menu of the menu bar.
        text, tip: ``text`` has an ampersand before its mnemonic.
        keys: the shortcut, as ``QKeySequence`` reads it. A text that has the keyboard keeps the keys of editing.
        more_keys: another one, for when a text keeps ``keys``.
        icon: a name of ``ui.looks.icons``.
        groups: for each place that has the action, the number of its group there. A separator divides
            two groups. In a group the actions stand in the order of the table.
        enabled: the condition on which it is enabled.
        checked: for an action that is on or off, whether it is on.
        shows_panes: whether it brings the panes back while the start page is in their place.
        hidden_while_disabled: whether context menus leave it out while it is disabled.
        destroys: whether it takes away what may be missed. Its shortcut does nothing while a text has the keyboard, and
            that of one that acts on a list works only in the list.
        named: for an action whose text says what it would act on, the text in a situation.
    """

    name: str
    menu: str
    text: str
    tip: str
    keys: str = ""
    icon: str = ""
    groups: Mapping[Place, int] = field(kw_only=True)
    more_keys: str = ""
    destroys: bool = False
    enabled: Condition = ALWAYS
    checked: Callable[[Situation], bool] | None = None
    shows_panes: bool = False
    hidden_while_disabled: bool = False
    named: Callable[[Situation], str] | None = None
