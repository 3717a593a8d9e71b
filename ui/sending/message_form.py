"""The form of a message: URL, data, how often it is sent. It shows problems while the user types."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PyQt5.QtCore import QEvent, QObject, QSize, QStringListModel, Qt, pyqtSignal
from PyQt5.QtGui import QKeyEvent
from PyQt5.QtWidgets import (
    QCheckBox,
    QComboBox,
    QCompleter,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QStyledItemDelegate,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.sending import errors
from app.sending.clients import CLIENTS
from app.sending.delivery import problem
from app.sending.url import field, method_problem, parse
from app.workspace.message import FORMS, Message
from ui.forms.form import Words, sentence, set_property, tell
from ui.looks.icons import icon

AUTOMATIC = "GET/POST"
METHODS = (AUTOMATIC, "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
FORM_NAMES = {"text": "Text", "hex": "Hex", "file": "File", "template": "Template"}
HELP = {
    "text": r"UTF-8, with \n \r \t \0 \e \xNN and \\ for what cannot be typed",
    "hex": "Pairs of digits 0-9 and a-f; spaces, colons and line breaks do not matter",
    "file": "The name of a file; relative ones begin at the workspace",
    "template": "Text with {{counter}}, {{now}}, {{random 1 6}}, {{uuid}}, {{crc16 | hex}} and more in it",
}
EXAMPLES = {
    "text": r"hello\r\n",
    "hex": "48 65 6c 6c 6f 0d 0a",
    "file": "firmware.bin",
    "template": r"{{counter}};{{now}}\n",
}
MAX_TIMES, MAX_INTERVAL_MS = 1_000_000_000, 86_400_000


class MessageForm(QWidget):
    """Edits one message.

    Attributes:
        folder: the start folder of the file dialog.

    Signals:
        send_requested(): the user wants to send the message, and it is valid.
    """

    send_requested = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.folder = Path.cwd()
        self._busy = self._connected = False
        self._build()
        self._lay_out()
        for signal in (
            self.url.textChanged, self.editor.textChanged, self.fields.textChanged, self.times.valueChanged,
            self.method.currentTextChanged, self.form_box.currentIndexChanged,
        ):  # fmt: skip
            signal.connect(self._check)
        self.url.returnPressed.connect(self._request_send)
        self.button.clicked.connect(self._request_send)
        self.choose.clicked.connect(self._choose_file)
        for editor in (self.editor, self.fields):
            editor.installEventFilter(self)
        self._check()

    # -- the message

    def message(self, name: str = "") -> Message:
        """The message as the form has it now."""
        fields = [line for line in self.fields.toPlainText().split("\n") if line.strip()]
        return Message(
            name=name,
            url=self.url.text().strip(),
            form=self.form,
            data=self.editor.toPlainText(),
            method=self._method() if self._has_method() else "",
            fields=fields if self._has_fields() else [],
            verify=self.verify.isChecked(),
            times=self.times.value(),
            every=self.every.value() / 1000,
        )

    def show_message(self, message: Message) -> None:
        """Fill the form with ``message``."""
        self.url.setText(message.url)
        self.form_box.setCurrentIndex(FORMS.index(message.form))
        self.editor.setPlainText(message.data)
        self.method.setCurrentText(message.method or AUTOMATIC)
        self.fields.setPlainText("\n".join(message.fields))
        self.verify.setChecked(message.verify)
        self.times.setValue(message.times)
        self.every.setValue(round(message.every * 1000))

    def suggestion(self) -> str:
        """A default name for the message when it is saved."""
        message = self.message()
        target = message.url.partition("://")[2].partition("?")[0]
        method = message.method or ("POST" if message.data else "GET")
        return f"{method} /{target.partition('/')[2]}" if self._has_method() else target or "message"

    def offer(self, urls: Iterable[str]) -> None:
        """Offer these URLs as completions in the URL field."""
        self._urls.setStringList(list(urls))

    def set_state(self, *, busy: bool, connected: bool) -> None:
        """``busy``: a message is being sent, so Send is disabled. ``connected``: the connection is open."""
        self._busy, self._connected = busy, connected
        self._check()

    # -- building the form

    def _build(self) -> None:
        self.url = QLineEdit()
        self.url.setProperty("role", "mono")
        self.url.setPlaceholderText("Where to, as tcp://127.0.0.1:9007")
        self.url.setAccessibleName("URL")
        self.url.setToolTip("tcp:// tls:// udp:// http:// https:// ws:// or wss://")
        self._urls = QStringListModel(self)
        completer = QCompleter(self._urls, self)
        completer.setFilterMode(Qt.MatchContains)
        completer.setCaseSensitivity(Qt.CaseInsensitive)
        self.url.setCompleter(completer)
        self.method = _combo(METHODS, "Method")
        self.method.setEditable(True)
        self.method.setToolTip("GET without data, else POST, if left alone")
        self.form_box = _combo([FORM_NAMES[form] for form in FORMS], "How the data is written")
        self.editor = _editor("What to send")
        self.fields = _editor("Headers")
        self.fields.setPlaceholderText("Headers, as\nContent-Type: text/plain\nX-Trace: 1")
        self.words, self.url_words = Words(), Words()
        self.choose = QPushButton("Choose…")
        self.times = _Number("How often; 0: until stopped", MAX_TIMES, "times")
        self.times.setSpecialValueText("until stopped")  # in the place of 0
        self.times.setSuffix(" ×")
        self.times.setValue(1)
        self.every = _Number("Milliseconds from one to the next", MAX_INTERVAL_MS, "every")
        self.every.setPrefix("every ")
        self.every.setSuffix(" ms")
        self.keep = QCheckBox("&Keep open")
        self.keep.setToolTip("Keep the connection open: what you send next goes over it")
        self.verify = QCheckBox("Verif&y")
        self.verify.setToolTip("Check the server's certificate, against the system's authorities and our own")
        self.verify.setChecked(True)
        self.button = QPushButton(icon("send", "accent_text"), " Send")
        self.button.setProperty("primary", True)
        self.button.setToolTip("Send (Ctrl+Enter)")
        self.pause = small_button("pause", "Pause")
        self.stop = small_button("stop", "Stop sending, and close the connection")

    def _lay_out(self) -> None:
        top, middle, bottom = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        top.addWidget(self.method)
        top.addWidget(self.url, 1)
        top.addWidget(self.button)
        middle.addWidget(self.editor, 3)
        middle.addWidget(self.fields, 2)
        for widget in (self.form_box, self.choose, self.times, self.every, self.keep, self.verify):
            bottom.addWidget(widget)
        bottom.addStretch()
        for button in (self.pause, self.stop):
            bottom.addWidget(button, 0, Qt.AlignVCenter)  # or the row would be only as tall as their icons
        for row in (top, middle, bottom):
            row.setSpacing(8)
        column.addLayout(top)
        column.addWidget(self.url_words)
        column.addLayout(middle, 1)
        column.addWidget(self.words)
        column.addLayout(bottom)

    # -- checking

    @property
    def form(self) -> str:
        """How the data is written: one of ``FORMS``."""
        return FORMS[self.form_box.currentIndex()]

    def _method(self) -> str:
        text = self.method.currentText().strip()
        return "" if text == AUTOMATIC else text

    def _scheme(self) -> str:
        return self.url.text().strip().partition("://")[0].lower()

    def _has_fields(self) -> bool:
        client = CLIENTS.get(self._scheme())
        return client is not None and client.http

    def _has_method(self) -> bool:
        return self._scheme() in ("http", "https")

    def _check(self) -> bool:
        """Show what is wrong. Returns whether the message can be sent."""
        self._show_relevant_fields()
        url_problem = self._url_problem() if self.url.text().strip() else None
        tell(self.url, self.url_words, url_problem)
        self.url_words.setVisible(url_problem is not None)
        data_problem, field_problem = problem(self.form, self.editor.toPlainText()), self._field_problem()
        tell(self.editor, self.words, data_problem and sentence(data_problem), HELP[self.form])
        set_property(self.fields, "invalid", field_problem is not None)
        if field_problem and not data_problem:
            self.words.say(field_problem, "error")
        valid = bool(self.url.text().strip()) and not (url_problem or data_problem or field_problem or self._busy)
        self.button.setEnabled(valid)
        return valid

    def _show_relevant_fields(self) -> None:
        client = CLIENTS.get(self._scheme())
        self.method.setVisible(self._has_method())
        self.fields.setVisible(self._has_fields())
        self.verify.setVisible(client is not None and client.tls)
        self.choose.setVisible(self.form == "file")
        self.every.setEnabled(self.times.value() != 1)
        self.editor.setPlaceholderText(f"What to send, as {EXAMPLES[self.form]}")
        connects = client is not None and client.protocol in ("tcp", "websocket")
        only_connects = connects and not self.editor.toPlainText() and not self._connected
        self.button.setText(" Connect" if only_connects else " Send")  # a space: Qt leaves none after the icon

    def _url_problem(self) -> str | None:
        try:
            parse(self.url.text())
        except errors.URLError as e:
            return sentence(str(e.fields["reason"]))
        wrong = method_problem(self._method()) if self._has_method() else None
        return wrong and sentence(wrong)

    def _field_problem(self) -> str | None:
        try:
            for line in self.message().fields:
                field(line)
        except errors.FieldError as e:
            return str(e)
        return None

    def _request_send(self) -> None:
        if self._check():
            self.send_requested.emit()

    def _choose_file(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Send a file", str(self.folder))
        if name:
            self.editor.setPlainText(name)

    # -- keys

    def event(self, event: QEvent) -> bool:
        # Without this, the window's shortcut "Send to connection" would take the key.
        if event.type() == QEvent.ShortcutOverride and isinstance(event, QKeyEvent) and _is_send(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if _is_send(event):
            self._request_send()
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.KeyPress and _is_send(event):
            self._request_send()
            return True
        return super().eventFilter(watched, event)


def _is_send(event: QKeyEvent) -> bool:
    return event.key() in (Qt.Key_Return, Qt.Key_Enter) and bool(event.modifiers() & Qt.ControlModifier)


def _combo(items: Iterable[str], name: str) -> QComboBox:
    box = QComboBox()
    box.setItemDelegate(QStyledItemDelegate(box))
    box.addItems(list(items))
    box.setAccessibleName(name)
    return box


def _editor(name: str) -> QPlainTextEdit:
    editor = QPlainTextEdit()
    editor.setProperty("role", "mono")
    editor.setTabChangesFocus(True)
    editor.setAccessibleName(name)
    editor.setMinimumHeight(48)
    return editor


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


def small_button(name: str, tip: str) -> QToolButton:
    """A button with an icon and no text."""
    button = QToolButton()
    button.setIcon(icon(name))
    button.setIconSize(QSize(14, 14))
    button.setAutoRaise(True)
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    return button
