"""Shows a payload or body as a picture, JSON, XML, text, bytes, or the parts that it has, whichever fits."""

from __future__ import annotations

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QSplitter, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from app.http.contents import Content
from app.http.forms import Part
from app.text import encodings
from ui.detail.code_view import CodeView
from ui.detail.facts import exact_size
from ui.detail.hex_view import HexView
from ui.detail.item_list import ItemList
from ui.detail.page import CutNotice, PartShown, Shown
from ui.detail.picture import PictureView
from ui.detail.plain_text import MAX_CODE, PlainText, code_of, readable
from ui.detail.sheet import visible
from ui.parts.line import Line

LOW = 16
"""Lines of text: with less height, the list of parts stands beside the part that is shown."""

MAX_CELL = 200
"""Characters of a name that a part's row shows."""


class BodyView(QWidget):
    """Selects the view that fits a content, with a heading above it.

    Attributes:
        heading: what is shown, its type and size.
        parts: the list of a multipart body's parts; the current one is shown below it.
        shown: what is shown, of a multipart body the current part.

    Signals:
        save_part: the number, from 0, of the part that the user wants to save.
    """

    save_part = pyqtSignal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.heading = Line()
        self.heading.setProperty("role", "heading")
        self.notice = CutNotice()
        self.parts = ItemList([self.tr("Part"), self.tr("File"), self.tr("Type"), self.tr("Bytes")], right=(3,))
        self.parts.setAccessibleName(self.tr("Parts of the body"))
        self.parts.chosen.connect(self._on_part)
        self.part_button = QToolButton()
        self.part_button.setText(self.tr("Save part as…"))
        self.part_button.setToolTip(self.tr("Save the part that is shown to a file"))
        self.part_button.clicked.connect(lambda _=False: self.save_part.emit(self.parts.row()))
        self.save_button = QToolButton()
        self.save_button.setText(self.tr("Save…"))
        self.save_button.setToolTip(self.tr("Save the whole body to a file"))
        self.save_button.hide()
        for button in (self.part_button, self.save_button):
            button.setProperty("link", True)
            button.setFocusPolicy(Qt.TabFocus)
        self.code, self.text, self.hex, self.picture = CodeView(), PlainText(), HexView(), PictureView()
        self.words = QLabel()
        self.words.setTextFormat(Qt.PlainText)
        self.words.setProperty("role", "dim")
        self.words.setAlignment(Qt.AlignCenter)
        self.words.setWordWrap(True)
        self.code.setAccessibleName(self.tr("Body"))
        self.text.setAccessibleName(self.tr("Body"))
        self.views = QStackedWidget()
        for view in (self.words, self.code, self.text, self.hex, self.picture):
            self.views.addWidget(view)
        self._content = Content()
        self._lay_out()

    def _lay_out(self) -> None:
        title = QHBoxLayout()
        title.setContentsMargins(16, 4, 8, 2)
        title.addWidget(self.heading, 1)
        title.addWidget(self.part_button)
        title.addWidget(self.save_button)
        title.addStrut(self.save_button.sizeHint().height())
        self._sides = QSplitter(Qt.Vertical)
        self._sides.setHandleWidth(1)
        self._sides.setChildrenCollapsible(False)
        self._sides.addWidget(self.parts)
        self._sides.addWidget(self.views)
        self._sides.setStretchFactor(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(title)
        layout.addWidget(self.notice)
        layout.addWidget(self._sides, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share()

    def _share(self) -> None:
        """Place the parts above the part that is shown; beside it where there is little height."""
        if not self._content.parts:
            return
        low = self._sides.height() < LOW * self.fontMetrics().lineSpacing()
        self._sides.setOrientation(Qt.Horizontal if low else Qt.Vertical)
        if low:
            self._sides.setSizes([self.width() * 11 // 20, self.width() * 9 // 20])
        else:
            rows = self.parts.sizeHint().height()
            self._sides.setSizes([rows, max(0, self._sides.height() - rows)])

    def show_content(self, what: Shown, name: str) -> None:
        """Show the content of ``what`` under the heading ``name``."""
        content = self._content = what.content
        size = [exact_size(len(content.data))] if content.data and not content.cut else []
        if content.coding:
            sent = self.tr("{coding}, {size} sent")
            size = [*size, sent.format(coding=visible(content.coding), size=exact_size(content.size))]
        self.heading.setText("  ·  ".join([name, *size, *([visible(content.kind)] if content.kind else [])]))
        several = bool(content.parts)
        self.parts.setVisible(several)
        self.part_button.setVisible(several)
        shown = len(content.data)
        if several:
            self.parts.show_rows([_cells(part) for part in content.parts])
            self._on_part(0)
            self._share()
        else:
            shown = self._show(what)
        self.notice.show_content(what, shown)

    def part(self, number: int) -> Part:
        """The part of the multipart body with this number, from 0."""
        return self._content.parts[number]

    def _on_part(self, number: int) -> None:
        content = self._content
        last = number == len(content.parts) - 1
        self._show(PartShown(content.parts[number], whole=not last or (content.whole and not content.cut)))

    def _show(self, what: Shown) -> int:
        """Show bytes in the view that fits them. Returns how many are shown."""
        content = what.content
        shown = len(content.data)
        if what.problem or not content.data:
            self.words.setText(what.problem or self.tr("No bytes"))
            self.views.setCurrentWidget(self.words)
        elif what.kind == "image":
            self.picture.show_picture(content.data)
            self.views.setCurrentWidget(self.picture)
        elif what.kind:
            shown, text = code_of(what)
            self.code.show_code(text, what.kind)
            self.views.setCurrentWidget(self.code)
        elif encoding := encodings.of_text(content.data, content.charset):
            shown, plain = readable(content, encoding, MAX_CODE)
            self.text.show_text(plain)
            self.views.setCurrentWidget(self.text)
        else:
            self.hex.set_data(content.data)
            self.views.setCurrentWidget(self.hex)
        return shown

    def selection(self) -> str:
        """The text that is selected in the view."""
        view = self.views.currentWidget()
        if isinstance(view, CodeView | PlainText):
            return view.textCursor().selection().toPlainText()
        return self.hex.selected_bytes().hex(" ") if view is self.hex else ""


def _cells(part: Part) -> list[str]:
    name = f"{'    ' * part.depth}{'–' if part.name is None else visible(part.name)}"
    return [name[:MAX_CELL], visible(part.file or "")[:MAX_CELL], visible(part.kind)[:MAX_CELL], f"{len(part.data):,}"]
