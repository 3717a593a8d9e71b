"""One figure of a fault: a slider and a field for the same number, and a field for how much it varies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PyQt5.QtCore import QSize, Qt, pyqtSignal
from PyQt5.QtGui import QWheelEvent
from PyQt5.QtWidgets import QDoubleSpinBox, QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QSlider, QWidget

from app.options import Option
from ui.faults.sliders import POSITIONS, Scale
from ui.faults.words import bit_rate, is_share, label
from ui.forms.form import set_property, title
from ui.looks.declared import in_words
from ui.parts.labels import plain

LEAST, LABEL, SPREAD = 11, 10, 5
"""Digits of a field, of its label, and of the field of how much it varies, for which there is always room."""

LONGEST = 60
"""Digits of the width of a slider at most: a longer one is no finer."""

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
    def __init__(self, option: Option, least: int) -> None:
        """``least``: digits for which there is room."""
        super().__init__()
        self._least, self.factor = least, 100.0 if is_share(option) else 1.0
        self.setFocusPolicy(Qt.StrongFocus)
        self.setGroupSeparatorShown(True)
        self.setKeyboardTracking(False)
        self.setSizePolicy(QSizePolicy.Fixed, QSizePolicy.Fixed)
        self.setDecimals(0 if option.type is int else 1 if is_share(option) else 2)
        high = option.maximum if option.maximum is not None else 1e12
        self.setRange((option.minimum or 0.0) * self.factor, high * self.factor)

    def show_value(self, value: float) -> None:
        self.blockSignals(True)
        self.setValue(value * self.factor)
        self.blockSignals(False)
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        letters = self.fontMetrics()
        width = max(letters.horizontalAdvance("0") * self._least, letters.horizontalAdvance(self.text()) + 8)
        beside = 46 if self.buttonSymbols() != self.NoButtons else 28  # what the style keeps free at both sides
        return QSize(width + beside, super().sizeHint().height())

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
    """Both show the same number. A share is shown in per cent, the label of a rate says it in bit/s.

    Attributes:
        option: its declaration.
        spread: the declaration of how much it varies; None: that cannot be said.
        slider, number: its two parts.
        beside: the field of how much it varies.

    Signals:
        changed(str, object): the user has changed the option of that name to this value.
    """

    changed = pyqtSignal(str, object)

    def __init__(
        self, option: Option, value: float, of: str, spread: Option | None = None, varies: float = 0.0
    ) -> None:
        """``of`` is what the figure belongs to, for screen readers. ``varies`` is the value of ``spread``."""
        super().__init__()
        self.option, self.spread = option, spread
        self._value = float(value)
        self._scale = Scale.of(option, self._value)
        self.label = QLabel(label(option))
        self.label.setProperty("role", "dim")
        self.slider = _Slider(Qt.Horizontal)
        self.slider.setRange(0, POSITIONS)
        self.slider.setPageStep(POSITIONS // 20)
        self.slider.setSingleStep(POSITIONS // 100)
        self.slider.setMinimumWidth(32)
        self.number = _Number(option, LEAST)
        self.beside = _Number(spread, SPREAD) if spread is not None else None
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
        self.slider.setMaximumWidth(self.fontMetrics().horizontalAdvance("0") * LONGEST)
        row.addWidget(self.number)
        if self.beside is not None and spread is not None:
            self._add_beside(row, self.beside, spread, f"{of}: {title(spread.name)}")
            self.beside.show_value(varies)
        row.addStretch(0)  # what is left where the slider has its greatest length
        self._show()
        self.slider.valueChanged.connect(self._on_slider)
        self.number.valueChanged.connect(self._on_number)

    def _add_beside(self, row: QHBoxLayout, field: _Number, spread: Option, name: str) -> None:
        field.setPrefix("± ")
        field.setButtonSymbols(QDoubleSpinBox.NoButtons)
        field.setToolTip(plain(in_words(spread.help)))
        field.setAccessibleName(name)
        field.valueChanged.connect(self._on_beside)
        row.addWidget(field)

    @property
    def held(self) -> bool:
        """Whether the user has it in hand."""
        return self.slider.isSliderDown() or self.number.hasFocus()

    def show_spread(self, value: float) -> None:
        """Show how much it varies, which something else may have set."""
        if self.beside is not None and not self.beside.hasFocus():
            self.beside.show_value(value)

    def show_value(self, value: float) -> None:
        """Show another value, that something else has set."""
        if value != self._value and not self.held:
            self._value = float(value)
            self._scale = Scale.of(self.option, self._value)
            self._show()

    def tell(self, name: str, problem: str) -> None:
        """Say why the value of the option ``name``, if it is one of these, is not taken; "": it is."""
        for field, option in (self.number, self.option), (self.beside, self.spread):
            if field is not None and option is not None and option.name == name:
                set_property(field, "invalid", bool(problem))
                field.setToolTip(plain(problem or in_words(option.help)))
                field.setAccessibleDescription(problem)

    def _show(self) -> None:
        self.slider.blockSignals(True)
        self.slider.setValue(self._scale.position(self._value))
        self.slider.blockSignals(False)
        self.number.show_value(self._value)
        if self.option.unit == "bytes/s":
            self.label.setText(bit_rate(self._value))

    def _on_slider(self, position: int) -> None:
        self._take(self._scale.value(position))

    def _on_number(self, shown: float) -> None:
        value = round(shown / self.number.factor, 6)
        self._scale = Scale.of(self.option, value)
        self._take(value)

    def _on_beside(self, shown: float) -> None:
        if self.beside is not None and self.spread is not None:
            value = round(shown / self.beside.factor, 6)
            self.changed.emit(self.spread.name, int(value) if self.spread.type is int else value)

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
