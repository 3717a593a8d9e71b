"""The button of the toolbar that says whether events are stored, with all that can be done about that."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PyQt5.QtCore import QSize, Qt, QUrl, pyqtSlot
from PyQt5.QtGui import QDesktopServices
from PyQt5.QtWidgets import QAction, QLabel, QMenu, QToolButton, QWidgetAction

from app.post import Post
from app.text.escapes import amount
from ui.bridge import Bridge
from ui.captures.files import CaptureFiles
from ui.forms.form import set_property
from ui.looks import theme
from ui.looks.english import form_of
from ui.looks.icons import icon
from ui.parts import copying
from ui.parts.labels import plain, unmarked

INDENT = 46
"""Pixels before the text of an entry: room for its icon."""

SHOWN = 60
"""Characters of the path in the menu; its end says more than its beginning."""


class CaptureButton(QToolButton):
    """A dot while events are stored, two bars while the capture is paused, a triangle while it cannot be written."""

    def __init__(
        self, post: Post, bridge: Bridge, actions: Mapping[str, QAction], files: CaptureFiles, limit: Callable[[], int]
    ) -> None:
        """``limit()`` is the size limit of captures, in bytes."""
        super().__init__()
        self._post, self._actions, self._files, self._limit = post, actions, files, limit
        self.setToolButtonStyle(Qt.ToolButtonTextBesideIcon)
        self.setPopupMode(QToolButton.InstantPopup)
        self._menu = QMenu(self)
        self._menu.setToolTipsVisible(True)
        self._menu.aboutToShow.connect(self.fill)
        self.setMenu(self._menu)
        bridge.trouble_changed.connect(self.refresh)
        bridge.pause_changed.connect(self.refresh)
        bridge.capture_changed.connect(self.refresh)
        theme.notifier.changed.connect(self.refresh)
        theme.notifier.fonts_changed.connect(self._on_fonts)
        self._on_fonts()
        self.refresh()

    def sizeHint(self) -> QSize:
        # The widest of its texts, so that the filter beside it keeps its width.
        hint = super().sizeHint()
        if self.toolButtonStyle() == Qt.ToolButtonIconOnly:
            return hint
        metrics = self.fontMetrics()
        widest = max(metrics.horizontalAdvance(text) for text in self._texts())
        return QSize(hint.width() - metrics.horizontalAdvance(self.text()) + widest, hint.height())

    @pyqtSlot()
    def _on_fonts(self) -> None:
        self.setIconSize(QSize(theme.scaled(14), theme.scaled(14)))
        self.updateGeometry()

    def _texts(self) -> tuple[str, str, str]:
        return f" {self.tr('Capturing')}", f" {self.tr('Paused')}", f" {self.tr('Not capturing')}"

    @pyqtSlot()
    def refresh(self, *_: object) -> None:
        """Show the state of the capture."""
        recorder = self._post.recorder
        running, paused, failing = self._texts()
        if recorder.trouble:
            state, text, mark, tip = "trouble", failing, icon("warning", "warning"), recorder.trouble.text
        elif recorder.paused:
            tip = self.tr("Paused: events are not stored. Services go on. Click to resume")
            state, text, mark = "paused", paused, icon("pause", "warning")
        else:
            tip = self.tr("Events are stored in {path}").format(path=self._post.capture)
            state, text, mark = "", running, icon("record", "bad")
        self.setText(text)
        self.setIcon(mark)
        self.setToolTip(plain(tip))
        self.setAccessibleName(self.tr("Capture: {state}").format(state=text.strip()))
        set_property(self, "capture", state)

    def fill(self) -> None:
        """Make the menu for the capture of now."""
        menu, actions, post = self._menu, self._actions, self._post
        menu.clear()
        menu.addAction(actions["pause_capture"])
        menu.addAction(actions["new_capture"])
        if self._files.before is not None:
            before = menu.addAction(
                self.tr("Open the capture &before: {name}").format(name=unmarked(self._files.before.name))
            )
            before.triggered.connect(self._files.open_before)
        menu.addSeparator()
        if post.capture is not None:
            self._add_place(menu)
            menu.addSeparator()
        menu.addAction(actions["save_capture_as"])
        settings = menu.addAction(self.tr("Cap&ture settings…"))
        settings.setToolTip(actions["capture"].toolTip())
        settings.triggered.connect(actions["capture"].trigger)

    def _add_place(self, menu: QMenu) -> None:
        path, held, recorder = str(self._post.capture), self._post.recorder.range, self._post.recorder
        shown = path if len(path) <= SHOWN else f"…{path[1 - SHOWN :]}"
        count = max(0, held.last - held.first + 1)
        words = self.tr("{size} of {limit}, {count:,} event(s)", "", form_of(count))
        words = words.format(size=amount(held.bytes), limit=amount(self._limit()), count=count)
        _add_words(menu, shown, path)
        _add_words(menu, words)
        if recorder.not_taken:
            missed = self.tr("{count:,} event(s) not stored during pauses", "", form_of(recorder.not_taken))
            _add_words(menu, missed.format(count=recorder.not_taken))
        copy = menu.addAction(icon("copy"), self.tr("&Copy path of the capture"))
        copied = self.tr("Copied the path of the capture")
        copy.triggered.connect(lambda: copying.copy(path, copied))
        reveal = menu.addAction(icon("folder-open"), self.tr("Open &folder of the capture"))
        reveal.triggered.connect(self._reveal)

    def _reveal(self) -> None:
        if self._post.capture is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._post.capture.parent)))


def _add_words(menu: QMenu, text: str, tip: str = "") -> None:
    """A line that is read, not chosen."""
    label = QLabel(text)
    label.setTextFormat(Qt.PlainText)
    label.setProperty("role", "dim")
    label.setContentsMargins(INDENT, 4, 28, 4)
    label.setToolTip(plain(tip) if tip else "")
    line = QWidgetAction(menu)
    line.setDefaultWidget(label)
    line.setText(unmarked(text))
    menu.addAction(line)
