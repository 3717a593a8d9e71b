"""The open connections of an outpost: seen, sent to and closed from here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)
from twisted.internet.defer import Deferred

from app.errors import PostError
from app.outposts import protocol as p
from app.outposts import sound
from app.outposts.following import Following
from app.text.escapes import unescape
from ui.outposts import words
from ui.parts.delegates import Spaced
from ui.parts.line import Line


class ConnectionsDialog(QDialog):
    """Those of one service, or of all.

    Signals:
        shown(): the list has come, or what was wrong.
    """

    shown = pyqtSignal()

    def __init__(self, outpost: Following, service: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowFlag(Qt.WindowContextHelpButtonHint, False)
        where = f"{outpost.name}/{service}" if service else outpost.name
        self.setWindowTitle(self.tr("Connections of {where}").format(where=where))
        self._outpost, self._service = outpost, service
        self.list = QTreeWidget()
        self.list.setAccessibleName(self.tr("Open connections"))
        self.list.setHeaderLabels(
            [self.tr("Number"), self.tr("Service"), self.tr("Peer"), self.tr("Received"), self.tr("Sent")]
        )
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setItemDelegate(Spaced(self.list))
        self.list.setSelectionMode(QAbstractItemView.SingleSelection)
        self.said = Line()
        self.data = QLineEdit()
        self.data.setAccessibleName(self.tr("What to send"))
        self.data.setPlaceholderText(self.tr("What to send, with escapes such as \\r\\n"))
        self.send = self._button(self.tr("&Send"), self._send)
        self.close_one = self._button(self.tr("&Disconnect"), lambda: self._end(abort=False))
        self.abort_one = self._button(self.tr("&Reset"), lambda: self._end(abort=True))
        self.again = self._button(self.tr("Re&fresh"), self.refresh)
        self._lay_out()
        self.list.currentItemChanged.connect(lambda *_: self._follow())
        self.data.textChanged.connect(lambda _: self._follow())
        self.resize(760, 380)
        self.refresh()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(8)
        column.addWidget(self.list, 1)
        sending = QHBoxLayout()
        sending.addWidget(self.data, 1)
        sending.addWidget(self.send)
        column.addLayout(sending)
        row = QHBoxLayout()
        row.addWidget(self.said, 1)
        for button in (self.again, self.close_one, self.abort_one):
            row.addWidget(button)
        column.addLayout(row)

    def _button(self, text: str, do: Callable[[], object]) -> QPushButton:
        button = QPushButton(text)
        button.setAutoDefault(False)
        button.clicked.connect(lambda: do())
        return button

    def refresh(self) -> None:
        """Ask for the list."""
        self._ask(p.Connections(self._service), self._show)

    def _show(self, found: p.OpenConnections) -> None:
        self.list.clear()
        for one in found.connections:
            cells = [
                str(one.number),
                sound.name(one.service),
                sound.name(one.peer),
                f"{one.received:,}",
                f"{one.sent:,}",
            ]
            item = QTreeWidgetItem(cells)
            item.setData(0, Qt.UserRole, one.number)
            for at in (0, 3, 4):
                item.setTextAlignment(at, int(Qt.AlignRight | Qt.AlignVCenter))
            self.list.addTopLevelItem(item)
        for at in range(self.list.columnCount()):
            self.list.resizeColumnToContents(at)
        more = self.tr("and {count} more").format(count=f"{found.more:,}") if found.more else ""
        self.said.setText(more if found.connections else self.tr("No connection is open"))
        if found.connections:
            self.list.setCurrentItem(self.list.topLevelItem(0))
        self._follow()

    @property
    def _number(self) -> int | None:
        item = self.list.currentItem()
        return None if item is None else item.data(0, Qt.UserRole)

    def _follow(self) -> None:
        why = words.why_not(self._outpost, p.Send)
        for button in (self.send, self.close_one, self.abort_one):
            button.setEnabled(not why and self._number is not None)
            button.setToolTip(why)
        self.send.setEnabled(self.send.isEnabled() and bool(self.data.text()))

    def _send(self) -> None:
        if self._number is not None:
            try:
                data = unescape(self.data.text())
            except PostError as e:
                self.said.setText(str(e))
                return
            self._ask(p.Send(self._number, data), self._done)

    def _end(self, *, abort: bool) -> None:
        if self._number is not None:
            self._ask(p.Disconnect(self._number, abort), self._done)

    def _done(self, done: p.Done) -> None:
        self.refresh()
        self.said.setText(sound.name(done.words))

    def _ask(self, request: p.Request, then: Callable[[Any], object]) -> None:
        asking: Deferred[Any] = self._outpost.ask(request)
        asking.addCallbacks(self._taker(then), self._failed)
        self.finished.connect(lambda _: None if asking.called else asking.cancel())

    def _taker(self, then: Callable[[Any], object]) -> Callable[[Any], None]:
        def take(found: Any) -> None:
            then(found)
            self.shown.emit()

        return take

    def _failed(self, failure: Any) -> None:
        if isinstance(failure.value, PostError):
            self.said.setText(str(failure.value))
            self.shown.emit()
