"""One figure of a fault: a slider and a field for the same number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PyQt5.QtCore import QSize, Qt, pyqtSignal
from PyQt5.QtGui import QWheelEvent
from PyQt5.QtWidgets import QDoubleSpinBox, QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QSlider, QWidget

from app.options import Option
from ui.faults.figures import POSITIONS, Scale
from ui.faults.words import is_share, label
from ui.forms.form import set_property, title
from ui.looks.declared import in_words
from ui.parts.labels import plain

LEAST, LABEL = 11, 10
"""Digits of a field, and of its label, for which there is always room."""

SHORT = {"bytes": "B", "bytes/s": "B/s"}
"""Units in the fields."""


class _Slider(QSlider):
    """Leaves the wheel to what it stands in, until it has the keyboard."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class _Number(QDoubleSpinBox):
    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.StrongFocus)
        self.setGroupSeparatorShown(True)
        self.setKeyboardTracking(False)
        self.setSizePolicy(QSizePolicy.Fixed, QSizePolicy.Fixed)

    def sizeHint(self) -> QSize:
        letters = self.fontMetrics()
        width = max(letters.horizontalAdvance("0") * LEAST, letters.horizontalAdvance(self.text()) + 8)
        return QSize(width + 46, super().sizeHint().height())

    minimumSizeHint = sizeHint

    def textFromValue(self, value: float) -> str:
        text = super().textFromValue(value)
        point = self.locale().decimalPoint()
        return text.rstrip("0").rstrip(point) if point in text else text

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class Figure(QWidget):
    """Both show the same number. A share is shown in per cent.

    Attributes:
        option: its declaration.
        slider, number: its two parts.

    Signals:
        changed(str, object): the user has changed the option of that name to this value.
    """

    changed = pyqtSignal(str, object)

    def __init__(self, option: Option, value: float, of: str) -> None:
        """``of`` is what the figure belongs to, for screen readers."""
        super().__init__()
        self.option = option
        self._value = float(value)
        self._scale = Scale.of(option, self._value)
        self._factor = 100.0 if is_share(option) else 1.0
        self.label = QLabel(label(option))
        self.label.setProperty("role", "dim")
        self.slider = _Slider(Qt.Horizontal)
        self.slider.setRange(0, POSITIONS)
        self.slider.setPageStep(POSITIONS // 20)
        self.slider.setSingleStep(POSITIONS // 100)
        self.slider.setMinimumWidth(60)
        self.number = _Number()
        self.number.setDecimals(0 if option.type is int else 1 if is_share(option) else 2)
        high = option.maximum if option.maximum is not None else 1e12
        self.number.setRange((option.minimum or 0.0) * self._factor, high * self._factor)
        unit = "%" if is_share(option) else SHORT.get(option.unit, in_words(option.unit))
        self.number.setSuffix(f" {unit}" if unit else "")
        self.label.setBuddy(self.number)
        self.label.setMinimumWidth(self.fontMetrics().horizontalAdvance("0") * LABEL)
        for part in (self.slider, self.number):
            part.setToolTip(plain(in_words(option.help)))
            part.setAccessibleName(f"{of}: {title(option.name)}")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.label)
        row.addWidget(self.slider, 1)
        row.addWidget(self.number)
        self._show()
        self.slider.valueChanged.connect(self._on_slider)
        self.number.valueChanged.connect(self._on_number)

    @property
    def held(self) -> bool:
        """Whether the user has it in hand."""
        return self.slider.isSliderDown() or self.number.hasFocus()

    def show_value(self, value: float) -> None:
        """Show another value, that something else has set."""
        if value != self._value and not self.held:
            self._value = float(value)
            self._scale = Scale.of(self.option, self._value)
            self._show()

    def tell(self, problem: str) -> None:
        """Say why the value is not taken; "": it is."""
        set_property(self.number, "invalid", bool(problem))
        self.number.setToolTip(plain(problem or in_words(self.option.help)))
        self.number.setAccessibleDescription(problem)

    def _show(self) -> None:
        for part in (self.slider, self.number):
            part.blockSignals(True)
        self.slider.setValue(self._scale.position(self._value))
        self.number.setValue(self._value * self._factor)
        for part in (self.slider, self.number):
            part.blockSignals(False)
        self.number.updateGeometry()

    def _on_slider(self, position: int) -> None:
        self._take(self._scale.value(position))

    def _on_number(self, shown: float) -> None:
        value = round(shown / self._factor, 6)
        self._scale = Scale.of(self.option, value)
        self._take(value)

    def _take(self, value: float) -> None:
        self._value = value
        self._show()
        self.changed.emit(self.option.name, self.value())

    def value(self) -> Any:
        """As the workspace has it."""
        return int(self._value) if self.option.type is int else self._value


class Figures(QWidget):
    """The figures of one fault, in columns."""

    def __init__(self, figures: Sequence[Figure]) -> None:
        super().__init__()
        self.figures = tuple(figures)
        self._columns = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(24)
        self._grid.setVerticalSpacing(4)
        self.arrange(1)

    def arrange(self, columns: int) -> None:
        """Have so many figures beside each other."""
        columns = max(1, columns)
        if columns == self._columns:
            return
        self._columns = columns
        for at, figure in enumerate(self.figures):
            self._grid.removeWidget(figure)
            self._grid.addWidget(figure, at // columns, at % columns)
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, int(column < columns))
