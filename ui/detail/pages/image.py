"""The page Image: a payload or body that is a picture."""

from __future__ import annotations

from PyQt5.QtWidgets import QWidget

from ui.detail.page import CutNotice, Page, Subject
from ui.detail.picture import PictureView


class ImagePage(Page):
    key, title = "image", "Image"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = PictureView()
        self.notice = CutNotice()
        self.notice.save.connect(self.save)
        self._stack(self.notice, self.view)

    @staticmethod
    def fits(subject: Subject) -> bool:
        return subject.kind == "image"

    def show_subject(self, subject: Subject) -> None:
        self.notice.show_content(subject, len(subject.content.data))
        self.view.show_picture(subject.content.data)

    def copied(self) -> str:
        return self.view.words
