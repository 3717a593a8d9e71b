"""F1: opens the manual at the page for what has the focus, in every window of the program."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QApplication, QShortcut, QWidget

from ui.manual.pages import Manual
from ui.manual.places import explained_by
from ui.parts.fitting import fit

if TYPE_CHECKING:
    from ui.manual.window import ManualWindow

_HAS_KEY = "opens the manual"


class Help(QObject):
    """Opens the window of the manual, the first time it is asked for.

    Attributes:
        window: None until then.
    """

    def __init__(self, say: Callable[[str], object], main: QWidget) -> None:
        """``say`` shows what went wrong; ``main`` is the main window, which has the key as an action."""
        super().__init__(main)
        self._say, self._main = say, main
        self.window: ManualWindow | None = None
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self._on_focus)

    def open(self, place: str = "") -> None:
        """Open the manual at a place of it; by default at the page for what has the focus."""
        place = place or explained_by(QApplication.focusWidget())
        if self.window is None:
            from ui.manual.window import ManualWindow

            try:
                self.window = ManualWindow(Manual())
            except OSError as e:
                self._say(self.tr("The manual cannot be read: {why}").format(why=e))
                return
            fit(self.window, self._main.screen())
        self.window.open(place)
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()

    def close(self) -> None:
        """Close the window of the manual: the program ends."""
        if self.window is not None:
            self.window.close()
            self.window.deleteLater()
            self.window = None

    def _on_focus(self, _: QWidget | None, now: QWidget | None) -> None:
        # A shortcut of the main window reaches neither other windows nor dialogs above it.
        window = now and now.window()
        if window is not None and window is not self._main and not window.property(_HAS_KEY):
            window.setProperty(_HAS_KEY, True)
            QShortcut(QKeySequence(QKeySequence.HelpContents), window, self.open)
