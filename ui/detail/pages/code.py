"""The pages JSON and XML: formatted source."""

from __future__ import annotations

import json

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QLabel, QWidget

from ui.detail.code_view import CodeView
from ui.detail.page import CutNotice, Page, Subject
from ui.detail.plain_text import code_of, wrap_button


class CodePage(Page):
    """A page that shows the content as source in one language."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = CodeView()
        self.view.setAccessibleName(self.title)
        self.notice = CutNotice()
        self.notice.save.connect(self.save)
        self._wrong = QLabel()
        self._wrong.setTextFormat(Qt.PlainText)
        self._wrong.setProperty("role", "warning")
        self._wrong.setContentsMargins(16, 6, 16, 2)
        self.tools = (wrap_button(self.view),)
        self._stack(self.notice, self._wrong, self.view)

    def show_subject(self, subject: Subject) -> None:
        head, text = code_of(subject)
        self.notice.show_content(subject, head)
        cut = head < len(subject.content.data) or subject.content.cut
        self._wrong.setText("" if cut else self.wrong(text))
        self._wrong.setVisible(bool(self._wrong.text()))
        self.view.setPlaceholderText(subject.problem)
        self.view.show_code(text, self.key)

    def wrong(self, text: str) -> str:
        """A syntax error in the text, as a text for the user; empty if there is none."""
        return ""

    def copied(self) -> str:
        return self.view.copied()


class JSONPage(CodePage):
    key, title = "json", "JSON"

    @staticmethod
    def fits(subject: Subject) -> bool:
        return subject.kind == "json"

    def wrong(self, text: str) -> str:
        try:
            json.loads(text)
        except json.JSONDecodeError as e:
            if e.msg == "Extra data":  # several values, as in JSON lines
                return ""
            where = self.tr("line {line}, column {column}").format(line=e.lineno, column=e.colno)
            return self.tr("Not valid JSON: {reason} at {where}").format(reason=e.msg.lower(), where=where)
        except (RecursionError, ValueError):
            return ""
        return ""


class XMLPage(CodePage):
    key, title = "xml", "XML"

    @staticmethod
    def fits(subject: Subject) -> bool:
        return subject.kind == "xml"
