"""The form of a message: URL, data, headers, how often it is sent. It shows problems while the user types."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

from PyQt5.QtCore import QEvent, QObject, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QIcon, QKeyEvent
from PyQt5.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.errors import PostError
from app.sending import errors
from app.sending.clients import CLIENTS, Client
from app.sending.contents import OFF
from app.sending.url import field, method_problem, parse
from app.text.variables import NONE, Variables, filled
from app.workspace.message import Message
from ui.forms.dropdown import Dropdown
from ui.forms.form import Form, Words, sentence, set_property, tell
from ui.looks.icons import icon
from ui.parts.offers import Offers
from ui.parts.scrolled import Scrolled
from ui.parts.small_button import small_button
from ui.sending.data_editor import DataEditor
from ui.sending.header_names import NAMES, VALUES
from ui.sending.message_faults import Edit, MessageFaults
from ui.sending.rows import Rows

AUTOMATIC = "GET/POST"
METHODS = (AUTOMATIC, "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
MAX_TIMES, MAX_INTERVAL_MS = 1_000_000_000, 86_400_000

DATA, HEADERS, FAULTS, OPTIONS = range(4)
"""The tabs."""


URL = 34
"""Characters of a URL that are shown at least."""

OPTION_LINES = 4
"""Lines of text for which the options always have room; what is below is scrolled."""


class MessageForm(QWidget):
    """Edits one message.

    Attributes:
        body: the editor of the data. ``editor``: its text; ``types``: the chooser of its type.
        faults: those that it is sent with.
        pause, stop: buttons for what is sent at present. They stand where its state is shown.

    Signals:
        send_requested(): the user wants to send the message, and it is valid.
        recalled(int): the user wants the message that was sent before (1) or after (-1) this one.
    """

    send_requested = pyqtSignal()
    recalled = pyqtSignal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._busy = self._connected = False
        self._known: Client | None = None
        self._variables: Callable[[], Variables] = lambda: NONE
        self._build()
        self._lay_out()
        for signal in (
            self.url.textChanged, self.body.changed, self.headers.changed, self.times.valueChanged,
            self.method.currentTextChanged, self.faults.changed,
        ):  # fmt: skip
            signal.connect(self.check)
        self.button.clicked.connect(self._request_send)
        self.url.returnPressed.connect(self._request_send)
        for line in (self.method.lineEdit(), self.times.lineEdit(), self.every.lineEdit()):
            assert line is not None
            line.returnPressed.connect(self._request_send)
        for widget in (self.body.editor, self.body.rows, self.headers, self.url):
            widget.installEventFilter(self)
        self.check()

    @property
    def folder(self) -> Path:
        """What relative file names begin at."""
        return self.body.folder

    @folder.setter
    def folder(self, folder: Path) -> None:
        self.body.folder = folder

    def take_variables(self, variables: Callable[[], Variables]) -> None:
        """``variables()`` are those of the workspace."""
        self._variables = variables
        self.check()

    def edit_faults_by(self, edit: Edit) -> None:
        """``edit`` shows the form of faults."""
        self.faults.edit_by(edit)
        self.check()

    # -- the message

    def message(self, name: str = "") -> Message:
        """The message as the form has it now."""
        return Message(
            name=name,
            url=self.url.text().strip(),
            form=self.body.form,
            data=self.body.data,
            method=self._method() if self._has_method() else "",
            fields=self.headers.lines() if self._has_headers() else [],
            verify=self.verify.isChecked(),
            times=self.times.value(),
            every=self.every.value() / 1000,
            faults=self.faults.tables,
        )

    def show_message(self, message: Message) -> None:
        """Fill the form with ``message``."""
        self._known = (
            CLIENTS["http"] if message.method or message.form in ("plain", "json", "form", "multipart") else None
        )
        self.url.setText(message.url)
        self.body.set_request(self._has_method())
        self.body.show_data(message.form, message.data)
        self.method.setCurrentText(message.method or AUTOMATIC)
        self.headers.set_lines(message.fields)
        self.verify.setChecked(message.verify)
        self.times.setValue(message.times)
        self.every.setValue(round(message.every * 1000))
        self.faults.set_tables(message.faults)
        self.url.setCursorPosition(0)
        self.check()

    def suggestion(self) -> str:
        """A default name for the message when it is saved."""
        message = self.message()
        target = message.url.partition("://")[2].partition("?")[0]
        method = message.method or ("POST" if message.data else "GET")
        return f"{method} /{target.partition('/')[2]}" if self._has_method() else target or "message"

    def offer(self, urls: Iterable[str]) -> None:
        """Offer these URLs as completions in the URL field."""
        self._offers.offer(urls)

    def set_state(self, *, busy: bool, connected: bool) -> None:
        """``busy``: a message is being sent, so Send is disabled. ``connected``: the connection is open."""
        self._busy, self._connected = busy, connected
        self.check()

    # -- building the form

    def _build(self) -> None:
        self.url = QLineEdit()
        self.url.setProperty("role", "mono")
        self.url.setPlaceholderText(self.tr("URL, such as {url}").format(url="tcp://127.0.0.1:9007"))
        self.url.setAccessibleName("URL")
        self.url.setToolTip("tcp:// tls:// udp:// http:// https:// ws:// wss://")
        self.url.setMinimumWidth(URL * self.fontMetrics().horizontalAdvance("0"))
        self._offers = Offers((), self)
        self.url.setCompleter(self._offers)
        self.method = Dropdown()
        self.method.addItems(list(METHODS))
        self.method.setEditable(True)
        self.method.setInsertPolicy(QComboBox.NoInsert)
        self.method.setAccessibleName(self.tr("Method"))
        self.method.setToolTip(self.tr("If you do not choose one: GET without a body, POST with a body"))
        self.body = DataEditor()
        self.editor, self.types, self.words = self.body.editor, self.body.types, self.body.words
        self.headers = Rows(":")
        self.headers.setAccessibleName(self.tr("Headers"))
        self.headers.complete(NAMES, VALUES)
        self.headers.setMinimumHeight(3 * self.fontMetrics().lineSpacing())
        self.faults = MessageFaults()
        self.header_words, self.url_words = Words(), Words()
        often = self.tr("How many times the message is sent; 0: until you stop it")
        self.times = _Number(often, MAX_TIMES, self.tr("Times"))
        self.times.setSpecialValueText(self.tr("until stopped"))  # in the place of 0
        self.times.setSuffix(" ×")
        self.times.setValue(1)
        self.every = _Number(self.tr("Pause between two messages, in milliseconds"), MAX_INTERVAL_MS, self.tr("Every"))
        self.every.setSuffix(" ms")
        self.keep = QCheckBox(self.tr("&Keep the connection open"))
        self.keep.setToolTip(self.tr("The next message goes over the same connection"))
        self.reconnect = QCheckBox(self.tr("&Reconnect"))
        self.reconnect.setToolTip(
            self.tr("Connect again when a TCP or WebSocket connection is lost; nothing is sent a second time")
        )
        self.reconnect.setEnabled(False)
        self.keep.toggled.connect(self.reconnect.setEnabled)
        self.resend = QCheckBox(self.tr("Send a&gain when the plugin is reloaded"))
        self.resend.setToolTip(
            self.tr(
                "Send your last message again when its service has the new version of the plugin: save "
                "the plugin and see the result"
            )
        )
        self.verify = QCheckBox(self.tr("&Verify the certificate"))
        self.verify.setToolTip(self.tr("Against the authorities of the system and the local one"))
        self.verify.setChecked(True)
        self.button = QPushButton(icon("send", "accent_text"), " " + self.tr("Send"))
        self.button.setProperty("primary", True)
        self.button.setToolTip(self.tr("Send ({keys})").format(keys="Ctrl+Enter"))
        self.pause = small_button("pause", self.tr("Pause"))
        self.again = small_button("again", self.tr("Connect now, without waiting any longer"))
        self.again.hide()
        self.stop = small_button("stop", self.tr("Stop sending, and close the connection"))

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.method)
        top.addWidget(self.url, 1)
        top.addWidget(self.button)
        headers = QWidget()
        column = QVBoxLayout(headers)
        column.setContentsMargins(0, 6, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.headers, 1)
        column.addWidget(self.header_words)
        self.header_words.hide()
        self.body.setContentsMargins(0, 6, 0, 0)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setAccessibleName(self.tr("Parts of the message"))
        self.tabs.setProperty("inner", True)
        self.tabs.addTab(self.body, "")
        self.tabs.addTab(headers, "")
        self.tabs.addTab(self.faults, "")
        self.tabs.addTab(self._options(), self.tr("Options"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(top)
        column.addWidget(self.url_words)
        column.addWidget(self.tabs, 1)
        body = self.body
        stops: list[QWidget] = [
            self.method, self.url, self.button, self.tabs.tabBar(), body.editor, body.rows, body.types, body.format,
            body.choose, self.headers, self.faults.lines, self.faults.button, self.times, self.every, self.keep,
            self.reconnect, self.verify, self.resend,
        ]  # fmt: skip
        for before, after in pairwise(stops):
            QWidget.setTabOrder(before, after)

    def _options(self) -> QWidget:
        page, form = QWidget(), Form()
        for label, editor in ((self.tr("Send"), self.times), (self.tr("Pause between messages"), self.every)):
            form.add(label, editor).hide()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 8, 0, 0)
        column.setSpacing(6)
        column.addLayout(form)
        kept = QHBoxLayout()
        kept.setSpacing(16)
        kept.addWidget(self.keep)
        kept.addWidget(self.reconnect)
        kept.addStretch()
        column.addLayout(kept)
        column.addWidget(self.verify)
        column.addWidget(self.resend)
        column.addStretch()
        scrolled = Scrolled(page, OPTION_LINES)
        for part in (page, scrolled):
            part.setProperty("surface", "panel")
            part.setAttribute(Qt.WA_StyledBackground)
        return scrolled

    # -- checking

    def _method(self) -> str:
        text = self.method.currentText().strip()
        return "" if text == AUTOMATIC else text

    def _client(self) -> Client | None:
        """The client for the URL. While that is not complete, the one for which the form was filled in."""
        with contextlib.suppress(PostError):
            scheme, colon, _ = filled(self.url.text().strip(), self._variables()).partition("://")
            if colon and scheme.lower() in CLIENTS:
                self._known = CLIENTS[scheme.lower()]
        return self._known

    def _has_headers(self) -> bool:
        client = self._client()
        return client is not None and client.http

    def _has_method(self) -> bool:
        client = self._client()
        return client is not None and client.protocol == "http"

    def check(self) -> bool:
        """Show what is wrong. Returns whether the message can be sent."""
        self._show_relevant()
        given, text = self._variables(), self.url.text().strip()
        url_problem, url = self._url(text, given)
        tell(self.url, self.url_words, url_problem, url if url != text else "")
        self.url_words.setVisible(url_problem is not None or url != text)
        data_ok, header_problem = self.body.check(given), self._header_problem(given)
        tell(self.headers, self.header_words, header_problem)
        self.header_words.setVisible(header_problem is not None)
        set_property(self.headers, "invalid", header_problem is not None)
        client = self._client()
        faults_ok = self.faults.check(client.protocol if client is not None else "tcp")
        bad = [data_ok, header_problem is None, faults_ok]
        for tab, ok in zip((DATA, HEADERS, FAULTS), bad, strict=True):
            self.tabs.setTabIcon(tab, QIcon() if ok else icon("warning", "bad"))
        valid = bool(text) and url_problem is None and all(bad) and not self._busy
        self.button.setEnabled(valid)
        return valid

    def _show_relevant(self) -> None:
        client = self._client()
        request = client is not None and client.protocol == "http"
        self.method.setVisible(request)
        self.body.set_request(request)
        self.tabs.setTabVisible(HEADERS, client is not None and client.http)
        sent = len([row for row in self.headers.rows() if row.on])
        headers = self.tr("Headers ({count})").format(count=sent) if sent else self.tr("Headers")
        self.tabs.setTabText(HEADERS, headers)
        on = sum(bool(table.get("enabled", True)) for table in self.faults.tables)
        self.tabs.setTabText(FAULTS, self.tr("Faults ({count})").format(count=on) if on else self.tr("Faults"))
        self.tabs.setTabVisible(FAULTS, self.faults.editable or bool(self.faults.tables))
        self.tabs.setTabText(DATA, self.tr("Body") if request else self.tr("Message"))
        self.verify.setVisible(client is not None and client.tls)
        self.every.setEnabled(self.times.value() != 1)
        connects = client is not None and client.protocol in ("tcp", "websocket")
        only_connects = connects and self.body.empty and not self._connected
        # A space: Qt leaves none after the icon.
        self.button.setText(" " + (self.tr("Connect") if only_connects else self.tr("Send")))

    def _url(self, text: str, given: Variables) -> tuple[str | None, str]:
        """What is wrong with the URL or the method, and the URL with its variables filled in."""
        if not text:
            return None, text
        try:
            url = filled(text, given)
        except PostError as e:
            return str(e), text
        try:
            parse(url)
        except errors.URLError as e:
            return sentence(str(e.fields["reason"])), text
        wrong = method_problem(self._method()) if self._has_method() else None
        return wrong and sentence(wrong), url

    def _header_problem(self, given: Variables) -> str | None:
        if not self._has_headers():
            return None
        try:
            for line in self.headers.lines():
                if not line.startswith(OFF):
                    field(filled(line, given))
        except PostError as e:
            return str(e)
        return None

    def _request_send(self) -> None:
        if self.check():
            self.send_requested.emit()

    # -- keys

    def event(self, event: QEvent) -> bool:
        # Without this, the window's shortcuts for the same keys would take them.
        if event.type() == QEvent.ShortcutOverride and isinstance(event, QKeyEvent) and _meaning(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._take(event):
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.KeyPress and self._take(event):
            return True
        return super().eventFilter(watched, event)

    def _take(self, event: QKeyEvent) -> bool:
        meaning = _meaning(event)
        if meaning == "send":
            self._request_send()
        elif meaning:
            self.recalled.emit(1 if meaning == "before" else -1)
        return bool(meaning)


_KEYS = {Qt.Key_Return: "send", Qt.Key_Enter: "send", Qt.Key_Up: "before", Qt.Key_Down: "after"}


def _meaning(event: QKeyEvent) -> str:
    """What a key with Ctrl does here: ``send``, ``before`` or ``after``; "" for nothing."""
    plain = not event.modifiers() & ~(Qt.ControlModifier | Qt.KeypadModifier)
    return _KEYS.get(Qt.Key(event.key()), "") if event.modifiers() & Qt.ControlModifier and plain else ""


class _Number(QSpinBox):
    """As wide as its longest number; where there is little room, as what it shows, whatever the letters."""

    def __init__(self, tip: str, maximum: int, name: str) -> None:
        super().__init__()
        self.setRange(0, maximum)
        self.setToolTip(tip)
        self.setAccessibleName(name)
        self.setGroupSeparatorShown(True)
        self.setSizePolicy(QSizePolicy.Maximum, QSizePolicy.Fixed)
        self.valueChanged.connect(lambda _: self.updateGeometry())

    def minimumSizeHint(self) -> QSize:
        wanted, letters = self.sizeHint(), self.fontMetrics()
        longest = f"{self.prefix()}{self.textFromValue(self.maximum())}{self.suffix()}"
        spare = letters.horizontalAdvance(longest) - letters.horizontalAdvance(self.text())
        return wanted - QSize(max(0, spare), 0)
