"""The head of a service's page: what it is and how it is, its sections, and its start and stop."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QObject, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QIcon, QMouseEvent, QPainter, QPaintEvent, QPalette, QResizeEvent
from PyQt5.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QStyle,
    QStyleOptionFrame,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from app.services.protocols import PROTOCOLS
from app.services.service import Service
from app.status import Listening, Starting, Stopping, Waiting
from ui.forms.form import set_property
from ui.looks.icons import icon
from ui.parts.labels import plain
from ui.parts.line import Line
from ui.services.rows import STATES
from ui.workbench.page.marks import Badge, Lamp

NAME_CHARS = 8
"""Least characters of a name for which there is room."""
ROOM = 24
"""Pixels that stay free where the sections stand beside the name."""


class NameEdit(QLineEdit):
    """A name that ends with "…" where it has no room and is not being edited."""

    def paintEvent(self, event: QPaintEvent) -> None:
        option = QStyleOptionFrame()
        self.initStyleOption(option)
        room = self.style().subElementRect(QStyle.SE_LineEditContents, option, self).adjusted(2, 0, -2, 0)
        shown = self.fontMetrics().elidedText(self.text(), Qt.ElideRight, room.width())
        if self.hasFocus() or shown == self.text():
            super().paintEvent(event)
            return
        painter = QPainter(self)
        self.style().drawPrimitive(QStyle.PE_PanelLineEdit, option, painter, self)
        painter.setPen(self.palette().color(QPalette.Text))
        painter.drawText(room, int(Qt.AlignVCenter | Qt.AlignLeft | Qt.TextSingleLine), shown)


class ServiceHeader(QWidget):
    """One line, or two where the window is narrow.

    Attributes:
        name: the name, which can be edited.
        sections: a tab for each section.
        later: says what is not applied yet; a click goes there.

    Signals:
        toggled(): the service is to be started or stopped.
        address_clicked(): the address is to be changed.
    """

    toggled = pyqtSignal()
    address_clicked = pyqtSignal()

    def __init__(self, service: Service) -> None:
        super().__init__()
        config = service.config
        self.setProperty("surface", "panel")
        self.setAttribute(Qt.WA_StyledBackground)
        self._lamp = Lamp()
        self.name = NameEdit(config.name)
        self.name.editingFinished.connect(self._show_beginning)
        self.name.setMaxLength(200)
        self.name.home(False)  # a long name is cut at its end
        self.name.setProperty("role", "name")
        self.name.setAccessibleName(self.tr("Name"))
        self.name.setToolTip(self.tr("Name: click to change it"))
        self.name.textChanged.connect(lambda _: self._fit_name())
        self._badges = QHBoxLayout()
        self._badges.setSpacing(6)
        self._address = Line()
        self._address.setProperty("role", "address")
        self._address.setCursor(Qt.PointingHandCursor)
        self._address.installEventFilter(self)
        self.later = QPushButton()
        self.later.setProperty("link", "warning")
        self.later.setAutoDefault(False)
        self.later.hide()
        self.sections = QTabBar()
        self.sections.setExpanding(False)
        self.sections.setDrawBase(False)
        self.sections.setUsesScrollButtons(True)
        self.sections.setAccessibleName(self.tr("Sections"))
        self.sections.setProperty("sections", True)
        self.button = QPushButton()
        self.button.setIconSize(QSize(12, 12))
        self.button.setAutoDefault(False)
        self.button.clicked.connect(self.toggled)
        self._first, self._whole = QHBoxLayout(), QVBoxLayout(self)
        for widget in (self._lamp, self.name):
            self._first.addWidget(widget)
        self._first.addLayout(self._badges)
        self._first.addWidget(self._address, 1)
        self._first.addWidget(self.later)
        self._first.addWidget(self.button)
        self._first.setSpacing(10)
        self._first.setContentsMargins(16, 8, 12, 8)
        self._second = QHBoxLayout()
        self._second.setContentsMargins(8, 0, 8, 0)
        self._second.addWidget(self.sections)
        self._second.addStretch(1)
        self._whole.setContentsMargins(0, 0, 0, 0)
        self._whole.setSpacing(0)
        self._whole.addLayout(self._first)
        self._whole.addLayout(self._second)
        self._in_line = False
        self._fit_name()
        self.show_service(service)

    def show_service(self, service: Service) -> None:
        """Show the state, protocol and address as they are now."""
        status, config = service.status, service.config
        self._lamp.set_state(STATES[type(status)])
        self._address.setText(status.host if isinstance(status, Listening) else config.listen)
        words = [(PROTOCOLS[config.protocol].label, "")]
        words += [("TLS", "")] if config.tls is not None else []
        words += [(self.tr("EXPOSED"), "warning")] if config.exposed else []
        self._show_badges(words)
        up = isinstance(status, Starting | Listening | Waiting)
        self.button.setText(" " + (self.tr("Stop") if up else self.tr("Start")))
        self.button.setIcon(icon("stop" if up else "play"))
        self.button.setToolTip(self.tr("Stop this service (F5)") if up else self.tr("Start this service (F5)"))
        self.button.setEnabled(not isinstance(status, Stopping))

    def _show_badges(self, words: list[tuple[str, str]]) -> None:
        if words == getattr(self, "_shown_badges", None):
            return
        self._shown_badges = words
        while self._badges.count():
            old = self._badges.takeAt(0).widget()
            old.hide()
            old.deleteLater()
        for word, color in words:
            self._badges.addWidget(Badge(word, color))

    def order(self) -> tuple[QWidget, ...]:
        """The parts that Tab goes through, in their order."""
        return self.name, self.sections, self.later, self.button

    def show_name(self, name: str, problem: str) -> None:
        """Say whether the name can be used."""
        set_property(self.name, "invalid", bool(problem))
        self.name.setToolTip(plain(problem) if problem else self.tr("Name: click to change it"))
        self.name.setAccessibleDescription(problem)

    def say_later(self, words: str) -> None:
        """Say what is not applied yet; "" where all is."""
        self.later.setText(words)
        self.later.setVisible(bool(words))

    def set_wrong(self, section: int, wrong: bool) -> None:
        """Mark a section that has a mistake."""
        self.sections.setTabIcon(section, icon("warning", "bad") if wrong else QIcon())

    def _show_beginning(self) -> None:
        self.name.home(False)

    def _fit_name(self) -> None:
        self.name.ensurePolished()  # its letters are larger than others
        metrics = self.name.fontMetrics()
        width = max(metrics.horizontalAdvance(self.name.text()), metrics.horizontalAdvance("0") * 2) + 28
        self.name.setMaximumWidth(width)
        self.name.setMinimumWidth(min(width, metrics.horizontalAdvance("0") * NAME_CHARS + 28))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.MouseButtonRelease and isinstance(event, QMouseEvent):
            inside = self._address.rect().contains(event.pos())
            if watched is self._address and inside and event.button() == Qt.LeftButton:
                self.address_clicked.emit()
        return super().eventFilter(watched, event)

    def event(self, event: QEvent) -> bool:
        done = super().event(event)
        if event.type() == QEvent.LayoutRequest:  # a part has become wider or narrower
            self._arrange(self.width())
        return done

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange(event.size().width())

    def _arrange(self, width: int) -> None:
        """Put the sections beside the name where there is room for both, else below it.

        What both need is the same whichever of the two they are: else they would move to and fro for ever.
        """
        sections = self.sections.sizeHint().width() + self._first.spacing()
        beside = self._first.sizeHint().width() - (sections if self._in_line else 0)
        in_line = width >= beside + sections + ROOM
        if in_line != self._in_line:
            self._in_line = in_line
            target: QBoxLayout = self._first if in_line else self._second
            self._second.removeWidget(self.sections)
            self._first.removeWidget(self.sections)
            target.insertWidget(self._first.count() - 2 if in_line else 0, self.sections)
