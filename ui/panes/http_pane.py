"""The HTTP pane: exchanges, one a row, with the request, its response and how long that took."""

from __future__ import annotations

from typing import cast

from PyQt5.QtCore import QT_TRANSLATE_NOOP, Qt
from PyQt5.QtWidgets import QVBoxLayout, QWidget

from app.capture.filters.language import EVERYTHING, Filter
from app.capture.reading.exchange_rows import EXCHANGE_FIELDS, ExchangeRow
from app.capture.reading.reader import Reader
from app.events import Row
from ui.looks.declared import in_words
from ui.looks.statuses import role_of_status
from ui.looks.theme import Theme
from ui.looks.times import clock
from ui.panes.columns import Column
from ui.panes.event_list import EventList
from ui.panes.event_pane import EventPane
from ui.panes.exchange_list import BY_AGE, MAX_SORTED, ExchangeList
from ui.parts.notice_bar import NoticeBar

NO_EXCHANGE = QT_TRANSLATE_NOOP(
    "declared",
    "No HTTP exchange yet.\n\n"
    "Start an HTTP service and send it a request:\n"
    "each request becomes a row here, with its answer.",
)

WAITING, NONE = "waiting", "none"
"""Shown in place of a status: the response has not come yet; the connection was closed without one."""


def _row(row: Row) -> ExchangeRow:
    return cast(ExchangeRow, row)


def _status(row: Row) -> str:
    exchange = _row(row)
    if exchange.answer is None:
        return NONE if exchange.over else WAITING
    return "" if exchange.status is None else str(exchange.status)


def _status_color(row: Row, theme: Theme) -> str | None:
    exchange = _row(row)
    if exchange.status is None:
        return theme.bad if exchange.answer is None and exchange.over else theme.dim
    color: str = getattr(theme, role_of_status(exchange.status))
    return color


def duration(seconds: float | None) -> str:
    """``0.8 ms``, ``120 ms``, ``4.2 s``; empty where it is not known."""
    if seconds is None:
        return ""
    if seconds < 0.0995:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 0.9995 else f"{seconds:.1f} s"


COLUMNS = (
    Column(
        "time", "Time", "Time at which the request was read", 16, lambda row, _: clock(row.time), quiet=True, yields=2,
    ),
    Column(
        "service", "Service", "Service that received the request", 16, lambda row, _: row.service, middle=True,
        field="service", value=lambda row: row.service or None, yields=1,
    ),
    Column(
        "method", "Method", "Method of the request", 8, lambda row, _: _row(row).method,
        field="http.method", value=lambda row: _row(row).method or None,
    ),
    Column(
        "target", "Target", "Path and query of the request", 40,
        lambda row, _: _row(row).target or row.summary, stretch=True,
        field="http.target", value=lambda row: _row(row).target or None,
    ),
    Column(
        "status", "Status", "Status of the answer", 8, lambda row, _: _status(row), color=_status_color,
        field="http.status", value=lambda row: _row(row).status,
    ),
    Column("type", "Type", "Media type of the answer", 24, lambda row, _: _row(row).type, quiet=True, yields=5),
    Column(
        "size", "Size", "Size of the answer's body", 9, lambda row, _: "" if row.size is None else f"{row.size:,}",
        right=True, field="size", value=lambda row: row.size, yields=4,
    ),
    Column(
        "duration", "Duration", "Time from the first byte of the request to the last byte of the answer", 9,
        lambda row, _: duration(_row(row).seconds), right=True, quiet=True, yields=3,
    ),
)  # fmt: skip


class HTTPPane(EventPane):
    """All exchanges of all services. A click on a title sorts by the column."""

    columns = COLUMNS
    fields = EXCHANGE_FIELDS

    def __init__(self, reader: Reader, parent: QWidget | None = None) -> None:
        super().__init__(reader, EVERYTHING, in_words(NO_EXCHANGE), parent)
        self._shown = 0
        self.view.setAccessibleName(self.tr("HTTP exchanges"))
        self.notice = NoticeBar("warning", closable=True)
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.insertWidget(0, self.notice)
        header = self.view.header
        header.setSectionsClickable(True)
        header.setSortIndicatorShown(True)
        header.setSortIndicator(0, Qt.AscendingOrder)
        header.sortIndicatorChanged.connect(self._on_sort)
        self.current_changed.connect(self._on_shown)
        self.events.loaded.connect(self._show_answer)

    def _list(self, reader: Reader, base: Filter) -> EventList:
        self.list = ExchangeList(reader, base, self)
        self.list.inserted.connect(lambda: self.view.keep_current())
        self.list.unsortable.connect(self._on_unsortable)
        return self.list

    def _on_sort(self, column: int, order: Qt.SortOrder) -> None:
        self.notice.say("")
        name, descending = COLUMNS[column].name, order == Qt.DescendingOrder
        self.list.sort(name, descending=descending)
        if name != BY_AGE or descending:
            self.view.set_following(False)
            self.view.verticalScrollBar().setValue(0)

    def _on_unsortable(self, count: int) -> None:
        header = self.view.header
        header.blockSignals(True)
        header.setSortIndicator(0, Qt.AscendingOrder)
        header.blockSignals(False)
        header.viewport().update()
        text = self.tr(
            "{count} exchanges are too many to sort by this column: up to {most} can be sorted. Filter them first."
        )
        self.notice.say(text.format(count=f"{count:,}", most=f"{MAX_SORTED:,}"))

    def _on_shown(self, id: int) -> None:
        self._shown = id

    def _show_answer(self) -> None:
        """Show the response of the current row, which had none when it became current."""
        if self.view.current >= 0:
            shown = self.events.shown_at(self.view.current)
            if shown > self._shown:  # a response has a higher id than its request
                self.current_changed.emit(shown)
