"""What came back: the answer to an HTTP request as the detail pane shows one, or the conversation."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QFileDialog, QLabel, QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from app import events
from app.capture.reading.exchange_at import Exchanged
from app.events import Event
from app.http.body import Body
from app.http.contents import of_body
from app.sending.answer import Answer
from app.text.escapes import amount
from ui.detail.body_view import BodyView
from ui.detail.fact_sheet import FactSheet
from ui.detail.facts import MAX_FACTS, Fact, shortened, written_duration, written_size
from ui.detail.find_hex import VIEWS, hex_target
from ui.detail.page import Subject
from ui.detail.saving import part_name
from ui.detail.sheet import visible
from ui.forms.form import set_property
from ui.looks.statuses import role_of_status
from ui.parts.find_bar import FindBar, text_target, views_of
from ui.parts.line import Line
from ui.streams.transcript import Transcript

BODY, HEADERS, LOG = range(3)
"""The tabs."""


class AnswerView(QWidget):
    """Body, headers and log of an answer; the log alone for what has no answers.

    Attributes:
        status, timing: the first line of an answer. They stand above this view.

    Signals:
        save_requested(bytes, object): the user wants to save these bytes to this ``Path``.
    """

    save_requested = pyqtSignal(bytes, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._content = b""
        self.status, self.timing = QLabel(), Line()
        self.status.setProperty("role", "title")
        self.status.setTextFormat(Qt.PlainText)
        self.timing.setProperty("role", "dim")
        self.body, self.headers, self.transcript = BodyView(), FactSheet(), Transcript()
        self.headers.setAccessibleName(self.tr("Headers of the answer"))
        self._words = QLabel()
        self._words.setTextFormat(Qt.PlainText)
        self._words.setProperty("role", "dim")
        self._words.setAlignment(Qt.AlignCenter)
        self._words.setWordWrap(True)
        self._answer = QStackedWidget()
        self._answer.addWidget(self._words)
        self._answer.addWidget(self.body)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setAccessibleName(self.tr("What came back"))
        self.tabs.setProperty("inner", True)
        pages: list[tuple[QWidget, str]] = [
            (self._answer, self.tr("Answer")), (self.headers, self.tr("Headers")), (self.transcript, self.tr("Log")),
        ]  # fmt: skip
        for page, title in pages:
            page.setMinimumHeight(32)
            self.tabs.addTab(page, title)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.tabs, 1)
        self.find_bar = FindBar(self, lambda: views_of(self.tabs.currentWidget(), *VIEWS), (hex_target, text_target))
        column.addWidget(self.find_bar)
        self.tabs.currentChanged.connect(lambda _: self.find_bar.show_page())
        self.body.notice.save.connect(self._save)
        self.body.save_part.connect(self._save_part)
        self.show_log()

    def show_log(self) -> None:
        """Show the log alone: for protocols without answers."""
        self._show_head(False)
        self.tabs.setTabVisible(BODY, False)
        self.tabs.setTabVisible(HEADERS, False)
        self.tabs.tabBar().hide()
        self.tabs.setCurrentIndex(LOG)

    def wait(self) -> None:
        """An answer is to come: make room for it."""
        if not self.tabs.isTabVisible(BODY):
            self.tabs.setTabVisible(BODY, True)
            self.tabs.setTabVisible(HEADERS, True)
            self.tabs.tabBar().show()
            self.tabs.setCurrentIndex(BODY)
        self._show_head(False)
        self.headers.show_facts([])
        self._say(self.tr("Waiting for the answer…"))

    def fail(self, reason: str) -> None:
        """No answer has come, and none will."""
        self._show_head(False)
        self._say(reason)

    def show_answer(self, answer: Answer, data: bytes) -> None:
        """Show an answer, of whose body ``data`` was kept."""
        subject = _subject(answer, data)
        self._content = subject.content.data
        self.status.setText(shortened(visible(f"{answer.status} {answer.reason}".strip())))
        set_property(self.status, "outcome", role_of_status(answer.status))
        self.timing.setText(
            self.tr("{time}, first byte after {first}, {size}").format(
                time=written_duration(answer.seconds),
                first=written_duration(answer.first_byte),
                size=amount(answer.size),
            )
        )
        self._show_head(True)
        self.headers.show_facts(self._facts(answer))
        self.body.show_content(subject, self.tr("BODY"))
        self._answer.setCurrentWidget(self.body)

    @property
    def answered(self) -> bool:
        """Whether an answer is shown."""
        return not self.status.isHidden()

    def _show_head(self, shown: bool) -> None:
        self.status.setVisible(shown)
        self.timing.setVisible(shown)

    def _say(self, words: str) -> None:
        self._words.setText(words)
        self._answer.setCurrentWidget(self._words)

    def _facts(self, answer: Answer) -> list[Fact]:
        headers = [Fact(visible(name), shortened(visible(value)), 1) for name, value in answer.fields[:MAX_FACTS]]
        return [
            Fact(self.tr("request"), shortened(visible(f"{answer.method} {answer.target}"))),
            Fact(self.tr("answer"), shortened(visible(f"{answer.version} {answer.status} {answer.reason}"))),
            Fact(self.tr("headers"), None),
            *headers,
            Fact(self.tr("timing"), None),
            Fact(self.tr("first byte"), written_duration(answer.first_byte), 1),
            Fact(self.tr("last byte"), written_duration(answer.seconds), 1),
            Fact(self.tr("body"), written_size(answer.size), 1),
        ]

    def _save(self) -> None:
        self._ask_where(self.tr("Save the body"), "answer.bin", self._content)

    def _save_part(self, number: int) -> None:
        part = self.body.part(number)
        self._ask_where(self.tr("Save part"), part_name(part, number), part.data)

    def _ask_where(self, title: str, name: str, content: bytes) -> None:
        dialog = QFileDialog(self, title)
        dialog.setAcceptMode(QFileDialog.AcceptSave)
        dialog.selectFile(name)
        dialog.setAttribute(Qt.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.save_requested.emit(content, Path(path)))
        dialog.open()


def _subject(answer: Answer, data: bytes) -> Subject:
    """The answer as the event that the pages of the detail pane show."""
    fields = [list(pair) for pair in answer.fields]
    detail = {"status": answer.status, "reason": answer.reason, "fields": fields, "body": answer.size}
    event = Event(0, 0, events.HTTP_RESPONSE, "", None, None, answer.size, "", detail=detail)
    content = of_body(Body(bytearray(data), answer.size, answer.whole), fields)
    return Subject(event, Exchanged(response=event, answered=content))
