"""What the actions on the workspace and on the window itself do. Each method has the name of its action."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtWidgets import QApplication, QMainWindow

from app.metrics.serving import MetricsServer
from app.post import Post
from ui.edits import Edits
from ui.looks import theme
from ui.settings import Settings
from ui.window import about
from ui.window.middle import Middle
from ui.window.palette import Palette
from ui.window.workspace_files import WorkspaceFiles


class WindowCommands:
    """Acts on the workspace, the settings, the palette, the start page and the window."""

    def __init__(
        self,
        post: Post,
        edits: Edits,
        settings: Settings,
        files: WorkspaceFiles,
        middle: Middle,
        palette: Palette,
        window: QMainWindow,
        capture_settings: Callable[[], object],
        metrics: MetricsServer,
    ) -> None:
        """``capture_settings`` shows the dialog about how long captures are kept."""
        self._post, self._edits, self._settings, self._window = post, edits, settings, window
        self._files, self._middle, self._palette = files, middle, palette
        self._capture_settings, self._metrics = capture_settings, metrics

    def new_workspace(self) -> None:
        self._files.new()

    def open_workspace(self) -> None:
        self._files.open()

    def save_workspace(self) -> None:
        self._files.save()

    def save_workspace_as(self) -> None:
        self._files.save_as()

    def open_showcase(self) -> None:
        self._files.open_showcase()

    def open_demo(self) -> None:
        self._files.open_demo()

    def quit(self) -> None:
        self._window.close()

    def undo(self) -> None:
        self._window.statusBar().clearMessage()  # what it says of the last step is over
        self._edits.undo()

    def redo(self) -> None:
        self._window.statusBar().clearMessage()
        self._edits.redo()

    def palette(self) -> None:
        self._palette.show_entries()

    def settings(self) -> None:
        from ui.settings_dialog import SettingsDialog

        SettingsDialog(self._settings, self._capture_settings, self._metrics, self._window).open()

    def start_page(self) -> None:
        self._middle.show_start_page()

    def theme(self) -> None:
        chosen = theme.LIGHT if theme.current() is theme.DARK else theme.DARK
        self._settings.theme = chosen.name
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        self._settings.apply(application)

    def about(self) -> None:
        about.show(self._window, self._post)
