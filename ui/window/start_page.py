"""The start page: what to begin with. It stands in the place of the panes while they have nothing to show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from PyQt5.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QSize, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QKeyEvent, QResizeEvent
from PyQt5.QtWidgets import (
    QAction,
    QBoxLayout,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ui.forms.form import Wrapped
from ui.looks import theme
from ui.looks.icons import icon
from ui.parts.line import Line
from ui.services.templates import TEMPLATES
from ui.settings import Settings
from ui.window.workspace_files import WorkspaceFiles

MAX_RECENT = 5
WIDTH, NARROW = 860, 640
"""Pixels that the page takes at the most, and below which it has one column, with letters of the usual size."""


translated = QCoreApplication.translate

OFFERS = (
    ("new_service", "plus", QT_TRANSLATE_NOOP("StartPage", "New service…"),
     QT_TRANSLATE_NOOP("StartPage", "Any protocol, and any way to answer")),
    ("run_program", "bolt", QT_TRANSLATE_NOOP("StartPage", "Run a Twisted program…"),
     QT_TRANSLATE_NOOP("StartPage", "See what it does on the network")),
    ("open_workspace", "folder-open", QT_TRANSLATE_NOOP("StartPage", "Open a workspace…"),
     QT_TRANSLATE_NOOP("StartPage", "A file with services, rules and messages")),
    ("open_capture", "search", QT_TRANSLATE_NOOP("StartPage", "Open a capture…"),
     QT_TRANSLATE_NOOP("StartPage", "Read a saved capture")),
    ("open_demo", "play", QT_TRANSLATE_NOOP("StartPage", "Open the demo"),
     QT_TRANSLATE_NOOP("StartPage", "Four example services")),
    ("open_showcase", "duplicate", QT_TRANSLATE_NOOP("StartPage", "Open the showcase"),
     QT_TRANSLATE_NOOP("StartPage", "A service of each kind, to copy from")),
)  # fmt: skip
"""Actions of the window: name, icon, title, what it does."""

HELP = (
    ("manual", "book", QT_TRANSLATE_NOOP("StartPage", "Manual"),
     QT_TRANSLATE_NOOP("StartPage", "A page for each task; needs no network")),
    ("whats_new", "bookmark", QT_TRANSLATE_NOOP("StartPage", "What is new"),
     QT_TRANSLATE_NOOP("StartPage", "What has changed in this version")),
    ("shortcuts", "keyboard", QT_TRANSLATE_NOOP("StartPage", "Keyboard shortcuts"),
     QT_TRANSLATE_NOOP("StartPage", "Every key on one page")),
)  # fmt: skip
"""Actions that are offered if the window has them."""


class StartPage(QScrollArea):
    """Offers what one can do first: an example, services to begin with, files, help.

    Signals:
        left(): the panes are wanted instead.
        try_wanted(): the example is wanted.
        template_wanted: the name of a template.
    """

    left = pyqtSignal()
    try_wanted = pyqtSignal()
    template_wanted = pyqtSignal(str)

    def __init__(
        self, actions: Mapping[str, QAction], files: WorkspaceFiles, settings: Settings, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._files, self._settings = files, settings
        self.setProperty("surface", "panel")
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.NoFocus)
        self.setAccessibleName(self.tr("Start page"))
        self.try_it = QPushButton(self.tr("&Try it"))
        self.try_it.setProperty("primary", True)
        self.try_it.setAutoDefault(True)
        self.try_it.clicked.connect(self.try_wanted)
        self.templates = {
            name: Offer(one.icon, translated("Templates", one.title), translated("Templates", one.words),
                        partial(self.template_wanted.emit, name))
            for name, one in TEMPLATES.items()
        }  # fmt: skip
        self.offers = {
            name: Offer(picture, translated("StartPage", title), translated("StartPage", words), actions[name].trigger,
                        actions[name].shortcut().toString())
            for name, picture, title, words in (*OFFERS, *HELP)
            if name in actions
        }  # fmt: skip
        self._columns = QBoxLayout(QBoxLayout.LeftToRight)
        self._columns.setSpacing(24)
        self._recent = QVBoxLayout()
        self._recent.setSpacing(0)
        self.recent: list[Offer] = []
        self._recent_title = _heading(self.tr("RECENT"), 16)
        self.setWidget(self._whole())
        files.changed.connect(self._show_recent)
        self._show_recent()

    def _whole(self) -> QWidget:
        offers = self.offers
        left = _column(
            _heading(self.tr("BEGIN WITH")), *self.templates.values(), offers["new_service"], offers["run_program"],
            self._recent_title, self._recent,
        )  # fmt: skip
        right = _column(
            _heading(self.tr("OPEN")), *(offers[name] for name, *_ in OFFERS[2:]),
            _heading(self.tr("HELP"), 16), *(offers[name] for name, *_ in HELP if name in offers),
        )  # fmt: skip
        self.panes = QPushButton(self.tr("Show the panes"))
        self.panes.setToolTip(self.tr("Show the panes of events instead of this page (Esc)"))
        self.panes.setAutoDefault(False)
        self.panes.clicked.connect(self.left)
        hint = QLabel(self.tr("Ctrl+K finds every command."))
        hint.setProperty("role", "dim")
        hint.setContentsMargins(12, 0, 0, 0)
        foot = QHBoxLayout()
        foot.addWidget(hint)
        foot.addStretch()
        foot.addWidget(self.panes)
        whole = QWidget(self.viewport())
        whole.setProperty("surface", "panel")
        inner = QWidget(whole)
        self._inner = inner
        self._measure()
        theme.notifier.fonts_changed.connect(self._measure)
        grid = QGridLayout(inner)
        grid.setContentsMargins(24, 16, 24, 16)
        grid.setVerticalSpacing(16)
        grid.addLayout(_title(), 0, 0)
        grid.addWidget(self._example(), 1, 0)
        self._columns.addLayout(left, 1)
        self._columns.addLayout(right, 1)
        grid.addLayout(self._columns, 2, 0)
        grid.addLayout(foot, 3, 0)
        row = QHBoxLayout(whole)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(inner, 1, Qt.AlignVCenter)
        return whole

    def _example(self) -> QFrame:
        """The example: what it does, and the button."""
        title = QLabel(self.tr("See it work"))
        title.setProperty("role", "offer")
        words = Wrapped(
            self.tr(
                "Starts a TCP echo service on this machine, sends hello to it, and shows the answer and "
                "all bytes in the log."
            )
        )
        words.setProperty("role", "dim")
        lines = QVBoxLayout()
        lines.setSpacing(4)
        lines.addWidget(title)
        lines.addWidget(words)
        card = QFrame()
        card.setProperty("surface", "card")
        row = QHBoxLayout(card)
        row.setContentsMargins(16, 12, 16, 12)
        row.setSpacing(16)
        row.addLayout(lines, 1)
        row.addWidget(self.try_it)
        return card

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """Both columns beside each other while there is room for them."""
        narrow = self.viewport().width() < theme.scaled(NARROW)
        self._columns.setDirection(QBoxLayout.TopToBottom if narrow else QBoxLayout.LeftToRight)

    @pyqtSlot()
    def _measure(self) -> None:
        self._inner.setMaximumWidth(theme.scaled(WIDTH))
        self._arrange()

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
        """Give the focus to the example."""
        self.try_it.setFocus(Qt.OtherFocusReason)

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
        self.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Preferred)
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
        lines.setSpacing(0)
        lines.addWidget(name)
        lines.addWidget(help_)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 12, 8)
        row.setSpacing(12)
        self._picture, self._mark = picture, QLabel()
        if picture:
            row.addWidget(self._mark)
            self._paint_mark()
            theme.notifier.changed.connect(self._paint_mark)
        row.addLayout(lines, 1)
        for label in self.findChildren(QLabel):
            label.setAttribute(Qt.WA_TransparentForMouseEvents)
            label.setTextFormat(Qt.PlainText)

    @pyqtSlot()
    def _paint_mark(self, *_: object) -> None:
        side = theme.scaled(18)
        self._mark.setFixedWidth(side)
        self._mark.setPixmap(icon(self._picture, "accent").pixmap(QSize(side, side)))

    def sizeHint(self) -> QSize:
        return self.layout().sizeHint()

    def minimumSizeHint(self) -> QSize:
        return self.layout().minimumSize()


def _heading(text: str, above: int = 0) -> QLabel:
    """A heading, with so many pixels above it."""
    label = QLabel(text)
    label.setProperty("role", "heading")
    label.setContentsMargins(12, above, 0, 4)
    return label


def _column(*parts: QWidget | QLayout) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(0)
    for part in parts:
        if isinstance(part, QLayout):
            column.addLayout(part)
        else:
            column.addWidget(part)
    column.addStretch()
    return column


def _title() -> QHBoxLayout:
    mark = QLabel()
    mark.setPixmap(icon("listening-post").pixmap(QSize(56, 56)))
    name = QLabel("Listening Post")
    name.setProperty("role", "title")
    words = Wrapped(
        QCoreApplication.translate("StartPage", "Every server a desk needs, and everything that reaches it.")
    )
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
