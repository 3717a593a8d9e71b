"""What the actions on hosted programs do. Each method has the name of its action."""

from __future__ import annotations

from collections.abc import Callable

from ui.programs.actions import ProgramActions


class ProgramsCommands:
    """Acts on the selected program, or on that of the selected port."""

    def __init__(self, actions: ProgramActions, selected: Callable[[], str]) -> None:
        self._actions, self._selected = actions, selected

    def run_program(self) -> None:
        self._actions.run()

    def restart_program(self) -> None:
        self._actions.restart(self._selected())

    def kill_program(self) -> None:
        self._actions.kill(self._selected())
