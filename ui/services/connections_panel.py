"""The panel of the selected service's open connections, with Send and Disconnect for each."""

from __future__ import annotations

from time import time_ns
from typing import Any

from PyQt5.QtCore import QAbstractListModel, QModelIndex, QPoint, QRect, QSize, Qt, QTimer, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QColor, QContextMenuEvent, QFontMetrics, QKeyEvent, QPainter, QPaintEvent
from PyQt5.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.events import ARROWS
from app.programs.shown import HostedPort
from app.services.interfaces import Connection
from app.services.service import Service
from app.status import Listening
from app.text.escapes import amount
from ui.looks import theme
from ui.parts.hints import paint_hint
from ui.parts.labels import plain

MAX_SHOWN = 2_000
"""Connections in the list: the newest ones. The panes show all."""


class ConnectionsModel(QAbstractListModel):
    """Numbers of the open connections, oldest first. Their values are read when they are painted."""

    def __init__(self) -> None:
        super().__init__()
        self.service: Service | HostedPort | None = None
        self.numbers: list[int] = []

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self.numbers)

    def data(self, index: QModelIndex, role: int = Qt.DisplayRole) -> Any:
        connection = self.connection(index)
        if connection is None:
            return None
        if role in (Qt.DisplayRole, Qt.AccessibleTextRole):
            return f"#{connection.number} {connection.peer}"
        if role == Qt.ToolTipRole:
            return plain(self.tr("{peer}: Enter sends to it, Delete disconnects it").format(peer=connection.peer))
        return None

    def connection(self, index: QModelIndex) -> Connection | None:
        if self.service is None or not index.isValid() or index.row() >= len(self.numbers):
            return None
        return self.service.connections.get(self.numbers[index.row()])

    def set_numbers(self, numbers: list[int]) -> None:
        self.beginResetModel()
        self.numbers = numbers
        self.endResetModel()


class ConnectionsDelegate(QStyledItemDelegate):
    """Paints two lines: number and peer; bytes received and sent, and the connection's duration."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        height = QFontMetrics(theme.mono_font()).height() + QFontMetrics(theme.ui_font()).height()
        return QSize(120, height + 8)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        colors = theme.current()
        selected = bool(option.state & QStyle.State_Selected)
        rect: QRect = option.rect
        painter.save()
        if selected:
            painter.fillRect(rect, QColor(colors.selection))
        connection = index.model().connection(index)  # type: ignore[attr-defined]
        if connection is not None:
            inner = rect.adjusted(11, 4, -8, -4)
            quiet = QColor(colors.selected_dim if selected else colors.dim)
            mono = theme.mono_font()
            number = f"#{connection.number} "
            painter.setFont(mono)
            painter.setPen(quiet)
            painter.drawText(inner, int(Qt.AlignLeft | Qt.AlignTop), number)
            painter.setPen(QColor(colors.selected_text if selected else colors.text))
            shift = QFontMetrics(mono).horizontalAdvance(number)
            painter.drawText(inner.adjusted(shift, 0, 0, 0), int(Qt.AlignLeft | Qt.AlignTop), connection.peer)
            painter.setFont(theme.ui_font())
            painter.setPen(quiet)
            painter.drawText(inner, int(Qt.AlignLeft | Qt.AlignBottom), _figures(connection))
        painter.restore()


def _figures(connection: Connection) -> str:
    seconds = (time_ns() - connection.opened) // 10**9
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    lasted = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"
    return f"{ARROWS['received']} {amount(connection.received)}  {ARROWS['sent']} {amount(connection.sent)}  {lasted}"


class ConnectionsPanel(QListView):
    """The open connections of one service.

    Signals:
        send_wanted: the connection that the user wants to send to.
        disconnect_wanted: the connection that the user wants to close.
        current_changed: whether there is a current connection.
        menu_wanted: the global position of a context menu.
        left(): Escape was pressed.
    """

    send_wanted = pyqtSignal(object)
    disconnect_wanted = pyqtSignal(object)
    current_changed = pyqtSignal(bool)
    menu_wanted = pyqtSignal(QPoint)
    left = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self._model = ConnectionsModel()
        self.setModel(self._model)
        # The durations change each second, even if nothing else does.
        self._second_timer = QTimer(self)
        self._second_timer.setInterval(1000)
        self._second_timer.timeout.connect(self.viewport().update)
        self.setItemDelegate(ConnectionsDelegate(self))
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QListView.ScrollPerPixel)
        self.setAccessibleName(self.tr("Connections"))
        self.doubleClicked.connect(lambda _: self._emit_for_current(self.send_wanted))
        theme.notifier.fonts_changed.connect(self._on_fonts)
        self.selectionModel().currentChanged.connect(lambda index, _: self.current_changed.emit(index.isValid()))

    @pyqtSlot()
    def _on_fonts(self) -> None:
        self.scheduleDelayedItemsLayout()

    def set_service(self, service: Service | HostedPort | None) -> None:
        """Show the connections of ``service``."""
        self._model.service = service
        self.refresh()

    def refresh(self) -> None:
        """Update the list. The selected connection stays selected."""
        service = self._model.service
        numbers = list(service.connections)[-MAX_SHOWN:] if service else []
        if numbers != self._model.numbers:
            current = self.current()
            at_end = self.verticalScrollBar().value() == self.verticalScrollBar().maximum()
            value = self.verticalScrollBar().value()
            self._model.set_numbers(numbers)
            if current is not None and current.number in numbers:
                self.setCurrentIndex(self._model.index(numbers.index(current.number)))
            self.verticalScrollBar().setValue(self.verticalScrollBar().maximum() if at_end else value)
            self.current_changed.emit(self.current() is not None)
        if not numbers:
            self._second_timer.stop()
        elif not self._second_timer.isActive():
            self._second_timer.start()
        self.viewport().update()

    def current(self) -> Connection | None:
        """The selected connection; None if there is none or it has ended."""
        return self._model.connection(self.currentIndex())

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._model.numbers:
            painter = QPainter(self.viewport())
            painter.setPen(QColor(theme.current().dim))
            up = self._model.service is not None and isinstance(self._model.service.status, Listening)
            text = self.tr("No connection.\nA peer that connects shows up here.") if up else self.tr("No connection.")
            paint_hint(painter, self.viewport().rect().adjusted(16, 8, -16, -8), text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key_Return, Qt.Key_Enter):
            self._emit_for_current(self.send_wanted)
        elif event.key() == Qt.Key_Delete and not event.modifiers() & ~Qt.KeypadModifier:
            self._emit_for_current(self.disconnect_wanted)
        elif event.key() == Qt.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def _emit_for_current(self, signal: Any) -> None:
        connection = self.current()
        if connection is not None:
            signal.emit(connection)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Keyboard:
            if self.currentIndex().isValid():
                self.scrollTo(self.currentIndex())
                at = self.visualRect(self.currentIndex())
                self.menu_wanted.emit(self.viewport().mapToGlobal(QPoint(at.left() + 32, at.bottom())))
        elif self.indexAt(event.pos()).isValid():
            self.menu_wanted.emit(event.globalPos())
