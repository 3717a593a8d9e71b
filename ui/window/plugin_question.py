"""Bars that ask whether a plugin may run, and say what is wrong with loaded plugins."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.plugin_loader.live import Plugins
from app.plugin_loader.table import Plugin
from app.plugin_loader.trust import Answer
from ui.looks import theme
from ui.looks.icons import icon
from ui.parts.notice_bar import NoticeBar


class PluginQuestion(QWidget):
    """One bar for the first plugin that waits for an answer, and one for errors. Each is hidden if it is not needed."""

    def __init__(self, plugins: Plugins, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plugins = plugins
        self._asked: Plugin | None = None
        self._said = ""
        self.trouble = NoticeBar("warning", closable=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._build())
        column.addWidget(self.trouble)
        theme.notifier.changed.connect(self._paint_mark)
        self.refresh()

    def _build(self) -> QFrame:
        self.strip = QFrame()
        self.strip.setProperty("notice", "warning")
        self._mark = QLabel()
        self._paint_mark()
        self.label = QLabel()
        self.label.setWordWrap(True)
        self.label.setTextFormat(Qt.PlainText)
        self.label.setTextInteractionFlags(Qt.TextSelectableByMouse)
        row = QHBoxLayout(self.strip)
        row.setContentsMargins(12, 6, 6, 6)
        row.setSpacing(8)
        row.addWidget(self._mark, 0, Qt.AlignTop)
        row.addWidget(self.label, 1)
        self.load = self._button("&Load it", "Run its code now, and whenever the file changes")
        self.later = self._button("N&ot now", "Ask again the next time the program starts")
        self.never = self._button("Ne&ver", "Do not run it, and do not ask again")
        self.load.clicked.connect(lambda: self._answer("load"))
        self.later.clicked.connect(self._postpone)
        self.never.clicked.connect(lambda: self._answer("never"))
        for button in (self.load, self.later, self.never):
            row.addWidget(button, 0, Qt.AlignTop)
        return self.strip

    def _button(self, text: str, tip: str) -> QPushButton:
        button = QPushButton(self.tr(text))
        button.setToolTip(self.tr(tip))
        button.setAutoDefault(False)
        return button

    def _paint_mark(self, *_: object) -> None:
        self._mark.setPixmap(icon("warning", "warning").pixmap(16, 16))

    def refresh(self) -> None:
        """Show the current question and the current errors."""
        waiting = self._plugins.waiting
        self._asked = waiting[0] if waiting else None
        self.strip.setVisible(bool(waiting))
        if waiting:
            more = self.tr("  ({count} more after this one)").format(count=len(waiting) - 1) if waiting[1:] else ""
            self.label.setText(_question(waiting[0]) + more)
        words = self._plugins.words
        if words != self._said:  # a message that was dismissed stays hidden until the message changes
            self._said = words
            self.trouble.say(words)

    def _answer(self, answer: Answer) -> None:
        if self._asked is not None:
            self.strip.hide()  # until ``refresh`` shows the next question
            self._plugins.answer(self._asked.path, answer)

    def _postpone(self) -> None:
        if self._asked is not None:
            self._plugins.postpone(self._asked.path)


def _question(plugin: Plugin) -> str:
    names = ", ".join(responder.name for responder in plugin.brings)
    return f"May this plugin run? It brings the responder {names}, and its code can do all that you can.\n{plugin.path}"
