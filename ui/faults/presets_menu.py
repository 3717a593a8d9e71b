"""The menu of networks, each with its figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt5.QtWidgets import QMenu, QWidget

from app.faults import presets
from app.faults.presets import Preset
from app.options import Options
from ui.faults.words import translate
from ui.looks.declared import in_words
from ui.parts.labels import plain, unmarked


def fill(menu: QMenu, protocol: str, tables: Sequence[Options], choose: Callable[[Preset | None], object]) -> None:
    """Put the networks that mean anything on ``protocol`` into ``menu``, and one entry that takes them away.

    That whose faults are among ``tables`` is marked.
    """
    now = presets.current(tables, protocol)
    menu.clear()
    menu.setToolTipsVisible(True)
    for preset in presets.fitting(protocol):
        action = menu.addAction(unmarked(f"{in_words(preset.title)}: {preset.figures}"))
        action.setToolTip(plain(in_words(preset.help)))
        action.setCheckable(preset is now)  # the others need no empty box: a press chooses one
        action.setChecked(preset is now)
        action.triggered.connect(lambda _=False, preset=preset: choose(preset))
    menu.addSeparator()
    away = menu.addAction(translate("No network: remove these faults"))
    away.setEnabled(tuple(presets.replaced(tables, None, protocol)) != tuple(tables))
    away.triggered.connect(lambda _=False: choose(None))


def menu_of(
    parent: QWidget, service: Callable[[], tuple[str, Sequence[Options]]], choose: Callable[[Preset | None], object]
) -> QMenu:
    """A menu that is filled when it is shown. ``service()`` is the protocol and the faults that it is for."""
    menu = QMenu(parent)
    menu.aboutToShow.connect(lambda: fill(menu, *service(), choose))
    return menu


def with_network(words: str, tables: Sequence[Options], protocol: str) -> str:
    """``words`` and the network that a service of ``protocol`` with these faults behaves as behind, if there is one."""
    now = presets.current(tables, protocol)
    return words if now is None else f"{words}: {in_words(now.title)}"
