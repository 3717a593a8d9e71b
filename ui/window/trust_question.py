"""The one question before a workspace does more than serve this machine: what it asks for, and three answers."""

from __future__ import annotations

from PyQt5.QtCore import QCoreApplication, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QResizeEvent, QShowEvent
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget
from twisted.internet.defer import Deferred

from app.post import Post
from app.text.escapes import one_line
from app.workspace.gate import How, Question
from ui.looks import theme
from ui.looks.icons import icon
from ui.parts.labels import let_shrink

LINES = 8
"""Lines of the list that are seen without scrolling."""


PADDING = 7
"""Pixels around the text, as the theme has them."""


class _Lines(QPlainTextEdit):
    """Text that tells when it may have been wrapped anew."""

    resized = pyqtSignal()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resized.emit()


class TrustQuestion(QFrame):
    """Hidden while there is nothing to ask."""

    def __init__(self, post: Post, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._post = post
        self._asked: Question | None = None
        self.setProperty("notice", "warning")
        self._mark = QLabel()
        self._paint_mark()
        self.label = QLabel()
        self.label.setWordWrap(True)
        self.label.setTextFormat(Qt.PlainText)
        self.label.setTextInteractionFlags(Qt.TextSelectableByMouse)
        let_shrink(self.label)
        self.list = _Lines()
        self.list.setReadOnly(True)
        self.list.setTabChangesFocus(True)
        self.list.setAccessibleName(self.tr("What it asks for"))
        self._lay_out()
        theme.notifier.changed.connect(self._paint_mark)
        theme.notifier.fonts_changed.connect(self._measure)
        self.list.resized.connect(self._measure)
        self.refresh()

    def _lay_out(self) -> None:
        self.trust_file = self._button(self.tr("T&rust this file"), lambda: self._answer("content"))
        self.trust_folder = self._button(self.tr("Trust this fol&der"), lambda: self._answer("folder"))
        self.later = self._button(self.tr("N&ot now"), self._post.postpone)
        self.later.setToolTip(self.tr("Nothing in this list happens. Everything else runs"))
        words = QVBoxLayout()
        words.setSpacing(6)
        words.addWidget(self.label)
        words.addWidget(self.list)
        buttons = QVBoxLayout()
        buttons.setSpacing(6)
        for button in (self.trust_file, self.trust_folder, self.later):
            buttons.addWidget(button)
        buttons.addStretch()
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 6, 6)
        row.setSpacing(8)
        row.addWidget(self._mark, 0, Qt.AlignTop)
        row.addLayout(words, 1)
        row.addLayout(buttons)

    def _button(self, text: str, call: object) -> QPushButton:
        button = QPushButton(text)
        button.setAutoDefault(False)
        button.clicked.connect(lambda: call())  # type: ignore[operator]
        return button

    @pyqtSlot()
    def _paint_mark(self, *_: object) -> None:
        self._mark.setPixmap(icon("warning", "warning").pixmap(16, 16))

    def refresh(self) -> None:
        """Show the question that there is now."""
        asked = self._post.question
        if asked != self._asked:
            self._asked = asked
            if asked is not None:
                self._show(asked)
        self.setVisible(asked is not None)

    def _show(self, asked: Question) -> None:
        self.label.setText(_heading(asked))
        self.list.setPlainText("\n".join(f"• {ask}" for ask in asked.asks))
        self.trust_file.setText(self.tr("T&rust this file") if asked.path else self.tr("T&rust it as it is"))
        self.trust_file.setToolTip(self.tr("Trusts the file until its content changes"))
        folders = "\n".join(one_line(str(folder)) for folder in asked.folders)
        self.trust_folder.setEnabled(bool(folders))
        self.trust_folder.setToolTip(
            self.tr("Also trusts files that are put there later:\n{folders}").format(folders=folders)
            if folders
            else self.tr("Other users can put files there")
        )
        self._measure()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._measure()

    @pyqtSlot()
    def _measure(self, *_: object) -> None:
        """The list is as tall as its lines, up to ``LINES``."""
        self.list.ensurePolished()  # it has the theme's font only then
        count = int(self.list.document().size().height())  # Qt counts lines here, wrapped ones, too
        margins = 2 * (self.list.frameWidth() + int(self.list.document().documentMargin()) + PADDING)
        self.list.setFixedHeight(self.list.fontMetrics().lineSpacing() * min(max(count, 2), LINES) + margins)

    def _answer(self, how: How) -> None:
        self.hide()  # until ``refresh`` shows the next question
        self._asked = None
        Deferred.fromCoroutine(self._post.trust(how))


def _heading(asked: Question) -> str:
    if asked.path is None and any(ask.service or ask.kind != "run" for ask in asked.asks):
        return QCoreApplication.translate(
            "TrustQuestion",
            "The restored changes ask for more than serving this machine. Nothing of the following "
            "happens before you answer:",
        )
    if asked.path is None:
        return QCoreApplication.translate(
            "TrustQuestion",
            "A plugin is code that can do all that you can. Nothing of the following happens before you trust it:",
        )
    return QCoreApplication.translate(
        "TrustQuestion",
        "Do you trust {path}? It asks for more than serving this machine. Nothing of the "
        "following happens before you answer:",
    ).format(path=one_line(str(asked.path)))
