"""The send dock: the form of a message, what comes back, and the saved messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PyQt5.QtWidgets import (
    QDockWidget,
    QHBoxLayout,
    QLabel,
    QMenu,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.post import Post
from app.sending.answer import Answer
from app.sending.captured import Captured
from app.sending.contents import OFF, as_written
from app.text.variables import Variables, literally
from app.workspace.history import history_file
from app.workspace.message import Message
from ui.detail.saving import save_payload
from ui.edits import Edits
from ui.forms.form import Words, set_property
from ui.looks.icons import icon
from ui.parts.bottom_dock import BottomDock
from ui.parts.line import Line
from ui.parts.scrolled import Scrolled
from ui.parts.small_button import small_button
from ui.sending.answer_view import AnswerView
from ui.sending.history import SentHistory
from ui.sending.message_form import MessageForm
from ui.sending.resend import Resend, reaching
from ui.sending.run import SendRun
from ui.sending.saved_messages import SavedMessages
from ui.sending.variables_dialog import VariablesDialog
from ui.streams.transcript import TICK

NARROW = 125
"""Width of the dock, in digits, below which the saved messages are in the menu of the history alone."""

LINES = 8
"""Lines of text in the height that the dock has at least."""

MOST = 1 << 16
"""Bytes of captured data that the form shows; more is sent as it is."""


class SendDock(BottomDock):
    """The dock at the bottom of the window."""

    def __init__(self, post: Post, edits: Edits, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Send"))
        self.setObjectName("send dock")
        self.setAllowedAreas(Qt.BottomDockWidgetArea | Qt.TopDockWidgetArea)
        self.setFeatures(QDockWidget.DockWidgetClosable)
        self._post, self._edits = post, edits
        self.form = MessageForm()
        self.form.take_variables(lambda: edits.state.variables)
        self.run = SendRun(post.sender, lambda: self.form.folder, self)
        self.resend = Resend(post, self.run, self)
        self.history = SentHistory(post.sender.in_thread, history_file(), self)
        self.state = Line()
        self.answer = AnswerView()
        self.transcript = self.answer.transcript
        self.clear = small_button("clear", self.tr("Clear the log"))
        self.saved = SavedMessages(edits)
        self.note = Words()
        self._sent: Message | None = None
        self._latest: tuple[Answer, bytes] | None = None
        self._second = QTimer(self)
        self._second.setInterval(1000)
        self._second.timeout.connect(self._show_run)
        self._update_timer = QTimer(self)
        self._update_timer.setSingleShot(True)
        self._update_timer.setInterval(TICK)
        self._lay_out()
        self._connect()
        self._show_run()

    def send_to(self, url: str) -> None:
        """Show the dock with this URL, and keep the data in the form."""
        self.show()
        self._tell("")  # where the message before was from
        self.form.url.setText(url)
        self.form.body.setFocus(Qt.OtherFocusReason)

    def show_captured(self, found: Captured, source: str) -> None:
        """Show the dock with what was captured, ready to be sent. ``source`` says where it is from."""
        self.show()
        form_data = as_written(found.data, kind=found.kind, binary=found.binary, most=MOST)
        form, data = form_data if form_data is not None else ("text", "")
        lines = [f"{name}: {literally(value)}" for name, value in found.fields]
        left = [f"{OFF}{name}: {literally(value)}" for name, value in found.left]
        self.form.show_message(
            Message("", literally(found.url), form, data, found.method, [*lines, *left], self.form.verify.isChecked())
        )
        if form_data is None:
            self.form.body.attach(found.data, source)
        self.form.tabs.setCurrentIndex(0)
        self._tell(" ".join([self.tr("Filled in {source}.").format(source=source), *found.notes]))
        self.form.url.setFocus(Qt.OtherFocusReason)
        self.form.url.end(False)  # a query is typed behind it

    def on_services(self, *_: object) -> None:
        """Services or their states have changed."""
        self.refresh()

    def refresh(self, folder: Path | None = None) -> None:
        """Services, saved messages or variables have changed. ``folder``: the new base of relative file names."""
        self.form.folder = folder or self.form.folder
        services = filter(None, map(reaching, self._post.services.values()))
        self.form.offer(dict.fromkeys((*services, *(message.url for message in self._edits.state.messages))))
        self.saved.refresh()
        self.form.check()

    # -- building the dock

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.answer.status)
        head.addWidget(self.answer.timing, 1)
        head.addWidget(self.state, 1)
        for button in (self.form.again, self.form.pause, self.form.stop, self.clear):
            head.addWidget(button)
        conversation, request = QWidget(), QWidget()
        column = QVBoxLayout(conversation)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self.answer, 1)
        column = QVBoxLayout(request)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.note)
        column.addWidget(self.form, 1)
        self.note.hide()
        self._buttons()
        inner = QSplitter(Qt.Horizontal)
        inner.setHandleWidth(1)
        self._saved_panel = _panel(self.saved)
        for part, stretch in ((_panel(request), 5), (_panel(conversation), 6), (self._saved_panel, 0)):
            inner.addWidget(part)
            inner.setStretchFactor(inner.count() - 1, stretch)
        inner.setChildrenCollapsible(False)
        inner.setSizes([560, 600, 190])
        self.setWidget(Scrolled(inner, LINES))
        self.setTitleBarWidget(self._title())

    def _buttons(self) -> None:
        """The menu of the history, and the variables, for the title."""
        self.history_button = small_button("again", self.tr("What was sent before ({keys})").format(keys="Ctrl+Up"))
        self.history_button.setPopupMode(QToolButton.InstantPopup)
        self._history_menu = QMenu(self.history_button)
        self.history_button.setMenu(self._history_menu)
        self._saved_menu = QMenu(self.tr("&Saved messages"), self._history_menu)
        self.variables_button = QToolButton()
        self.variables_button.setText("{{ }}")
        self.variables_button.setProperty("role", "mono")
        self.variables_button.setToolTip(self.tr("Variables of the workspace"))
        self.variables_button.setAccessibleName(self.tr("Variables of the workspace"))

    def _title(self) -> QWidget:
        bar = QWidget()
        bar.setProperty("surface", "panel")
        bar.setAttribute(Qt.WA_StyledBackground)
        row = QHBoxLayout(bar)
        row.setContentsMargins(12, 4, 8, 0)
        close = small_button("close", self.tr("Close ({keys})").format(keys="Esc"))
        close.clicked.connect(self.close)
        title = QLabel(self.tr("SEND"))
        title.setProperty("role", "heading")
        row.addWidget(title)
        row.addStretch()
        for button in (self.history_button, self.variables_button):
            row.addWidget(button)
        row.addWidget(close)
        return bar

    def _connect(self) -> None:
        form, run, saved, history = self.form, self.run, self.saved, self.history
        form.send_requested.connect(self._send)
        form.pause.clicked.connect(run.pause)
        form.stop.clicked.connect(run.stop)
        form.again.clicked.connect(run.reconnect_now)
        form.reconnect.toggled.connect(lambda on: run.set_reconnect(on=on))
        form.keep.toggled.connect(lambda on: run.set_reconnect(on=on and form.reconnect.isChecked()))
        form.recalled.connect(self._recall)
        form.resend.toggled.connect(self.resend.switch)
        self.resend.resent.connect(self._on_resent)
        self.resend.gave_up.connect(self._on_gave_up)
        self._edits.changed.connect(form.check)
        self.clear.clicked.connect(self.transcript.clear)
        run.changed.connect(self._on_run)
        run.exchanged.connect(self._on_exchanged)
        run.answered.connect(self._on_answered)
        self._update_timer.timeout.connect(self._show_run)
        saved.chosen.connect(self._show_message)
        saved.save_requested.connect(self._save)
        saved.update_button.clicked.connect(lambda: saved.update_current(form.message()))
        history.chosen.connect(self._show_message)
        history.failed.connect(self._tell)
        self._history_menu.aboutToShow.connect(self._fill_menu)
        self.variables_button.clicked.connect(self.edit_variables)
        self.answer.save_requested.connect(self._save_answer)

    # -- the form

    def _show_message(self, message: Message) -> None:
        self._tell("")
        self.form.show_message(message)

    def _recall(self, by: int) -> None:
        message = self.history.step(by, self.form.message())
        if message is not None:
            self._show_message(message)

    def _save(self) -> None:
        if self.form.body.attached is not None:
            self._tell(self.tr("This is too large to be saved in a workspace. Save it to a file, and send the file."))
            return
        self.saved.save(self.form.message(self.form.suggestion()))

    def _send(self) -> None:
        form, message = self.form, self.form.message()
        attached = form.body.attached if form.body.type == "attached" else None
        self._sent = None
        if attached is None:
            self._sent = message
            self.history.add(message)
        variables = self._edits.state.variables
        self.resend.remember(self._sending(message, variables, attached, fresh=True), message, variables)
        self._begin()
        self._sending(message, variables, attached, fresh=False)()

    def _sending(
        self, message: Message, variables: Variables, attached: bytes | None, *, fresh: bool
    ) -> Callable[[], None]:
        """Sends a message as the form has it now."""
        keep = self.form.keep.isChecked()
        return partial(
            self.run.send, message if not fresh else replace(message, times=1), keep=keep,
            reconnect=keep and self.form.reconnect.isChecked(), variables=variables, attached=attached, fresh=fresh,
        )  # fmt: skip

    def _begin(self) -> None:
        """Wait for an answer."""
        self._latest = None
        if self.form.method.isVisibleTo(self.form):
            self.answer.wait()
        else:
            self.answer.show_log()

    # -- sending again

    def _on_resent(self, service: str) -> None:
        words = self.tr("The plugin of “{service}” was reloaded: sent again").format(service=service)
        self._tell(self.tr("{words}.").format(words=words))
        self._begin()
        self.transcript.add("·", words)

    def _on_gave_up(self, words: str) -> None:
        self.form.resend.setChecked(False)
        self.tell_problem(words)

    def edit_variables(self) -> None:
        """Show the dialog of the workspace's variables."""
        dialog = VariablesDialog(self._edits.state.variables, self)
        dialog.given.connect(self._set_variables)
        dialog.open()

    def _set_variables(self, variables: dict[str, str]) -> None:
        self._edits.change(self.tr("changing the variables"), replace(self._edits.state, variables=variables))

    def _fill_menu(self) -> None:
        menu = self._history_menu
        self.history.fill(menu)
        if self._edits.state.messages and self._saved_panel.isHidden():
            saved = self._saved_menu
            saved.clear()
            for message in self._edits.state.messages:
                action = saved.addAction(message.name.replace("&", "&&"))
                action.triggered.connect(lambda _=False, message=message: self._show_message(message))
            menu.addMenu(saved)

    def _tell(self, words: str) -> None:
        """Say something above the form; "" takes it away."""
        self.note.setVisible(bool(words))
        self.note.say(words)

    def tell_problem(self, words: str) -> None:
        """Show the dock with what went wrong."""
        self.show()
        self.note.show()
        self.note.say(words, "error")

    # -- showing the run

    def _on_exchanged(self, arrow: str, content: bytes | str) -> None:
        self.transcript.as_hex = self.form.body.form == "hex"
        self.transcript.add(arrow, content)
        self._update_soon()

    def _on_answered(self, answer: Answer, body: bytes) -> None:
        self._latest = answer, body
        if self._sent is not None:
            self.history.tell(self._sent, f"{answer.status} {answer.reason}".strip())
        self._update_soon()

    def _update_soon(self) -> None:
        if not self._update_timer.isActive():
            self._update_timer.start()

    def _on_run(self) -> None:
        self._show_run()
        text, failed = self.run.state()
        if not self.run.running and failed:
            if self._latest is None:
                self.answer.fail(text)
            if self._sent is not None:
                self.history.tell(self._sent, self.tr("failed"))

    def _show_run(self) -> None:
        if self._latest is not None:
            self.answer.show_answer(*self._latest)
            self._latest = None
        text, failed = self.run.state()
        self.state.setText(text)
        self.state.setVisible(not self.answer.answered or failed or self.run.running or self.run.waiting)
        self.answer.timing.setVisible(self.answer.answered and self.state.isHidden())
        set_property(self.state, "role", "error" if failed else "dim")
        sending = self.run.sending
        pause = self.form.pause
        repeats = sending is not None and not sending.done and sending.times != 1
        pause.setEnabled(repeats)
        pause.setIcon(icon("play" if self.run.paused else "pause"))
        pause.setToolTip(self.tr("Resume") if self.run.paused else self.tr("Pause"))
        self.form.stop.setEnabled(self.run.running or self.run.open or self.run.waiting)
        self.form.again.setVisible(self.run.waiting)
        self._count_down()
        self.form.set_state(busy=self.run.running, connected=self.run.open)

    def _count_down(self) -> None:
        """Follow the seconds until a lost connection is made again, while they can be seen."""
        if not (self.run.waiting and self.isVisible()):
            self._second.stop()
        elif not self._second.isActive():
            self._second.start()

    def _save_answer(self, content: bytes, path: Path) -> None:
        done = self._post.sender.in_thread(save_payload, content, path)
        done.addCallback(lambda problem: self._tell(problem or self.tr("Saved to {path}.").format(path=path)))

    # -- the dock itself

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show_run()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._second.stop()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        letter = self.fontMetrics().horizontalAdvance("0")
        self._saved_panel.setVisible(self.width() >= NARROW * letter)


def _panel(part: QWidget) -> QWidget:
    whole = QWidget()
    whole.setProperty("surface", "panel")
    whole.setAttribute(Qt.WA_StyledBackground)
    layout = QVBoxLayout(whole)
    layout.setContentsMargins(12, 8, 12, 10)
    layout.addWidget(part)
    return whole
