"""The page Text: a payload or body as text. Unprintable characters are shown as escapes."""

from __future__ import annotations

from PyQt5.QtWidgets import QComboBox, QWidget

from app.text import encodings
from ui.detail.page import CutNotice, Page, Subject
from ui.detail.plain_text import PlainText, readable, wrap_button


class TextPage(Page):
    key, title = "text", "Text"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._subject: Subject | None = None
        self.view = PlainText()
        self.view.setAccessibleName(self.tr("Payload as text"))
        self.notice = CutNotice()
        self.notice.save.connect(self.save)
        self.wrap_button = wrap_button(self.view)
        self.encoding = QComboBox()
        self.encoding.setAccessibleName(self.tr("Encoding"))
        self.encoding.setToolTip(self.tr("The encoding that the bytes are read in"))
        self.encoding.addItem("", "")
        for name in encodings.OFFERED:
            self.encoding.addItem(encodings.title(name), name)
        self.encoding.setSizeAdjustPolicy(QComboBox.AdjustToMinimumContentsLengthWithIcon)
        self.encoding.setMinimumContentsLength(18)
        self.encoding.activated.connect(lambda _: self._show())
        self.tools = (self.encoding, self.wrap_button)
        self._stack(self.notice, self.view)

    def show_subject(self, subject: Subject) -> None:
        self._subject = subject
        self._show()

    def copied(self) -> str:
        return self.view.copied()

    def _show(self) -> None:
        assert self._subject is not None
        content = self._subject.content
        detected = encodings.detect(content.data, content.charset)
        self.encoding.setItemText(0, self.tr("Detected: {name}").format(name=encodings.title(detected)))
        head, text = readable(content, self.encoding.currentData() or detected)
        self.notice.show_content(self._subject, head)
        self.view.setPlaceholderText(self._subject.problem or self.tr("No payload"))
        self.view.show_text(text)
