"""The services panel: a card for each service, with lamp, address, traffic, and the error if it failed."""

from __future__ import annotations

from functools import partial

from PyQt5.QtCore import QEvent, QPoint, QRectF, QSize, Qt, QTimer, pyqtSignal
from PyQt5.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QFont,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
from PyQt5.QtWidgets import (
    QApplication,
    QFrame,
    QGridLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.post import Post
from app.services.protocols import PROTOCOLS
from app.services.service import Service
from app.status import Failed, Held, Listening, Starting, Status, Stopped, Stopping
from app.text.escapes import amount
from ui.bridge import Bridge
from ui.looks import shapes, theme
from ui.looks.icons import icon
from ui.parts.line import Line
from ui.parts.neighbours import still_there

STATES: dict[type, shapes.State] = {
    Stopped: "stopped",
    Starting: "starting",
    Listening: "listening",
    Stopping: "stopping",
    Failed: "failed",
    Held: "stopped",
}


SHOWN = 40
"""Characters of a refused host that fit on a card."""


class Lamp(QWidget):
    """Shows the state of a service by shape and colour."""

    def __init__(self) -> None:
        super().__init__()
        self._state: shapes.State = "stopped"
        self.setFixedSize(16, 16)

    def set_state(self, state: shapes.State) -> None:
        if state != self._state:
            self._state = state
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        shapes.paint_state(QPainter(self), self.rect(), self._state, theme.current())


class Badge(QWidget):
    """A word in a rounded frame: a protocol, or a warning."""

    def __init__(self, text: str, color: str = "") -> None:
        super().__init__()
        self._text, self._color = text, color
        theme.notifier.fonts_changed.connect(self._measure)
        self._measure()

    def _measure(self) -> None:
        font = QFont(theme.ui_font())
        font.setPointSizeF(font.pointSize() * 0.78)
        self.setFont(font)
        size = shapes.badge_size(self._text, font).toSize()
        self.setFixedSize(size + QSize(1, 1))

    def paintEvent(self, event: QPaintEvent) -> None:
        colors = theme.current()
        painter = QPainter(self)
        painter.setFont(self.font())
        color = getattr(colors, self._color) if self._color else None
        shapes.badge(painter, QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), self._text, colors, color)


class Sparkline(QWidget):
    """Shows the traffic of the last seconds as a line."""

    def __init__(self) -> None:
        super().__init__()
        self._values: list[float] = []
        self.setFixedSize(76, 18)
        self.setToolTip("Traffic of the last 20 seconds")

    def set_values(self, values: list[float]) -> None:
        if values != self._values:
            self._values = values
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if any(self._values):
            shapes.sparkline(QPainter(self), self.rect(), self._values, theme.current().accent)


class StartButton(QToolButton):
    """Starts or stops a service with one click. The second press of a double click is ignored."""

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        event.accept()


class ServiceCard(QFrame):
    """Shows one service.

    Signals:
        chosen: the card was clicked or focused.
        toggled: the user pressed the start or stop button, or Space.
        edit_wanted: the user double-clicked the card, or pressed Enter.
        host_allowed: the name by which the service is to answer from now on.
        menu_wanted: the global position of a context menu.
    """

    chosen = pyqtSignal()
    toggled = pyqtSignal()
    edit_wanted = pyqtSignal()
    host_allowed = pyqtSignal(str)
    menu_wanted = pyqtSignal(QPoint)

    def __init__(self, service: Service, bridge: Bridge) -> None:
        super().__init__()
        self.service, self._bridge = service, bridge
        self.setObjectName("card")
        self.setProperty("card", True)
        self.setFocusPolicy(Qt.StrongFocus)
        self.setSizePolicy(QSizePolicy.Preferred, QSizePolicy.Preferred)
        config = service.config
        self._lamp = Lamp()
        self._name = Line(config.name)
        self._name.setProperty("role", "strong")
        self._address = Line()
        self._address.setProperty("role", "address")
        self._state = QLabel()
        self._state.setWordWrap(True)
        self._state.setTextFormat(Qt.PlainText)
        self._spark = Sparkline()
        self.button = StartButton()
        self.button.setAutoRaise(True)
        self.button.setIconSize(QSize(14, 14))
        self.button.setFocusPolicy(Qt.NoFocus)
        self.button.clicked.connect(self.toggled)
        self.allow = QPushButton()
        self.allow.setFocusPolicy(Qt.TabFocus)
        self.allow.hide()
        self.allow.clicked.connect(lambda: self.host_allowed.emit(self.service.refused_host))
        self._shown: tuple[Status, str, str] | None = None
        self._lay_out(config.exposed, PROTOCOLS[config.protocol].label)
        self.refresh()

    def _lay_out(self, exposed: bool, label: str) -> None:
        grid = self._grid = QGridLayout(self)
        grid.setContentsMargins(8, 6, 6, 6)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        grid.addWidget(self._lamp, 0, 0)
        grid.addWidget(self._name, 0, 1)
        grid.addWidget(Badge(label), 0, 2, Qt.AlignRight | Qt.AlignVCenter)
        grid.addWidget(self.button, 0, 3)
        grid.addWidget(self._address, 1, 1, 1, 1 if exposed else 3)
        if exposed:
            warning = Badge("EXPOSED", "warning")
            warning.setToolTip("Others on the network can reach this service")
            grid.addWidget(warning, 1, 2, 1, 2, Qt.AlignRight)
        grid.addWidget(self._state, 2, 1)
        grid.addWidget(self._spark, 2, 2, 1, 2, Qt.AlignRight | Qt.AlignBottom)
        grid.addWidget(self.allow, 3, 1, 1, 3)

    def set_chosen(self, chosen: bool) -> None:
        self.setProperty("chosen", chosen)
        self.style().unpolish(self)
        self.style().polish(self)

    def refresh(self) -> None:
        """Show the current state of the service."""
        self._spark.set_values(list(self._bridge.of(self.service).spark))
        text = self._words()
        shown = (self.service.status, text, self.service.refused_host)
        if shown != self._shown:
            self._shown = shown
            self._show(text)
            self._offer(self.service.refused_host)

    def _offer(self, host: str) -> None:
        """Offer to answer to ``host``, which was refused, from now on."""
        self.allow.setVisible(bool(host))
        if host:
            self.allow.setText(self.tr("Allow this host: {}").format(_shortened(host)))
            words = self.tr("Somebody asked for this service as {}, and was refused. Allowing it restarts the service.")
            self.allow.setToolTip(words.format(host))
            self.allow.setAccessibleName(self.tr("Allow {} to answer to {}").format(self.service.config.name, host))

    def _show(self, text: str) -> None:
        service, status = self.service, self.service.status
        self._lamp.set_state(STATES[type(status)])
        self._address.setText(status.host if isinstance(status, Listening) else service.config.listen)
        failed = isinstance(status, Failed | Held)
        self._state.setProperty("role", "error" if isinstance(status, Failed) else "dim")
        self._state.setText(text)
        if failed != self._spark.isHidden():
            self._state.style().unpolish(self._state)
            self._state.style().polish(self._state)
            # The error takes the whole width, in place of the sparkline, which would be flat.
            self._spark.setHidden(failed)
            self._grid.addWidget(self._state, 2, 1, 1, 3 if failed else 1)
        up = isinstance(status, Starting | Listening)
        self.button.setIcon(icon("stop" if up else "play"))
        self.button.setToolTip("Stop (Space)" if up else "Start (Space)")
        self.button.setAccessibleName(f"{'Stop' if up else 'Start'} {service.config.name}")
        self.button.setEnabled(not isinstance(status, Stopping))
        self.setAccessibleName(f"{service.config.name}, {self._address.text()}, {text}")

    def _words(self) -> str:
        status = self.service.status
        if isinstance(status, Failed):
            return status.reason
        if isinstance(status, Held):
            return f"waits for your answer: {status.asks}"
        if not isinstance(status, Listening):
            return f"{type(status).__name__.lower()}{'' if isinstance(status, Stopped) else '…'}"
        count = len(self.service.connections)
        noun = "peer" if self.service.config.protocol == "udp" else "connection"
        rate = self._bridge.of(self.service).rate
        return f"{count:,} {noun}{'' if count == 1 else 's'} · {amount(rate)}/s"

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.MouseFocusReason)
        self.chosen.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        # Presses on the disabled button arrive here, too.
        if event.button() == Qt.LeftButton and not self.button.geometry().contains(event.pos()):
            self.edit_wanted.emit()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if not self.property("chosen"):
            self.chosen.emit()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.chosen.emit()
        self.menu_wanted.emit(event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key_Space:
            self.toggled.emit()
        elif event.key() in (Qt.Key_Return, Qt.Key_Enter):
            self.edit_wanted.emit()
        else:
            super().keyPressEvent(event)


def _shortened(host: str) -> str:
    return host if len(host) <= SHOWN else f"{host[: SHOWN - 1]}…"


class ServicesPanel(QScrollArea):
    """The cards of all services.

    Attributes:
        cards: by the service's name.

    Signals:
        chosen: the name of the selected service, or "".
        toggled, edit_wanted: the service's name.
        host_allowed: the service's name, and the name by which it is to answer from now on.
        menu_wanted: the global position of a context menu for the selected service.
    """

    chosen = pyqtSignal(str)
    toggled = pyqtSignal(str)
    edit_wanted = pyqtSignal(str)
    host_allowed = pyqtSignal(str, str)
    menu_wanted = pyqtSignal(QPoint)

    def __init__(self, post: Post, bridge: Bridge) -> None:
        super().__init__()
        self._post, self._bridge = post, bridge
        self.cards: dict[str, ServiceCard] = {}
        self.selected = ""
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.NoFocus)
        self.setAccessibleName("Services")
        self._inner = QWidget()
        self._inner.setProperty("surface", "panel")
        self._inner.setAttribute(Qt.WA_StyledBackground)
        self._column = QVBoxLayout(self._inner)
        self._column.setContentsMargins(8, 4, 8, 8)
        self._column.setSpacing(6)
        self._empty = QLabel("No service yet.\nPress New service to add one.")
        self._empty.setProperty("role", "dim")
        self._empty.setAlignment(Qt.AlignCenter)
        self._empty.setWordWrap(True)
        self._column.addWidget(self._empty)
        self._column.addStretch(1)
        self.setWidget(self._inner)
        bridge.services_changed.connect(self.rebuild)
        bridge.status_changed.connect(self._on_status)
        bridge.measured.connect(self._on_measured)
        self.rebuild()

    def rebuild(self) -> None:
        """Make all cards again, after services were added, removed or replaced."""
        focused, before = any(card.hasFocus() for card in self.cards.values()), list(self.cards)
        for card in self.cards.values():
            card.blockSignals(True)  # hiding a card moves the focus to the next one
        for card in self.cards.values():
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()
        self.cards = {}
        for i, (name, service) in enumerate(self._post.services.items()):
            card = self.cards[name] = ServiceCard(service, self._bridge)
            card.chosen.connect(partial(self.select, name))
            card.toggled.connect(partial(self.toggled.emit, name))
            card.edit_wanted.connect(partial(self.edit_wanted.emit, name))
            card.host_allowed.connect(partial(self.host_allowed.emit, name))
            card.menu_wanted.connect(self.menu_wanted)
            self._column.insertWidget(i, card)
        self._empty.setVisible(not self.cards)
        self.select(still_there(self.selected, before, list(self.cards)))
        if focused and self.selected:
            self.cards[self.selected].show()  # a hidden widget cannot get the focus
            self.cards[self.selected].setFocus(Qt.OtherFocusReason)

    def show_service(self, name: str) -> None:
        """Select this service, unless it is selected."""
        if name != self.selected:
            self.select(name)

    def select(self, name: str) -> None:
        self.selected = name
        for card_name, card in self.cards.items():
            card.set_chosen(card_name == name)
        QTimer.singleShot(0, self._scroll)  # later, because a new card has no position yet
        self.chosen.emit(name)

    def _scroll(self) -> None:
        QApplication.sendEvent(self, QEvent(QEvent.LayoutRequest))  # makes the list grow now
        if self.selected in self.cards:
            self.ensureWidgetVisible(self.cards[self.selected])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key_Up: -1, Qt.Key_Down: 1}.get(event.key())  # type: ignore[call-overload]
        names = list(self.cards)
        if step is None or not names:
            super().keyPressEvent(event)
            return
        at = names.index(self.selected) if self.selected in names else 0
        name = names[max(0, min(len(names) - 1, at + step))]
        self.cards[name].setFocus(Qt.TabFocusReason)
        self.select(name)

    def _on_status(self, service: Service) -> None:
        card = self.cards.get(service.config.name)
        if card is not None and card.service is service:
            card.refresh()

    def _on_measured(self) -> None:
        if self.isVisible():
            for card in self.cards.values():
                card.refresh()
