"""The list of services: one stop of the Tab key, rows that never change their height, order by hand."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QModelIndex, QPoint, QRect, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtGui import (
    QColor,
    QContextMenuEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PyQt5.QtWidgets import QListView, QToolTip

from ui.looks import theme
from ui.parts.hints import paint_hint
from ui.services.list_delegate import Part, ServicesDelegate
from ui.services.list_drag import Drag, Drop
from ui.services.list_model import ServicesModel
from ui.services.list_tips import tip
from ui.services.rows import Heading, Row, ServiceRow


class ServicesList(QListView):
    """Shows a ``ServicesModel``.

    Signals:
        row_changed(): another row is current, or none.
        toggled, edit_wanted, allow_wanted: the name of a service.
        fold_wanted: the group to fold or unfold.
        dropped: the name of the service that was dragged, and the ``Drop``.
        step_wanted: the name of a service, and -1 or 1: one place up or down in its group.
        menu_wanted: the global position of a context menu for the current row.
        escaped(): Escape was pressed.
    """

    row_changed = pyqtSignal()
    toggled = pyqtSignal(str)
    edit_wanted = pyqtSignal(str)
    allow_wanted = pyqtSignal(str)
    fold_wanted = pyqtSignal(str)
    dropped = pyqtSignal(str, object)
    step_wanted = pyqtSignal(str, int)
    menu_wanted = pyqtSignal(QPoint)
    escaped = pyqtSignal()

    def __init__(self, model: ServicesModel) -> None:
        super().__init__()
        self._model = model
        self.delegate = ServicesDelegate(self)
        self.drag = Drag(self, self.drop_at)
        self._double = False
        self.setModel(model)
        self.setItemDelegate(self.delegate)
        self.setAccessibleName(self.tr("Services"))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListView.ScrollPerPixel)
        self.setEditTriggers(QListView.NoEditTriggers)
        self.setMouseTracking(True)
        self.setMinimumHeight(96)
        model.rows_changed.connect(self._repaint)
        theme.notifier.fonts_changed.connect(self.measure)

    @pyqtSlot()
    def measure(self) -> None:
        """Fonts or view have changed: lay all rows out again."""
        self.delegate.measure()
        self.scheduleDelayedItemsLayout()
        self.viewport().update()

    def set_compact(self, compact: bool) -> None:
        """One line for each service, or two."""
        self.delegate.is_compact = compact
        self.measure()
        self.verticalScrollBar().setSingleStep(24)

    def current(self) -> Row | None:
        """The current row."""
        return self._model.row(self.currentIndex())

    def current_name(self) -> str:
        """The name of the service whose row is current; empty if it is a heading, or none."""
        row = self.current()
        return row.name if isinstance(row, ServiceRow) else ""

    def go_to(self, number: int) -> None:
        """Make a row current and scroll to it; -1: no row."""
        self.setCurrentIndex(self._model.index(number) if number >= 0 else QModelIndex())
        if number >= 0:
            self.scrollTo(self.currentIndex())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """What is told below the list may take the room of the very row that it is about."""
        before = QRect(0, 0, event.oldSize().width(), event.oldSize().height())
        was_seen = before.intersects(self.visualRect(self.currentIndex()))
        super().resizeEvent(event)
        if was_seen:
            self.scrollTo(self.currentIndex())

    def currentChanged(self, current: QModelIndex, previous: QModelIndex) -> None:
        super().currentChanged(current, previous)
        self.row_changed.emit()

    def _repaint(self, numbers: list[int]) -> None:
        for number in numbers:
            self.update(self._model.index(number))

    def rect_of(self, number: int) -> QRect:
        """The place of a row in the viewport."""
        return self.visualRect(self._model.index(number))

    # -- keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row, key = self.current(), event.key()
        name = row.name if isinstance(row, ServiceRow) else ""
        if key == Qt.Key_Escape:
            if not self.drag.cancel():
                self.escaped.emit()
        elif event.modifiers() & Qt.AltModifier and key in (Qt.Key_Up, Qt.Key_Down):
            if name and isinstance(row, ServiceRow) and not row.program:
                self.step_wanted.emit(name, 1 if key == Qt.Key_Down else -1)
        elif key == Qt.Key_Space and not event.modifiers():
            if not event.isAutoRepeat():
                self._act(row, self.toggled)
        elif key in (Qt.Key_Return, Qt.Key_Enter) and not event.modifiers():
            self._act(row, self.edit_wanted)
        elif key in (Qt.Key_Left, Qt.Key_Right) and not event.modifiers():
            self._sideways(row, fold=key == Qt.Key_Left)
        else:
            super().keyPressEvent(event)

    def _act(self, row: Row | None, signal: object) -> None:
        if isinstance(row, ServiceRow):
            signal.emit(row.name)  # type: ignore[attr-defined]
        elif row is not None:
            self.fold_wanted.emit(row.group)

    def _sideways(self, row: Row | None, *, fold: bool) -> None:
        """Left goes to the heading and folds its group, Right unfolds it."""
        if isinstance(row, Heading):
            if row.folded != fold:
                self.fold_wanted.emit(row.group)
        elif row is not None and fold and row.group:
            self.go_to(self._model.heading(row.group))

    # -- mouse

    def _under(self, point: QPoint) -> tuple[int, Row | None, Part | None]:
        index = self.indexAt(point)
        row = self._model.row(index)
        return index.row(), row, None if row is None else self.delegate.part(self.visualRect(index), row, point)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        number, row, part = self._under(event.pos())
        self._double = False
        if row is None:
            return  # a click beside the rows leaves the selection alone
        if event.button() != Qt.LeftButton:
            self.go_to(number)
        elif part == "button":
            self.delegate.pressed = number
            self._repaint([number])
        elif part != "heading":
            self.go_to(number)
        movable = isinstance(row, ServiceRow) and not row.program and part not in ("button", "allow")
        if event.button() == Qt.LeftButton and isinstance(row, ServiceRow) and movable:
            self.drag.prepare(row.name, event.pos())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        number, row, part = self._under(event.pos())
        if not (event.buttons() & Qt.LeftButton and self.drag.move(event.pos())):
            self._hover(number if part == "button" and isinstance(row, ServiceRow) and row.ready else -1)
            over = part in ("button", "allow", "heading")
            self.viewport().setCursor(Qt.PointingHandCursor if over else Qt.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        number, row, part = self._under(event.pos())
        pressed, self.delegate.pressed = self.delegate.pressed, -1
        drop, name = self.drag.finish()
        if event.button() != Qt.LeftButton:
            return
        if pressed >= 0:
            self.update(self._model.index(pressed))
            there = part == "button" and number == pressed and not self._double
            if there and isinstance(row, ServiceRow) and row.ready:
                self.toggled.emit(row.name)
        elif drop is not None:
            self.dropped.emit(name, drop)
        elif part == "allow" and isinstance(row, ServiceRow):
            self.allow_wanted.emit(row.name)
        elif part == "heading" and row is not None and not self._double:
            self.fold_wanted.emit(row.group)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        # The second press on a button is ignored: it would undo the first.
        _, row, part = self._under(event.pos())
        self._double = True
        if event.button() == Qt.LeftButton and isinstance(row, ServiceRow) and part not in ("button", "allow"):
            self.drag.cancel()
            self.edit_wanted.emit(row.name)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover(-1)

    def _hover(self, number: int) -> None:
        before, self.delegate.hovered = self.delegate.hovered, number
        if before != number:
            self._repaint([one for one in (before, number) if one >= 0])

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Keyboard:
            if self.current() is not None:
                self.scrollTo(self.currentIndex())
                at = self.visualRect(self.currentIndex())
                self.menu_wanted.emit(self.viewport().mapToGlobal(QPoint(at.left() + 32, at.bottom())))
        elif (number := self._under(event.pos())[0]) >= 0:
            self.go_to(number)
            self.menu_wanted.emit(event.globalPos())

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.ToolTip and isinstance(event, QHelpEvent):
            number, row, part = self._under(event.pos())
            if row is None or part is None:
                QToolTip.hideText()
            else:
                QToolTip.showText(event.globalPos(), tip(row, part), self.viewport(), self.rect_of(number))
            return True
        return super().viewportEvent(event)

    # -- what is painted over the rows

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._model.rowCount():
            self._paint_nothing()
        if self.drag.line is not None:
            painter = QPainter(self.viewport())
            painter.fillRect(self.drag.line, QColor(theme.current().accent))

    def _paint_nothing(self) -> None:
        painter = QPainter(self.viewport())
        painter.setPen(QColor(theme.current().dim))
        text = (
            self.tr("No service matches the search.")
            if self._model.typed
            else self.tr("No service yet.\nPress New service to add one.")
        )
        paint_hint(painter, self.viewport().rect().adjusted(16, 8, -16, -8), text)

    def drop_at(self, point: QPoint, name: str) -> tuple[Drop, QRect] | None:
        """Where a service that is dropped at a point goes, and the line that shows it; None: nowhere.

        In the upper half of a row it goes before it, in the lower half behind it; on a heading, to the end of the
        group above, or to the beginning of this one.
        """
        rows, viewport = self._model.rows, self.viewport().rect()
        if self._model.typed or not rows:
            return None
        point = QPoint(viewport.center().x(), min(max(point.y(), 0), viewport.bottom()))
        number = self.indexAt(point).row()
        rect = self.rect_of(number if number >= 0 else len(rows) - 1)
        behind = number < 0 or point.y() > rect.center().y()
        number = len(rows) - 1 if number < 0 else number
        row = rows[number]
        y = rect.bottom() + 1 if behind else rect.top()
        line = QRect(12, max(0, y - 1), viewport.width() - 16, 2)
        if isinstance(row, ServiceRow) and row.program:
            return None
        if isinstance(row, ServiceRow):
            return Drop(row.group, row.name, behind=behind), line
        if row.folded and behind:
            return Drop(row.group, "", behind=True), line
        if behind:
            return Drop(row.group, "", behind=False), line
        above = rows[number - 1] if number else None
        if above is None:
            return Drop("", "", behind=False), line
        return Drop(above.group, "", behind=True), line
