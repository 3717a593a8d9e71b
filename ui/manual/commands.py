"""What the actions of the menu Help on the manual do. Each method has the name of its action."""

from __future__ import annotations

from ui.manual.help import Help


class ManualCommands:
    """Opens the manual, and two pages of it."""

    def __init__(self, help: Help) -> None:
        self._help = help

    def manual(self) -> None:
        self._help.open()

    def shortcuts(self) -> None:
        self._help.open("shortcuts")

    def whats_new(self) -> None:
        self._help.open("new")
