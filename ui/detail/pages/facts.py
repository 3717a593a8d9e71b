"""The base class of pages that show facts, with the content beside them if there is one."""

from __future__ import annotations

from PyQt5.QtCore import QT_TRANSLATE_NOOP, Qt
from PyQt5.QtWidgets import QSplitter, QWidget

from ui.detail.body_view import BodyView
from ui.detail.fact_sheet import FactSheet
from ui.detail.facts import Fact
from ui.detail.page import Page, Subject
from ui.looks.declared import in_words


class FactsPage(Page):
    """Facts on the left, the content on the right.

    Attributes:
        content_name: heading of the content.
    """

    content_name = QT_TRANSLATE_NOOP("declared", "PAYLOAD")

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sheet, self.body = FactSheet(), BodyView()
        self.sheet.setAccessibleName(self.title)
        self.body.notice.save.connect(self.save)
        self._sides = QSplitter(Qt.Horizontal)
        self._sides.addWidget(self.sheet)
        self._sides.addWidget(self.body)
        self._sides.setSizes([500, 500])
        self._sides.setHandleWidth(1)
        self._sides.setChildrenCollapsible(False)
        self._sides.setFocusProxy(self.sheet)
        self._stack(self._sides)

    def facts(self, subject: Subject) -> list[Fact]:
        """The facts on the left."""
        raise NotImplementedError

    def show_subject(self, subject: Subject) -> None:
        self.sheet.show_facts(self.facts(subject))
        self.body.setVisible(not subject.empty)
        if not subject.empty:
            self.body.show_content(subject, in_words(self.content_name))

    def copied(self) -> str:
        return self.body.selection() or self.sheet.copied()
