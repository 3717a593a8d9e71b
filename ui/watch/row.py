"""One watch in the dock."""

from __future__ import annotations

from PyQt5.QtCore import QPoint, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QContextMenuEvent, QMouseEvent, QPainter, QPaintEvent
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QVBoxLayout, QWidget

from app.watch.result import Watch
from ui.actions.build import show
from ui.forms.form import set_property
from ui.looks import shapes, theme
from ui.looks.icons import icon
from ui.parts.labels import plain
from ui.parts.line import Line
from ui.parts.small_button import small_button
from ui.watch.course import Course
from ui.watch.words import last_words, state_words, took, uptime_words

WORDS, NARROW_WORDS, NARROW = 62, 40, 125
"""Digits of the width of the words, of the same in a narrow row, and of the width of a row below which it is one."""

LEAST = 16
"""Digits of the width of the words where all else needs the room, as beside another dock."""

FIGURES = 15
"""Digits of the width of the figures."""


class Lamp(QWidget):
    """The state of a watch, by shape and colour."""

    def __init__(self) -> None:
        super().__init__()
        self._shape: shapes.State = "stopped"
        self.setFixedSize(theme.scaled(14), theme.scaled(14))

    def show_watch(self, watch: Watch) -> None:
        """Show its state."""
        shape: shapes.State = "stopped"
        if not (watch.held or watch.paused):
            shape = {"up": "listening", "down": "failed"}.get(watch.state, "stopped")  # type: ignore[assignment]
            if watch.state == "up" and watch.failed_in_row:
                shape = "starting"
        if shape != self._shape:
            self._shape = shape
            self.update()

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def paintEvent(self, event: QPaintEvent) -> None:
        shapes.paint_state(QPainter(self), self.rect(), self._shape, theme.current())


class WatchRow(QFrame):
    """Lamp, name, last words, its course, its figures, and what can be done with it.

    Signals:
        now(), paused(bool), events_wanted(), alert_wanted(), edit_wanted(), removed(): what the user wants.
    """

    now = pyqtSignal()
    paused = pyqtSignal(bool)
    events_wanted = pyqtSignal()
    alert_wanted = pyqtSignal()
    edit_wanted = pyqtSignal()
    removed = pyqtSignal()

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self.watch = watch
        name = watch.config.name
        self.setProperty("row", True)
        self.lamp, self.course = Lamp(), Course()
        self.name, self.target, self.words = QLabel(), Line(), Line()
        self.time, self.uptime = QLabel(), QLabel()
        self.check_now = small_button("again", self.tr("Check {name} now").format(name=name))
        self.pause = small_button("pause", "")
        self.more = small_button("chevron-down", self.tr("More about {name}").format(name=name))
        self._lay_out()
        self.check_now.clicked.connect(self.now)
        self.pause.clicked.connect(lambda: self.paused.emit(not self.watch.paused))
        self.more.clicked.connect(lambda: self._show_menu(self.more.mapToGlobal(self.more.rect().bottomLeft())))
        self.refresh()

    def _lay_out(self) -> None:
        self.name.setTextFormat(Qt.PlainText)
        self.name.setProperty("role", "strong")
        self.target.setProperty("role", "dim")
        self.words.setProperty("role", "dim")
        first = QHBoxLayout()
        first.setSpacing(8)
        first.addWidget(self.name)
        first.addWidget(self.target, 1)
        self._words = QWidget()
        words = QVBoxLayout(self._words)
        words.setContentsMargins(0, 0, 0, 0)
        words.setSpacing(0)
        words.addStretch(1)
        words.addLayout(first)
        words.addWidget(self.words)
        words.addStretch(1)
        self._figures = QWidget()
        figures = QVBoxLayout(self._figures)
        figures.setContentsMargins(0, 0, 0, 0)
        figures.setSpacing(0)
        figures.addStretch(1)
        for label in (self.time, self.uptime):
            label.setAlignment(Qt.AlignRight | Qt.AlignVCenter)
            label.setTextFormat(Qt.PlainText)
            figures.addWidget(label)
        self.uptime.setProperty("role", "dim")
        figures.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 8, 6)
        row.setSpacing(12)
        row.addWidget(self.lamp, 0, Qt.AlignVCenter)
        row.addWidget(self._words)
        row.addWidget(self.course, 1)
        row.addWidget(self._figures)
        buttons = QHBoxLayout()
        buttons.setSpacing(2)
        for button in (self.check_now, self.pause, self.more):
            buttons.addWidget(button)
        row.addLayout(buttons)

    def arrange(self, width: int) -> None:
        """Make it ``width`` pixels wide."""
        digit = self.fontMetrics().horizontalAdvance("0")
        words = (NARROW_WORDS if width < NARROW * digit else WORDS) * digit
        self._figures.setFixedWidth(FIGURES * digit)
        self._words.setFixedWidth(words)
        words = max(LEAST * digit, words - max(0, self.minimumSizeHint().width() - width))
        self._words.setFixedWidth(words)
        self.name.setMaximumWidth(words * 2 // 3)

    def show_watch(self, watch: Watch) -> None:
        """Show this watch, which has the same name."""
        self.watch = watch
        self.refresh()

    def refresh(self) -> None:
        """Show it as it is now."""
        watch, config = self.watch, self.watch.config
        self.lamp.show_watch(watch)
        self.course.show_results(list(watch.results))
        state = state_words(watch)
        _say(self.name, config.name)
        _say(self.target, config.target)
        _say(self.words, last_words(watch))
        failing = bool(watch.failed_in_row) and not watch.paused
        set_property(self.words, "role", "warning" if watch.held else "error" if failing else "dim")
        _say(self.time, took(watch.milliseconds))
        _say(self.uptime, uptime_words(watch))
        tip = self.tr("{name} is {state}. {target}, every {seconds} s").format(
            name=config.name, state=state, target=config.target, seconds=f"{config.every_seconds:g}"
        )
        self.lamp.setToolTip(plain(tip))
        self.lamp.setAccessibleName(tip)
        self._figures.setToolTip(self.tr("Duration of the last check, and share of checks that succeeded"))
        self.check_now.setEnabled(not watch.held and not watch.running)
        self.pause.setEnabled(not watch.held)
        words = self.tr("Resume {name}") if watch.paused else self.tr("Pause {name}")
        words = words.format(name=config.name)
        if words != self.pause.toolTip():
            self.pause.setIcon(icon("play" if watch.paused else "pause"))
            self.pause.setToolTip(words)
            self.pause.setAccessibleName(words)
        self.setAccessibleName(f"{config.name}: {state}, {self.words.text()}")

    # -- what can be done

    def _show_menu(self, at: QPoint) -> None:
        menu = QMenu(self)
        for words, wanted, enabled in (
            (self.tr("Show e&vents"), self.events_wanted, True),
            (self.tr("&Alert when it is down…"), self.alert_wanted, True),
            (self.tr("&Check now"), self.now, self.check_now.isEnabled()),
            (self.tr("&Edit…"), self.edit_wanted, True),
            (self.tr("&Remove"), self.removed, True),
        ):
            action = menu.addAction(words)
            action.setEnabled(enabled)
            action.triggered.connect(wanted)
        show(menu, at)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self._show_menu(event.globalPos())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.events_wanted.emit()


def _say(label: QLabel, text: str) -> None:
    if text != label.text():
        label.setText(text)
