"""The dock of charts of a window, and what the action on it does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from PyQt5.QtWidgets import QMainWindow

from app.capture.filters.errors import FilterError
from app.capture.reading.own_series import MOST_SERIES, Wish, wish
from app.capture.reading.reader import Reader
from app.files.folders import data_folder
from ui.panes.browser import Browser
from ui.parts.docks import add_below
from ui.settings import Settings

if TYPE_CHECKING:
    from ui.charts.dock import ChartsDock

HEIGHT = 330
"""Pixels of the dock when it is shown first."""

KEPT = "charts"
"""The folder in the data folder for summaries of older captures."""


class ChartCommands:
    """Makes the dock when it is first wanted; its library is imported then. The method has the name of its action."""

    def __init__(
        self, reader: Reader, browser: Browser, services: Callable[[], list[str]], settings: Settings,
        window: QMainWindow, *, live: bool, whole: bool = False,
    ) -> None:  # fmt: skip
        """``live``: whether the capture grows; ``whole``: begin with all of it."""
        self._reader, self._browser, self._services, self._settings = reader, browser, services, settings
        self._window, self._live, self._whole = window, live, whole

    @cached_property
    def dock(self) -> ChartsDock:
        """The dock, hidden at first."""
        from ui.charts.dock import ChartsDock
        from ui.charts.model import ChartModel
        from ui.charts.page import ChartsPage

        model = ChartModel(self._reader, data_folder() / KEPT, live=self._live, parent=self._window)
        page = ChartsPage(model, self._services, whole=self._whole)
        page.set_wishes(self._wishes())
        page.series_bar.wished.connect(self._keep)
        page.series_bar.filter.saved = self._settings.filters
        page.series_bar.filter.saved_changed.connect(self._save_filters)
        panes = self._browser.panes
        page.span_chosen.connect(panes.set_span)
        panes.span_changed.connect(self._on_span)
        page.show_span(panes.span)
        dock = ChartsDock(page, self._window)
        add_below(self._window, dock, HEIGHT)
        return dock

    @property
    def made(self) -> bool:
        """Whether the dock was wanted before."""
        return "dock" in vars(self)

    def charts(self) -> None:
        """Show or hide the dock."""
        dock = self.dock
        if dock.isVisible():
            dock.close()
            return
        dock.open()
        dock.page.begin()

    def on_stored(self, _: object = None) -> None:
        """The capture has grown."""
        if self.made:
            self.dock.page.model.on_stored()

    def on_services(self) -> None:
        """The services may be others."""
        if self.made:
            self.dock.page.controls.refresh_services()

    def read_anew(self) -> None:
        """The reader reads another capture now."""
        if self.made:
            self.dock.page.model.read_anew()

    def let_go(self) -> None:
        """Take no more answers: the window closes."""
        if self.made:
            self.dock.page.model.let_go()

    def _on_span(self) -> None:
        self.dock.page.show_span(self._browser.panes.span)

    # -- series that are kept

    def _wishes(self) -> tuple[Wish, ...]:
        found = []
        for text in self._settings.chart_series[:MOST_SERIES]:
            with suppress(FilterError):
                found.append(wish(text))
        return tuple(found)

    def _save_filters(self, saved: list[str]) -> None:
        self._settings.filters = self._browser.filter.saved = saved

    def _keep(self, wishes: tuple[Wish, ...]) -> None:
        self._settings.chart_series = [str(one) for one in wishes]
