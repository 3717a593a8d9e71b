"""Editors of single options that are special to rules: the method and the status of HTTP."""

from __future__ import annotations

from typing import Any

from PyQt5.QtCore import QSize, Qt, pyqtSignal
from PyQt5.QtGui import QFocusEvent, QMouseEvent
from PyQt5.QtWidgets import QComboBox, QLineEdit, QSizePolicy

from app.http.reason_phrases import PHRASES
from app.options import Option
from ui.forms.dropdown import Dropdown
from ui.forms.editors import BACK

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")

STATUSES = (200, 201, 202, 204, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 409, 410, 418, 422, 429,
            500, 501, 502, 503, 504)  # fmt: skip
"""Those that the editor offers; any other can be typed."""

DIGITS = 9
"""More are no status, and are not made a number."""

LEAST = 6
"""Characters of an editor for which there is always room."""


class _Offering(Dropdown):
    """A field to type in that offers the usual values."""

    changed = pyqtSignal()

    def __init__(
        self, option: Option, text: str, offered: tuple[str, ...], chars: int, line: QLineEdit | None = None
    ) -> None:
        super().__init__()
        self.setLineEdit(line or QLineEdit())
        self.setInsertPolicy(QComboBox.NoInsert)
        self.addItems(offered)
        self.setCompleter(None)  # type: ignore[arg-type]
        self.setEditText(text)
        self.lineEdit().home(False)
        self.setProperty("role", "mono")
        self.setMaxVisibleItems(12)
        self.setSizePolicy(QSizePolicy.Maximum, QSizePolicy.Fixed)
        self.setSizeAdjustPolicy(QComboBox.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(chars)
        self.editTextChanged.connect(lambda _: self.changed.emit())

    def minimumSizeHint(self) -> QSize:
        """Smaller than Qt's, which has room for all that ``sizeHint`` has."""
        hint = super().minimumSizeHint()
        return QSize(min(hint.width(), self.fontMetrics().horizontalAdvance("0") * LEAST + 44), hint.height())

    def setPlaceholderText(self, text: str) -> None:
        self.lineEdit().setPlaceholderText(text)


class MethodEditor(_Offering):
    """Methods of a request, with commas between; empty: any."""

    def __init__(self, option: Option, value: Any) -> None:
        super().__init__(option, str(value), ("", *METHODS), 8)

    def value(self) -> str:
        return self.currentText().strip()


class _Whole(QLineEdit):
    """Selects all when a click brings the focus, so that what is typed replaces it; the next click sets the cursor."""

    _fresh = False

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._fresh = event.reason() == Qt.MouseFocusReason

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if self._fresh and not self.hasSelectedText():
            self.selectAll()
        self._fresh = False


class StatusEditor(_Offering):
    """The status of an answer, a number, shown with the words that belong to it."""

    def __init__(self, option: Option, value: Any) -> None:
        super().__init__(option, _told(value), tuple(map(_told, STATUSES)), 24, _Whole())

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() not in (*BACK, Qt.MouseFocusReason):
            self.lineEdit().selectAll()

    def value(self) -> Any:
        """A whole number; the text where it is none, or has other words behind it than those of that status."""
        text = self.currentText().strip()
        first, _, words = text.partition(" ")
        if not (first.isascii() and first.isdigit()) or len(first) > DIGITS:
            return text
        return int(first) if PHRASES.get(int(first), "").lower().startswith(words.strip().lower()) else text


def _told(status: Any) -> str:
    return f"{status} {PHRASES[status]}" if status in PHRASES else str(status)


EDITORS = {"method": MethodEditor, "status": StatusEditor}
