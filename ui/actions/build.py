"""Makes the ``QAction`` of each declared action of a window, its menus and its context menus."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any

from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QAction, QMainWindow, QMenu, QWidget

from ui.actions.action import Action, Place, Situation, menu_title, shown
from ui.actions.table import ACTIONS
from ui.actions.text_keys import TextKeys
from ui.looks.icons import icon


def standing_in(place: Place) -> list[list[Action]]:
    """The actions of a place, group by group."""

    def group(action: Action) -> int:
        return action.groups[place]

    found = sorted((action for action in ACTIONS if place in action.groups), key=group)
    return [list(actions) for _, actions in groupby(found, key=group)]


class Actions(Mapping[str, QAction]):
    """The actions of one window, by name, in the order of its menus.

    They are made with the menu bar, so that widgets can offer them. What they do is given by ``connect``
    once there is something to act on.

    Attributes:
        declared: the declaration of each action, by name and in the same order.
    """

    def __init__(self, window: QMainWindow, place: Place) -> None:
        """``place`` is the menu bar of the window."""
        self._window = window
        in_place = standing_in(place)
        menus = dict.fromkeys(action.menu for action in ACTIONS if place in action.groups)
        self.declared: dict[str, Action] = {}
        self._made: dict[str, QAction] = {}
        for title in menus:
            menu = window.menuBar().addMenu(menu_title(title))
            for group in in_place:
                of_menu = [action for action in group if action.menu == title]
                if of_menu and not menu.isEmpty():
                    menu.addSeparator()
                for action in of_menu:
                    self.declared[action.name] = action
                    self._made[action.name] = made = _make(action, window)
                    menu.addAction(made)
        self._keys = TextKeys(window, [made for name, made in self._made.items() if self.declared[name].destroys])

    def __getitem__(self, name: str) -> QAction:
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)

    def connect(self, *commands: object) -> None:
        """Connect each action to the method of its name, which exactly one of ``commands`` has."""
        for name, action in self._made.items():
            methods = [getattr(one, name) for one in commands if hasattr(one, name)]
            if len(methods) != 1:
                raise TypeError(f"{len(methods)} of the command classes have a method {name}")
            [method] = methods
            action.triggered.connect(lambda _=False, method=method: method())

    def keep(self, name: str, target: QWidget, elsewhere: Callable[[], object]) -> None:
        """Let the shortcut of an action work only while ``target`` has the keyboard; else call ``elsewhere``."""
        self._keys.keep(self._made[name], target, elsewhere)

    def say_why(self, say: Callable[[str], object]) -> None:
        """Have ``say(words)`` called when the shortcut of an action is pressed that cannot be done now."""
        for name, made in self._made.items():
            self._keys.say_why(made, lambda name=name: say(self.why_disabled(name)))  # type: ignore[misc]

    def follow(self, changed: Any, situation: Callable[[], Situation]) -> None:
        """Update the actions now, and whenever the signal ``changed`` is emitted."""
        changed.connect(lambda: self.update(situation()))
        self.update(situation())

    def update(self, now: Situation) -> None:
        """Enable and check the actions as their declarations say."""
        for name, action in self.declared.items():
            self._made[name].setEnabled(action.enabled.holds(now))
            if action.checked is not None:
                self._made[name].setChecked(action.checked(now))
            if action.named is not None:
                self._made[name].setText(action.named(now))

    def why_disabled(self, name: str) -> str:
        """Why an action is disabled now, for the user; "" if it is enabled."""
        return "" if self._made[name].isEnabled() else shown(self.declared[name].enabled.reason)

    def fill(self, menu: QMenu, place: Place, leave_out: tuple[str, ...] = ()) -> None:
        """Add the actions of a context menu to ``menu``, with a separator between groups."""
        first = True
        for group in standing_in(place):
            shown = [action for action in group if action.name not in leave_out and self._is_shown(action)]
            if shown and not first:
                menu.addSeparator()
            for action in shown:
                menu.addAction(self._made[action.name])
                first = False

    def _is_shown(self, action: Action) -> bool:
        made = self._made.get(action.name)
        return made is not None and (made.isEnabled() or not action.hidden_while_disabled)

    def popup(self, place: Place, at: QPoint) -> None:
        """Show the context menu of a place. ``at`` is a global position."""
        menu = QMenu(self._window)
        self.fill(menu, place)
        show(menu, at)


def show(menu: QMenu, at: QPoint) -> None:
    """Show a context menu at a global position, and delete it when it is closed."""
    menu.setAttribute(Qt.WA_DeleteOnClose)
    menu.popup(at)


def _make(action: Action, window: QMainWindow) -> QAction:
    made = QAction(shown(action.text), window)
    made.setObjectName(action.name)
    if action.icon:
        made.setIcon(icon(action.icon))
    if action.keys:
        made.setShortcuts([QKeySequence(keys) for keys in (action.keys, action.more_keys) if keys])
    keys = f" ({made.shortcut().toString(QKeySequence.NativeText)})" if action.keys else ""
    made.setToolTip(f"{shown(action.tip)}{keys}")
    made.setStatusTip("")
    made.setCheckable(action.checked is not None)
    made.setShortcutContext(Qt.WindowShortcut)
    return made
