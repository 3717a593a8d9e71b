"""The send dock: the form of a message, the transcript of its connection, and the saved messages."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtWidgets import QDockWidget, QHBoxLayout, QLabel, QSplitter, QVBoxLayout, QWidget

from app.post import Post
from app.sending.connect_lines import url as url_of
from app.services.service import Service
from app.status import Listening
from ui.edits import Edits
from ui.forms.form import set_property
from ui.looks.icons import icon
from ui.parts.line import Line
from ui.sending.message_form import MessageForm, small_button
from ui.sending.run import SendRun
from ui.sending.saved_messages import SavedMessages
from ui.streams.transcript import TICK, Transcript


def reaching(service: Service) -> str | None:
    """The URL of a service for clients on this machine; None if its protocol has no URL."""
    config = service.config
    bound = service.status.host if isinstance(service.status, Listening) else config.listen
    port = int(bound.rpartition(":")[2])
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.host, config.host)
    return url_of(config.protocol, host, port, tls=config.tls is not None)


class SendDock(QDockWidget):
    """The dock at the bottom of the window."""

    def __init__(self, post: Post, edits: Edits, parent: QWidget | None = None) -> None:
        super().__init__("Send", parent)
        self.setObjectName("send dock")
        self.setAllowedAreas(Qt.BottomDockWidgetArea | Qt.TopDockWidgetArea)
        self.setFeatures(QDockWidget.DockWidgetClosable)
        self._post = post
        self.form = MessageForm()
        self.run = SendRun(post.sender, lambda: self.form.folder, self)
        self.state = Line()
        self.transcript = Transcript()
        self.clear = small_button("clear", "Clear")
        self.saved = SavedMessages(edits)
        self._update_timer = QTimer(self)
        self._update_timer.setSingleShot(True)
        self._update_timer.setInterval(TICK)
        self._lay_out()
        self._connect()
        self._show_run()

    def send_to(self, url: str) -> None:
        """Show the dock with this URL, and keep the data in the form."""
        self.show()
        self.form.url.setText(url)
        self.form.editor.setFocus(Qt.OtherFocusReason)

    def refresh(self, folder: Path | None = None) -> None:
        """Services or saved messages have changed. ``folder``: the new base of relative file names."""
        self.form.folder = folder or self.form.folder
        services = filter(None, map(reaching, self._post.services.values()))
        self.form.offer(dict.fromkeys((*services, *(message.url for message in self._post.messages))))
        self.saved.refresh()

    # -- building the dock

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(_heading("CONVERSATION"))
        head.addWidget(self.state, 1)
        head.addWidget(self.clear)
        conversation = QWidget()
        column = QVBoxLayout(conversation)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self.transcript, 1)
        inner = QSplitter(Qt.Horizontal)
        inner.setHandleWidth(1)
        for part, stretch in ((self.form, 5), (conversation, 6), (self.saved, 0)):
            inner.addWidget(_panel(part))
            inner.setStretchFactor(inner.count() - 1, stretch)
        inner.setChildrenCollapsible(False)
        inner.setSizes([560, 600, 190])
        self.setWidget(inner)
        self.setTitleBarWidget(self._title())

    def _title(self) -> QWidget:
        bar = QWidget()
        bar.setProperty("surface", "panel")
        bar.setAttribute(Qt.WA_StyledBackground)
        row = QHBoxLayout(bar)
        row.setContentsMargins(12, 4, 8, 0)
        close = small_button("close", "Close (Ctrl+M)")
        close.clicked.connect(self.close)
        row.addWidget(_heading("SEND"))
        row.addStretch()
        row.addWidget(close)
        return bar

    def _connect(self) -> None:
        form, run, saved = self.form, self.run, self.saved
        form.send_requested.connect(lambda: run.send(form.message(), keep=form.keep.isChecked()))
        form.pause.clicked.connect(run.pause)
        form.stop.clicked.connect(run.stop)
        self.clear.clicked.connect(self.transcript.clear)
        run.changed.connect(self._show_run)
        run.exchanged.connect(self._on_exchanged)
        self._update_timer.timeout.connect(self._show_run)
        saved.chosen.connect(form.show_message)
        saved.save_requested.connect(lambda: saved.save(form.message(form.suggestion())))
        saved.update_button.clicked.connect(lambda: saved.update_current(form.message()))

    # -- showing the run

    def _on_exchanged(self, arrow: str, content: bytes | str) -> None:
        self.transcript.as_hex = self.form.form == "hex"
        self.transcript.add(arrow, content)
        if not self._update_timer.isActive():
            self._update_timer.start()

    def _show_run(self) -> None:
        text, failed = self.run.state()
        self.state.setText(text)
        set_property(self.state, "role", "error" if failed else "dim")
        sending = self.run.sending
        pause = self.form.pause
        pause.setEnabled(sending is not None and not sending.done and sending.times != 1)
        pause.setIcon(icon("play" if self.run.paused else "pause"))
        pause.setToolTip("Go on" if self.run.paused else "Pause")
        self.form.stop.setEnabled(self.run.running or self.run.open)
        self.form.set_state(busy=self.run.running, connected=self.run.open)


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "heading")
    return label


def _panel(part: QWidget) -> QWidget:
    whole = QWidget()
    whole.setProperty("surface", "panel")
    whole.setAttribute(Qt.WA_StyledBackground)
    layout = QVBoxLayout(whole)
    layout.setContentsMargins(12, 8, 12, 10)
    layout.addWidget(part)
    return whole
