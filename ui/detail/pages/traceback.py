"""The page Traceback: a failure and where it was raised."""

from __future__ import annotations

from PyQt5.QtWidgets import QWidget

from app import events
from app.failures import record as failures
from ui.detail.page import Page, Subject
from ui.detail.traceback_view import TracebackView


class TracebackPage(Page):
    key, title = "traceback", "Traceback"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = TracebackView()
        self.view.again.connect(self.again)
        self._stack(self.view)

    @staticmethod
    def fits(subject: Subject) -> bool:
        return subject.event.kind in events.FAILURES

    def show_subject(self, subject: Subject) -> None:
        event = subject.event
        try:
            record = failures.from_json(event.detail)
        except (KeyError, TypeError, ValueError):
            # The capture may come from another program.
            record = failures.FailureRecord(event.summary or "?", self.tr("its traceback cannot be read"))
        self.view.sendable = self.receivers(self.again) > 0
        self.view.show_failure(record, event.conn, event.payload)

    def copied(self) -> str:
        return self.view.textCursor().selection().toPlainText() or self.view.text()
