"""The start page: what to begin with. It stands in the place of the panes while they have nothing to show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from PyQt5.QtCore import QSize, Qt, pyqtSignal
from PyQt5.QtGui import QKeyEvent
from PyQt5.QtWidgets import QAction, QGridLayout, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from ui.looks import theme
from ui.looks.icons import app_icon, icon
from ui.parts.line import Line
from ui.settings import Settings
from ui.window.workspace_files import WorkspaceFiles

MAX_RECENT = 5
WIDTH = 860

OFFERS = (
    ("new_service", "plus", "New service…", "A server that answers as you like"),
    ("open_demo", "play", "Open the demo", "Four servers to try things with"),
    ("open_showcase", "duplicate", "Open the showcase", "A service of each kind, to copy from"),
    ("open_workspace", "folder-open", "Open a workspace…", "Services that were saved before"),
    ("open_capture", "search", "Open a capture…", "Read what was captured before"),
)


class StartPage(QScrollArea):
    """Offers some of the window's actions, and the recent workspaces.

    Signals:
        left(): the panes are wanted instead.
    """

    left = pyqtSignal()

    def __init__(self, actions: Mapping[str, QAction], files: WorkspaceFiles, settings: Settings) -> None:
        super().__init__()
        self._files, self._settings = files, settings
        self.setProperty("surface", "panel")
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.NoFocus)
        self.setAccessibleName("Start page")
        self.offers = {
            name: Offer(picture, title, words, actions[name].trigger, actions[name].shortcut().toString())
            for name, picture, title, words in OFFERS
        }
        self._recent = QVBoxLayout()
        self._recent.setSpacing(2)
        self.recent: list[Offer] = []
        self._recent_title = _heading("RECENT")
        self.setWidget(self._whole())
        files.changed.connect(self._show_recent)
        self._show_recent()

    def _whole(self) -> QWidget:
        begin = QVBoxLayout()
        begin.setSpacing(2)
        begin.addWidget(_heading("BEGIN WITH"))
        for offer in self.offers.values():
            begin.addWidget(offer)
        begin.addStretch()
        recent = QVBoxLayout()
        recent.setSpacing(2)
        recent.addWidget(self._recent_title)
        recent.addLayout(self._recent)
        recent.addStretch()
        self.panes = QPushButton("Show the panes")
        self.panes.setToolTip("They show what happens, from the first event on (Esc)")
        self.panes.setAutoDefault(False)
        self.panes.clicked.connect(self.left)
        hint = QLabel("Ctrl+K finds every command.")
        hint.setProperty("role", "dim")
        hint.setContentsMargins(12, 0, 0, 0)
        foot = QHBoxLayout()
        foot.addWidget(hint)
        foot.addStretch()
        foot.addWidget(self.panes)
        inner = QWidget()
        self._inner = inner
        self._measure()
        theme.notifier.fonts_changed.connect(self._measure)
        grid = QGridLayout(inner)
        grid.setContentsMargins(24, 24, 24, 24)
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(24)
        grid.setColumnStretch(0, 3)
        grid.setColumnStretch(1, 2)
        grid.addLayout(_title(), 0, 0, 1, 2)
        grid.addLayout(begin, 1, 0)
        grid.addLayout(recent, 1, 1)
        grid.addLayout(foot, 2, 0, 1, 2)
        whole = QWidget()
        whole.setProperty("surface", "panel")
        row = QHBoxLayout(whole)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(inner, 1, Qt.AlignVCenter)
        return whole

    def _measure(self) -> None:
        self._inner.setMaximumWidth(WIDTH * theme.notifier.fonts.size // theme.POINTS)

    def _show_recent(self) -> None:
        for old in self.recent:
            self._recent.removeWidget(old)
            old.hide()
            old.deleteLater()
        self.recent = []
        for path in self._settings.recent[:MAX_RECENT]:
            offer = Offer("", path.name, str(path.parent), partial(self._files.open_path, path))
            self.recent.append(offer)
            self._recent.addWidget(offer)
        self._recent_title.setVisible(bool(self.recent))

    def begin(self) -> None:
        """Give the focus to the first offer."""
        self.offers["new_service"].setFocus(Qt.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key_Escape:
            self.left.emit()
        elif event.key() in (Qt.Key_Down, Qt.Key_Up):
            self.focusNextPrevChild(event.key() == Qt.Key_Down)
        else:
            super().keyPressEvent(event)


class Offer(QPushButton):
    """A button with two lines: a title and a description."""

    def __init__(self, picture: str, title: str, words: str, call: Callable[[], object], keys: str = "") -> None:
        super().__init__()
        self.setProperty("offer", True)
        self.setAutoDefault(True)
        self.setAccessibleName(title)
        self.setAccessibleDescription(words)
        self.setToolTip(keys)
        self.clicked.connect(lambda: call())
        name, help_ = Line(), Line()
        name.setText(title)
        name.setProperty("role", "offer")
        help_.setText(words)
        help_.setProperty("role", "dim")
        lines = QVBoxLayout()
        lines.setSpacing(1)
        lines.addWidget(name)
        lines.addWidget(help_)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 12, 8)
        row.setSpacing(14)
        self._picture, self._mark = picture, QLabel()
        if picture:
            self._mark.setFixedWidth(18)
            row.addWidget(self._mark)
            self._paint_mark()
            theme.notifier.changed.connect(self._paint_mark)
        row.addLayout(lines, 1)
        for label in self.findChildren(QLabel):
            label.setAttribute(Qt.WA_TransparentForMouseEvents)
            label.setTextFormat(Qt.PlainText)

    def _paint_mark(self, *_: object) -> None:
        self._mark.setPixmap(icon(self._picture, "accent").pixmap(QSize(18, 18)))

    def sizeHint(self) -> QSize:
        return self.layout().sizeHint()

    def minimumSizeHint(self) -> QSize:
        return self.layout().minimumSize()


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "heading")
    label.setContentsMargins(12, 0, 0, 6)
    return label


def _title() -> QHBoxLayout:
    mark = QLabel()
    mark.setPixmap(app_icon().pixmap(QSize(56, 56)))
    name = QLabel("Listening Post")
    name.setProperty("role", "title")
    words = QLabel("Every server a desk needs, and everything that reaches it.")
    words.setProperty("role", "dim")
    lines = QVBoxLayout()
    lines.setSpacing(2)
    lines.addStretch()
    lines.addWidget(name)
    lines.addWidget(words)
    lines.addStretch()
    row = QHBoxLayout()
    row.setContentsMargins(12, 0, 12, 0)
    row.setSpacing(16)
    row.addWidget(mark)
    row.addLayout(lines, 1)
    return row
