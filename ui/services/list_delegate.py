"""Paints the rows of the list of services, and knows what is below the pointer."""

from __future__ import annotations

from typing import Literal

from PyQt5.QtCore import QModelIndex, QPoint, QRect, QRectF, QSize, Qt
from PyQt5.QtGui import QColor, QFont, QFontMetrics, QPainter
from PyQt5.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ui.looks import shapes, theme
from ui.looks.icons import icon
from ui.services.list_layout import GAP, LEFT, Fonts, Layout, elided, heading_height, row_height
from ui.services.rows import Heading, ServiceRow, compact, translate

Part = Literal["button", "allow", "badge", "exposed", "lock", "faults", "figures", "row", "heading"]


class ServicesDelegate(QStyledItemDelegate):
    """Paints each row by itself, so that nothing moves when its figures change.

    Attributes:
        is_compact: whether a service takes one line.
        hovered, pressed: numbers of the rows whose button is below the pointer, or held down; -1 for none.
    """

    def __init__(self, parent: object = None) -> None:
        super().__init__(parent)  # type: ignore[arg-type]
        self.is_compact = False
        self.hovered = self.pressed = -1
        self.fonts = Fonts()

    def measure(self) -> None:
        """The fonts have changed."""
        self.fonts = Fonts()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        row = index.model().row(index)  # type: ignore[attr-defined]
        if isinstance(row, Heading):
            return QSize(0, heading_height(self.fonts))
        return QSize(0, row_height(self.fonts, compact=self.is_compact))

    def layout_of(self, rect: QRect) -> Layout:
        """The places of a row of a service in ``rect``."""
        return Layout(rect, self.fonts, compact=self.is_compact)

    # -- painting

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        row = index.model().row(index)  # type: ignore[attr-defined]
        selected = bool(option.state & QStyle.State_Selected)
        rect: QRect = option.rect
        colors = theme.current()
        painter.save()
        if selected:
            painter.fillRect(rect, QColor(colors.selection))
            painter.fillRect(QRect(rect.left(), rect.top(), 3, rect.height()), QColor(colors.accent))
        if isinstance(row, Heading):
            self._paint_heading(painter, rect, row, selected=selected)
        elif row is not None:
            self._paint_service(painter, rect, row, index.row(), selected=selected)
        painter.restore()

    def _paint_heading(self, painter: QPainter, rect: QRect, row: Heading, *, selected: bool) -> None:
        colors = theme.current()
        quiet = QColor(colors.selected_dim if selected else colors.dim)
        inner = rect.adjusted(LEFT, 4, -12, 0)
        mark = self.fonts.mark
        arrow = QRect(inner.left() - 1, inner.center().y() + 1 - mark // 2, mark, mark)
        icon("chevron-right" if row.folded else "chevron-down", quiet.name()).paint(painter, arrow)
        painter.setFont(self.fonts.small)
        painter.setPen(quiet)
        figures = translate("Services", "{up} of {count}").format(up=row.up, count=row.of)
        painter.drawText(inner, int(Qt.AlignRight | Qt.AlignVCenter), figures)
        taken = QFontMetrics(self.fonts.small).horizontalAdvance(figures) + GAP
        if row.failed and row.folded:
            failed = QRect(inner.right() + 1 - taken - mark, inner.center().y() + 1 - mark // 2, mark, mark)
            shapes.paint_state(painter, failed, "failed", colors, quiet.name() if selected else None)
            taken += mark + GAP
        painter.setFont(self.fonts.heading)
        name = inner.adjusted(mark + GAP, 0, -taken, 0)
        painter.drawText(name, int(Qt.AlignLeft | Qt.AlignVCenter), elided(row.group, self.fonts.heading, name.width()))

    def _paint_service(self, painter: QPainter, rect: QRect, row: ServiceRow, number: int, *, selected: bool) -> None:
        colors, at = theme.current(), self.layout_of(rect)
        text = QColor(colors.selected_text if selected else colors.text)
        quiet = QColor(colors.selected_dim if selected else colors.dim)
        shapes.paint_state(painter, at.state, row.state, colors)
        self._paint_button(painter, at.button, row, number, selected=selected)
        right = at.first.right() + 1
        if self.is_compact:
            right = at.figures_left
        for mark, place in self.marks(row, at).items():
            right = min(right, place.left())
            self._paint_mark(painter, mark, place, row, selected=selected)
        name = QRect(at.first.left(), at.first.top(), right - GAP - at.first.left(), at.first.height())
        if self.is_compact:
            port = QFontMetrics(self.fonts.mono).horizontalAdvance(row.port)
            name.setWidth(name.width() - port - 4)
        shown = elided(row.title, self.fonts.name, name.width())
        painter.setFont(self.fonts.name)
        painter.setPen(text)
        painter.drawText(name, int(Qt.AlignLeft | Qt.AlignVCenter), shown)
        if self.is_compact:
            after = QFontMetrics(self.fonts.name).horizontalAdvance(shown) + 4
            self._write(painter, name.translated(after, 0).adjusted(0, 0, 200, 0), row.port, self.fonts.mono, quiet)
            self._paint_figures(painter, at, row, quiet)
        else:
            self._paint_second(painter, at, row, quiet, selected=selected)

    def _paint_second(self, painter: QPainter, at: Layout, row: ServiceRow, quiet: QColor, *, selected: bool) -> None:
        """The second line of the normal view: what is wrong, or address and figures."""
        colors, line = theme.current(), at.second
        if row.reason:
            bad = quiet if selected else QColor(colors.bad if row.bad else colors.warning)
            shown = elided(" ".join(row.reason.split()), self.fonts.small, line.width(), Qt.ElideRight)
            self._write(painter, line, shown, self.fonts.small, bad)
            return
        if row.refused:
            allow = self.allow_rect(at)
            words = translate("Services", "refused {host}").format(host=row.refused)
            room = allow.left() - GAP - line.left()
            shown = elided(words, self.fonts.small, room)
            self._write(painter, line, shown, self.fonts.small, quiet if selected else QColor(colors.warning))
            painter.setFont(self.fonts.small)
            shapes.badge(painter, allow, translate("Services", "Allow"), colors, colors.accent)
            return
        address = elided(row.address, self.fonts.mono, at.figures_left - line.left())
        self._write(painter, line, address, self.fonts.mono, quiet)
        self._paint_figures(painter, at, row, quiet)

    def _paint_figures(self, painter: QPainter, at: Layout, row: ServiceRow, quiet: QColor) -> None:
        if row.connections is None or (row.reason and self.is_compact):
            room = QRect(at.figures_left + GAP, at.second.top(), 0, at.second.height())
            room.setRight(at.second.right())
            if room.width() >= QFontMetrics(self.fonts.small).horizontalAdvance(row.word):
                color = QColor(theme.current().bad) if row.bad and quiet.name() == theme.current().dim else quiet
                self._write(painter, room, row.word, self.fonts.small, color, Qt.AlignRight)
            return
        if at.count is not None:
            count = compact(row.connections) if self.is_compact else row.count
            self._write(painter, at.count, count, self.fonts.small, quiet, Qt.AlignRight)
        if at.rate is not None:
            self._write(painter, at.rate, row.rate, self.fonts.small, quiet, Qt.AlignRight)
        if at.spark is not None and row.spark:
            place = at.spark.adjusted(0, 0, 0, -1)
            shapes.sparkline(painter, place, row.spark, theme.current().accent)

    def _write(
        self,
        painter: QPainter,
        rect: QRect,
        text: str,
        font: QFont,
        color: QColor,
        align: Qt.AlignmentFlag = Qt.AlignLeft,
    ) -> None:
        painter.setFont(font)
        painter.setPen(color)
        painter.drawText(rect, int(align | Qt.AlignVCenter | Qt.TextSingleLine), text)

    def _paint_button(self, painter: QPainter, rect: QRect, row: ServiceRow, number: int, *, selected: bool) -> None:
        colors = theme.current()
        if row.ready and number in (self.hovered, self.pressed):
            painter.save()
            painter.setRenderHint(QPainter.Antialiasing)
            painter.setPen(Qt.NoPen)
            painter.setBrush(QColor(colors.pressed if number == self.pressed else colors.hover))
            painter.drawRoundedRect(QRectF(rect), 5, 5)
            painter.restore()
        color = colors.faint if not row.ready else colors.selected_text if selected else colors.text
        inner = QRect(0, 0, self.fonts.icon, self.fonts.icon)
        inner.moveCenter(rect.center())
        icon("stop" if row.up else "play", color).paint(painter, inner)

    def _paint_mark(self, painter: QPainter, mark: Part, place: QRect, row: ServiceRow, *, selected: bool) -> None:
        colors = theme.current()
        painter.setFont(self.fonts.badge)
        if mark == "badge":
            shapes.badge(painter, place, row.badge, colors)
        elif mark == "exposed" and not self.is_compact:
            shapes.badge(painter, place, translate("Services", "EXPOSED"), colors, colors.warning)
        elif mark == "exposed":
            icon("network", colors.warning).paint(painter, place)
        elif mark == "faults":
            self._paint_faults(painter, place, row)
        elif mark == "lock":
            icon("lock", colors.selected_dim if selected else colors.dim).paint(painter, place)

    def _paint_faults(self, painter: QPainter, place: QRect, row: ServiceRow) -> None:
        """A bolt, and in the normal view the number beside it in a frame."""
        colors = theme.current()
        size = self.fonts.mark - 2
        bolt = QRect(place.left(), place.center().y() + 1 - size // 2, size, size)
        if not self.is_compact:
            shapes.badge(painter, place, "", colors, colors.warning)
            bolt.moveLeft(place.left() + 5)
            painter.setPen(QColor(colors.warning))
            painter.drawText(place.adjusted(0, 0, -6, 0), int(Qt.AlignRight | Qt.AlignVCenter), str(len(row.faults)))
        shapes.paint_mark(painter, bolt, "fault", colors)

    # -- places

    def marks(self, row: ServiceRow, at: Layout) -> dict[Part, QRect]:
        """Where the marks of a row stand, from the right to the left."""
        places: dict[Part, QRect] = {}
        right = at.figures_left if self.is_compact else at.button.left() - 4
        middle = at.first.center().y()

        def put(part: Part, width: int, height: int) -> None:
            nonlocal right
            places[part] = QRect(right - width, middle - height // 2, width, height)
            right -= width + 4

        others = self._other_marks(row)
        badge = self.fonts.badge_size(row.badge)
        room = right - at.first.left() - badge.width() - GAP
        if self.is_compact:
            shown = room >= self._least_beside(row)
        else:  # the name needs the room more, and all else that is marked can be read nowhere else in the list
            least = self.fonts.name_room() if others else self.fonts.name_room() // 2
            name = min(QFontMetrics(self.fonts.name).horizontalAdvance(row.title), least)
            shown = room - sum(width + 4 for _, width, _ in others) >= name
        if shown:
            put("badge", badge.width(), badge.height())
        for mark in others:
            put(*mark)
        return places

    def _other_marks(self, row: ServiceRow) -> list[tuple[Part, int, int]]:
        """Those that stand to the left of the protocol: each with its width and height."""
        marks: list[tuple[Part, int, int]] = []
        if row.exposed and self.is_compact:
            marks.append(("exposed", self.fonts.icon, self.fonts.icon))
        elif row.exposed:
            size = self.fonts.badge_size(translate("Services", "EXPOSED"))
            marks.append(("exposed", size.width(), size.height()))
        if row.faults and self.is_compact:
            marks.append(("faults", self.fonts.mark, self.fonts.icon))
        elif row.faults:
            size = self.fonts.badge_size(str(len(row.faults)))
            marks.append(("faults", size.width() + self.fonts.mark - 2, size.height()))
        if row.locked:
            marks.append(("lock", self.fonts.icon, self.fonts.icon))
        return marks

    def _least_beside(self, row: ServiceRow) -> int:
        """What the port and the least of the name need of the line of the compact view."""
        return self.fonts.name_room() + QFontMetrics(self.fonts.mono).horizontalAdvance(row.port) + 4

    def allow_rect(self, at: Layout) -> QRect:
        """Where Allow stands in the second line of a service that refused a host."""
        width = QFontMetrics(self.fonts.small).horizontalAdvance(translate("Services", "Allow")) + 16
        return QRect(at.second.right() + 1 - width, at.second.top() - 1, width, at.second.height() + 2)

    def part(self, rect: QRect, row: ServiceRow | Heading, point: QPoint) -> Part:
        """What of a row in ``rect`` is at ``point``."""
        if isinstance(row, Heading):
            return "heading"
        at = self.layout_of(rect)
        if at.button.adjusted(-4, -4, 4, 4).contains(point):
            return "button"
        if row.refused and not row.reason and not self.is_compact and self.allow_rect(at).contains(point):
            return "allow"
        for part, place in self.marks(row, at).items():
            if place.contains(point):
                return part
        return "figures" if point.x() >= at.figures_left and at.second.contains(point) else "row"
