"""What stands above the charts: which time, which service, how fine; pause, series and copies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QComboBox, QHBoxLayout, QMenu, QPushButton, QToolButton, QWidget

from ui.charts import figures
from ui.charts.model import ALL, STEP_CHOICES, Wanted
from ui.looks.icons import icon
from ui.parts.labels import mark_accessible
from ui.parts.line import Line

WINDOWS = (60, 300, 600, 3600, 6 * 3600, 86_400, 7 * 86_400, ALL)
"""Seconds that can be shown; ``ALL``: all of the capture."""


class Controls(QWidget):
    """The bar above the charts.

    Attributes:
        window_, service, step, pause, series, copy_: its parts.
        words: says what is shown, or what is being done.

    Signals:
        changed(): another time, service or step was chosen.
        picture_wanted(), figures_wanted(): a copy is to be made.
    """

    changed = pyqtSignal()
    picture_wanted = pyqtSignal()
    figures_wanted = pyqtSignal()

    def __init__(self, services: Callable[[], list[str]], *, whole: bool) -> None:
        """``services()`` are the names of services; ``whole``: begin with all of the capture."""
        super().__init__()
        self._services = services
        self.window_, self.service, self.step = QComboBox(), QComboBox(), QComboBox()
        self.pause, self.series, self.copy_ = QToolButton(), QPushButton(), QToolButton()
        self.words = Line()
        self.words.setProperty("role", "dim")
        self._fill(whole)
        self._make_buttons()
        self.setProperty("surface", "window")
        self.setAttribute(Qt.WA_StyledBackground)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 12, 6)
        row.setSpacing(8)
        for part in (self.window_, self.service, self.step, self.pause):
            row.addWidget(part)
        row.addWidget(self.words, 1)
        row.addWidget(self.series)
        row.addWidget(self.copy_)

    def _fill(self, whole: bool) -> None:
        for seconds in WINDOWS:
            words = self.tr("All of the capture") if seconds == ALL else self.tr("Last {time}")
            self.window_.addItem(words.format(time=figures.step(seconds)), seconds)
        self.window_.setCurrentIndex(WINDOWS.index(ALL if whole else 600))
        for seconds in STEP_CHOICES:
            words = self.tr("Points of {time}") if seconds else self.tr("Auto points")
            self.step.addItem(words.format(time=figures.step(seconds)), seconds)
        mark_accessible(self.window_, self.tr("Time range"), "")
        mark_accessible(self.step, self.tr("Resolution"), self.tr("Time that one point stands for"))
        mark_accessible(self.service, self.tr("Service"), self.tr("Shows the figures of one service, or of all"))
        for box in (self.window_, self.step, self.service):
            box.setSizeAdjustPolicy(QComboBox.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(11 if box is self.window_ else 9)
            box.activated.connect(lambda _: self.changed.emit())
        self.refresh_services()

    def _make_buttons(self) -> None:
        self.pause.setCheckable(True)
        self.pause.setIcon(icon("pause"))
        self.pause.setToolTip(self.tr("Pause the charts"))
        self.pause.setAccessibleName(self.pause.toolTip())
        self.series.setAutoDefault(False)
        self.series.setText(self.tr("+ Series from a filter"))
        self.series.setToolTip(
            self.tr("Chart the events that match a filter: their number, their bytes, or the average of a field")
        )
        self.copy_.setIcon(icon("copy"))
        self.copy_.setToolTip(self.tr("Copy the charts as a picture, or their figures as CSV"))
        self.copy_.setAccessibleName(self.tr("Copy"))
        self.copy_.setPopupMode(QToolButton.InstantPopup)
        self.copy_.setMenu(self.copy_menu(self.copy_))

    def copy_menu(self, parent: QWidget) -> QMenu:
        """A menu of what can be copied."""
        menu = QMenu(parent)
        menu.addAction(self.tr("Copy as &picture")).triggered.connect(lambda: self.picture_wanted.emit())
        menu.addAction(self.tr("Copy figures as &CSV")).triggered.connect(lambda: self.figures_wanted.emit())
        return menu

    def refresh_services(self) -> None:
        """The services may be others."""
        now = self.service.currentData() or ""
        self.service.clear()
        self.service.addItem(self.tr("All services"), "")
        for name in self._services():
            self.service.addItem(name, name)
        self.service.setCurrentIndex(max(0, self.service.findData(now)))

    def wanted(self, before: Wanted, points: int) -> Wanted:
        """What is chosen, with so many points."""
        seconds, service, step = (box.currentData() for box in (self.window_, self.service, self.step))
        return replace(before, seconds=seconds, service=service or "", step=step, points=points)
