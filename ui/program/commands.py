"""What the actions on the program itself do. Each method has the name of its action."""

from __future__ import annotations

from PyQt5.QtWidgets import QWidget

from app.post import Post


class ProgramCommands:
    """Shows the program to itself."""

    def __init__(self, post: Post, window: QWidget) -> None:
        self._post, self._window = post, window

    def program(self) -> None:
        from ui.program.dialog import ProgramDialog

        shown = self._window.findChild(ProgramDialog)
        dialog = shown or ProgramDialog(self._post, self._window)
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()
