"""Shows a payload or body as a picture, JSON, XML, text, or bytes, whichever fits."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QLabel, QStackedWidget, QVBoxLayout, QWidget

from app.text import encodings
from ui.detail.code_view import CodeView
from ui.detail.facts import written_size
from ui.detail.hex_view import HexView
from ui.detail.page import CutNotice, Subject
from ui.detail.picture import PictureView
from ui.detail.plain_text import MAX_CODE, PlainText, code_of, readable
from ui.detail.sheet import visible
from ui.parts.line import Line


class BodyView(QWidget):
    """Selects the view that fits a content, with a heading above it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.heading = Line()
        self.heading.setProperty("role", "heading")
        self.heading.setContentsMargins(16, 10, 16, 4)
        self.notice = CutNotice()
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
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.heading)
        layout.addWidget(self.notice)
        layout.addWidget(self.views, 1)

    def show_content(self, subject: Subject, name: str) -> None:
        """Show the content of ``subject`` under the heading ``name``."""
        content = subject.content
        size = [written_size(len(content.data))] if content.data and not content.cut else []
        if content.coding:
            size = [*size, f"{visible(content.coding)}, {written_size(content.size)} sent"]
        self.heading.setText("  ·  ".join([name, *([visible(content.kind)] if content.kind else []), *size]))
        shown = len(content.data)
        if subject.problem or not content.data:
            self.words.setText(subject.problem or self.tr("No bytes"))
            self.views.setCurrentWidget(self.words)
        elif subject.kind == "image":
            self.picture.show_picture(content.data)
            self.views.setCurrentWidget(self.picture)
        elif subject.kind:
            shown, text = code_of(subject)
            self.code.show_code(text, subject.kind)
            self.views.setCurrentWidget(self.code)
        elif encoding := encodings.of_text(content.data, content.charset):
            shown, plain = readable(content, encoding, MAX_CODE)
            self.text.show_text(plain)
            self.views.setCurrentWidget(self.text)
        else:
            self.hex.set_data(content.data)
            self.views.setCurrentWidget(self.hex)
        self.notice.show_content(subject, shown)

    def selection(self) -> str:
        """The text that is selected in the view."""
        view = self.views.currentWidget()
        if isinstance(view, CodeView | PlainText):
            return view.textCursor().selection().toPlainText()
        return self.hex.selected_bytes().hex(" ") if view is self.hex else ""
