"""One alert in the dock."""

from __future__ import annotations

from PyQt5.QtCore import QRectF, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QColor, QPainter, QPaintEvent
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.alerts.alert import Alert
from app.alerts.counting import Watched
from app.alerts.lanes import Lanes
from ui.alerts import words
from ui.forms.form import set_property
from ui.looks import theme
from ui.parts.line import Line
from ui.parts.small_button import small_button


class Lamp(QWidget):
    """A disc in a colour of the theme."""

    def __init__(self) -> None:
        super().__init__()
        self._color = "dim"
        self.setFixedSize(QSize(12, 12))

    def show_color(self, name: str) -> None:
        if name != self._color:
            self._color = name
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.Antialiasing)
        painter.setPen(Qt.NoPen)
        painter.setBrush(QColor(getattr(theme.current(), self._color)))
        painter.drawEllipse(QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5))


class AlertRow(QFrame):
    """A lamp, name and condition, state and outcomes, and what can be done with it.

    Signals:
        edit_wanted(str), try_wanted(str), remove_wanted(str), events_wanted(str): the user wants that of this alert.
    """

    edit_wanted = pyqtSignal(str)
    try_wanted = pyqtSignal(str)
    remove_wanted = pyqtSignal(str)
    events_wanted = pyqtSignal(str)

    def __init__(self, alert: Alert) -> None:
        super().__init__()
        self.alert = alert
        self.setProperty("row", True)
        self.lamp = Lamp()
        self.name, self.condition, self.state, self.done = Line(), Line(), Line(), Line()
        self.events = QPushButton(self.tr("Events"))
        self.events.setProperty("link", True)
        self.edit = QPushButton(self.tr("Edit"))
        self.try_it = QPushButton(self.tr("Try it"))
        self.remove = small_button("trash", self.tr("Remove this alert from the workspace"))
        self._lay_out()
        name = alert.name
        self.events.clicked.connect(lambda: self.events_wanted.emit(name))
        self.edit.clicked.connect(lambda: self.edit_wanted.emit(name))
        self.try_it.clicked.connect(lambda: self.try_wanted.emit(name))
        self.remove.clicked.connect(lambda: self.remove_wanted.emit(name))

    def _lay_out(self) -> None:
        self.name.setProperty("role", "strong")
        self.condition.setProperty("role", "dim")
        self.done.setProperty("role", "dim")
        self.name.setText(self.alert.name)
        self.condition.setText(words.condition(self.alert))
        left, right = QVBoxLayout(), QVBoxLayout()
        for column, upper, lower in ((left, self.name, self.condition), (right, self.state, self.done)):
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(0)
            column.addWidget(upper)
            column.addWidget(lower)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 8, 6)
        row.setSpacing(12)
        row.addWidget(self.lamp, 0, Qt.AlignVCenter)
        row.addLayout(left, 2)
        row.addLayout(right, 3)
        self.events.setToolTip(self.tr("Show the events that match the filter of this alert"))
        self.try_it.setToolTip(self.tr("Send a test through each action of the alert; no service is stopped"))
        for button in (self.events, self.try_it, self.edit):
            button.setAutoDefault(False)
            button.setAccessibleName(f"{self.alert.name}: {button.text()}")
            row.addWidget(button)
        self.remove.setAccessibleName(f"{self.alert.name}: {self.remove.toolTip()}")
        row.addWidget(self.remove)

    def refresh(self, one: Watched | None, lanes: Lanes, now: float) -> None:
        """Show its state as it is now."""
        said, color = words.state(one, now)
        if said != self.state.text():
            self.state.setText(said)
        self.lamp.show_color(color)
        self.lamp.setToolTip(said)
        done, well = words.outcomes(self.alert, lanes)
        if done != self.done.text():
            self.done.setText(done)
        set_property(self.done, "role", "dim" if well else "warning")
