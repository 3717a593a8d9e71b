"""Series of one's own: a filter, and what is shown of the events that fit; each has a chip that removes it."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtCore import QSize, Qt, pyqtSignal
from PyQt5.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.capture.reading.own_series import AVERAGED, BYTES, COUNT, MEASURES, MOST_SERIES, Wish
from ui.looks.icons import icon
from ui.panes.filter_box import FilterBox
from ui.parts.labels import mark_accessible, unmarked
from ui.parts.small_button import small_button

MOST_CHARS = 32


class SeriesBar(QWidget):
    """Where a series is typed, and the chips of those that are shown. Hidden until one is wanted.

    Signals:
        wished: carries all series that are to be shown.
    """

    wished = pyqtSignal(object)

    def __init__(self, services: Callable[[], list[str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.wishes: tuple[Wish, ...] = ()
        self.filter = FilterBox(lambda: {"service": services()})
        self.filter.setPlaceholderText(self.tr("Filter: http.status >= 500; empty: all events"))
        self.filter.setToolTip(
            self.tr("The series shows the events that match; Return adds the series, Esc closes this line")
        )
        mark_accessible(self.filter, self.tr("Filter of the series"), self.tr("The series shows the events that match"))
        self.measure = QComboBox()
        for measure in MEASURES:
            self.measure.addItem(self._words(measure), measure)
        mark_accessible(self.measure, self.tr("What the series shows"), "")
        self.add = QPushButton(self.tr("Add"))
        self.add.setAutoDefault(False)
        self.add.setToolTip(self.tr("Show this series (Return)"))
        self.add.clicked.connect(self._add)
        self.close_bar = small_button("close", self.tr("Close ({keys})").format(keys="Esc"))
        self.close_bar.clicked.connect(self.hide)
        self._typing = QWidget()
        row = QHBoxLayout(self._typing)
        row.setContentsMargins(0, 0, 0, 0)
        for part, stretch in ((self.measure, 0), (self.filter, 1), (self.add, 0), (self.close_bar, 0)):
            row.addWidget(part, stretch)
        self._chips = QHBoxLayout()
        self._chips.setContentsMargins(0, 0, 0, 0)
        self._chips.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 0, 12, 6)
        column.addWidget(self._typing)
        column.addLayout(self._chips)
        self.filter.entered.connect(self._add)
        self.filter.left.connect(self.hide)

    def _words(self, measure: str) -> str:
        if measure == COUNT:
            return self.tr("Events per second")
        if measure == BYTES:
            return self.tr("Bytes per second")
        assert measure in AVERAGED
        return self.tr("Average of {field}").format(field=measure)

    def begin(self) -> None:
        """Show it, and give it the keyboard."""
        self.show()
        self.filter.setFocus(Qt.ShortcutFocusReason)

    def show_wishes(self, wishes: tuple[Wish, ...]) -> None:
        """Show the chips of these series."""
        self.wishes = wishes
        while self._chips.count() > 1:
            item = self._chips.takeAt(0)
            if item.widget() is not None:
                item.widget().deleteLater()
        for at, wish in enumerate(wishes):
            self._chips.insertWidget(at, self._chip(wish))
        if not wishes:
            hint = QLabel(
                self.tr("Up to six series, in a chart of their own. Events are read from the newest to the oldest.")
            )
            hint.setProperty("role", "dim")
            self._chips.insertWidget(0, hint)
        full = len(wishes) >= MOST_SERIES
        self.add.setEnabled(not full)

    def _chip(self, wish: Wish) -> QPushButton:
        text = str(wish)
        chip = QPushButton()
        chip.setAutoDefault(False)
        chip.setProperty("chip", True)
        chip.setIcon(icon("close"))
        chip.setIconSize(QSize(10, 10))
        chip.setText(unmarked(text if len(text) <= MOST_CHARS else f"{text[: MOST_CHARS - 1]}…"))
        chip.setToolTip(self.tr("Remove this series"))
        mark_accessible(chip, text, self.tr("Remove this series"))
        chip.clicked.connect(lambda: self.wished.emit(tuple(one for one in self.wishes if one != wish)))
        return chip

    def _add(self) -> None:
        if not self.filter.apply() or len(self.wishes) >= MOST_SERIES:
            return
        wish = Wish(self.filter.text().strip(), self.measure.currentData())
        if wish not in self.wishes:
            self.wished.emit((*self.wishes, wish))
        self.filter.clear()
