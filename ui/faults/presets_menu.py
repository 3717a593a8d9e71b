"""The menu of networks, each with its figures."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtWidgets import QMenu, QWidget

from app.faults import presets
from app.faults.presets import Preset
from ui.faults.words import translate
from ui.looks.declared import in_words
from ui.parts.labels import plain, unmarked


def fill(menu: QMenu, protocol: str, choose: Callable[[Preset | None], object]) -> None:
    """Put the networks that mean anything on ``protocol`` into ``menu``, and one entry that takes them away."""
    menu.clear()
    menu.setToolTipsVisible(True)
    for preset in presets.fitting(protocol):
        action = menu.addAction(unmarked(f"{in_words(preset.title)}: {preset.figures}"))
        action.setToolTip(plain(in_words(preset.help)))
        action.triggered.connect(lambda _=False, preset=preset: choose(preset))
    menu.addSeparator()
    menu.addAction(translate("As it is: take these faults away")).triggered.connect(lambda _=False: choose(None))


def menu_of(parent: QWidget, protocol: Callable[[], str], choose: Callable[[Preset | None], object]) -> QMenu:
    """A menu that is filled when it is shown."""
    menu = QMenu(parent)
    menu.aboutToShow.connect(lambda: fill(menu, protocol(), choose))
    return menu
