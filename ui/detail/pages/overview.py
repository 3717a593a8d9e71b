"""The page Overview: all facts of an event."""

from __future__ import annotations

from PyQt5.QtWidgets import QWidget

from ui.detail.fact_sheet import FactSheet
from ui.detail.facts import facts
from ui.detail.page import Page, Subject


class OverviewPage(Page):
    key, title = "overview", "Overview"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sheet = FactSheet()
        self._stack(self.sheet)

    def show_subject(self, subject: Subject) -> None:
        self.sheet.show_facts(facts(subject.event))

    def copied(self) -> str:
        return self.sheet.copied()
