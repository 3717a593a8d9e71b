"""A dialog that sends bytes to the peer of a connection. The user types text with escapes, or hex."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from PyQt5.QtCore import QT_TRANSLATE_NOOP, QEvent, QObject, Qt, pyqtSignal
from PyQt5.QtGui import QKeyEvent, QKeySequence
from PyQt5.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QPushButton,
    QRadioButton,
    QStyledItemDelegate,
    QVBoxLayout,
    QWidget,
)

from app.text.errors import EscapeError
from app.text.escapes import escape, unescape, unhex
from ui.detail.facts import written_size
from ui.forms.form import Words, sentence, tell
from ui.looks import times
from ui.looks.icons import icon

ENDINGS = ((QT_TRANSLATE_NOOP("SendDialog", "nothing"), b""), (r"\n", b"\n"), (r"\r\n", b"\r\n"))
HELP = QT_TRANSLATE_NOOP(
    "SendDialog", r"Text goes out as UTF-8, with \n \r \t \0 \e \xNN and \\ for what cannot be typed"
)
HELP_HEX = QT_TRANSLATE_NOOP(
    "SendDialog", "Pairs of digits 0-9 and a-f; spaces, colons and line breaks between them do not matter"
)


@dataclass(frozen=True, slots=True)
class Sent:
    """One entry of the history: the state of the editor, so that it can be restored, and the bytes sent."""

    text: str
    hex: bool
    ending: int
    data: bytes


class SendDialog(QDialog):
    """A non-modal dialog for one connection. Closing the dialog deletes it.

    Attributes:
        _history: the messages sent, oldest first.
        _recalled: the index in the history that Up and Down have reached; its length: none.
        _draft: the state of the editor before Up was pressed.

    Signals:
        send(bytes): the user wants to send these bytes.
    """

    send = pyqtSignal(bytes)

    def __init__(self, connection: int, peer: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowFlag(Qt.WindowContextHelpButtonHint, False)
        self.setModal(False)
        self._connection = connection
        self._history: list[Sent] = []
        self._recalled = 0
        self._draft = Sent("", False, 0, b"")
        self._ended = False
        self.setWindowTitle(self.tr("Send to #{number} {peer}").format(number=connection, peer=peer))
        self._build()
        self._lay_out()
        self._check()
        self.editor.setFocus()

    def data(self) -> bytes:
        """The bytes typed in the editor, with the chosen ending. Raises EscapeError."""
        text = self.editor.toPlainText()
        return unhex(text) if self.hex.isChecked() else unescape(text) + ENDINGS[self.ending.currentIndex()][1]

    def history(self) -> list[Sent]:
        """The messages sent from this dialog, oldest first."""
        return list(self._history)

    @property
    def worth_keeping(self) -> bool:
        """Whether there is text in it that can still be sent."""
        return not self._ended and bool(self.editor.toPlainText())

    def set_ended(self, reason: str = "") -> None:
        """The connection has ended for this reason: disable sending."""
        self._ended = True
        if reason:
            words = self.tr("Connection #{number} has ended: {reason}.").format(number=self._connection, reason=reason)
        else:
            words = self.tr("Connection #{number} has ended.").format(number=self._connection)
        tell(self.editor, self.words, words)
        for widget in (self.editor, self.text, self.hex, self.ending_label, self.ending, self.button):
            widget.setEnabled(False)
        self.count.clear()

    # -- building the dialog

    def _build(self) -> None:
        self.text, self.hex = QRadioButton(self.tr("&Text with escapes")), QRadioButton(self.tr("&Hex"))
        self.text.setChecked(True)
        self._modes = QButtonGroup(self)
        self._modes.addButton(self.text)
        self._modes.addButton(self.hex)
        self.editor = QPlainTextEdit()
        self.editor.setProperty("role", "mono")
        self.editor.setTabChangesFocus(True)
        self.editor.setAccessibleName(self.tr("What to send"))
        self.editor.setMinimumHeight(self.editor.fontMetrics().lineSpacing() * 4 + 24)
        self.editor.installEventFilter(self)
        self.words, self.count = Words(), QLabel()
        self.count.setProperty("role", "dim")
        self.ending = QComboBox()
        self.ending.setItemDelegate(QStyledItemDelegate(self.ending))
        self.ending.addItems([self.tr(words) for words, _ in ENDINGS])
        self.ending.setAccessibleName(self.tr("What to append"))
        self.past = QListWidget()
        self.past.setProperty("role", "mono")
        self.past.setAccessibleName(self.tr("What was sent"))
        self.past.setUniformItemSizes(True)
        self.button = QPushButton(icon("send", "accent_text"), self.tr("Send"))
        self.button.setProperty("primary", True)
        self.button.setToolTip(self.tr("Send ({keys})").format(keys=_keys("Ctrl+Return")))
        self.button.setAutoDefault(False)
        self.editor.textChanged.connect(self._check)
        self.ending.currentIndexChanged.connect(self._check)
        self.text.toggled.connect(self._check)
        self.button.clicked.connect(self._send)
        self.past.itemActivated.connect(lambda item: self._recall(item.data(Qt.UserRole)))

    def _lay_out(self) -> None:
        self.ending_label = QLabel(self.tr("&Append"))
        self.ending_label.setBuddy(self.ending)
        top, bottom = QHBoxLayout(), QHBoxLayout()
        for row in (top, bottom):
            row.setSpacing(16)
        top.addWidget(self.text)
        top.addWidget(self.hex)
        top.addStretch()
        bottom.addWidget(self.ending_label)
        bottom.addWidget(self.ending)
        bottom.addStretch()
        bottom.addWidget(self.count)
        bottom.addWidget(self.button)
        self.past_label = QLabel(self.tr("SENT"))
        self.past_label.setProperty("role", "heading")
        self.past_hint = Words()
        self.past_hint.say(self.tr("Nothing yet. What you send stays here; Up brings it back."))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addWidget(self.editor, 3)
        layout.addWidget(self.words)
        layout.addLayout(bottom)
        layout.addSpacing(8)
        layout.addWidget(self.past_label)
        layout.addWidget(self.past_hint)
        layout.addWidget(self.past, 2)
        self.past.hide()
        layout.addStretch(0)
        width = self.fontMetrics().horizontalAdvance("0")
        self.resize(width * 72, self.sizeHint().height())

    # -- actions

    def _check(self) -> None:
        if self._ended:
            return
        is_hex = self.hex.isChecked()
        self.ending.setEnabled(not is_hex)
        self.ending_label.setEnabled(not is_hex)
        self.editor.setPlaceholderText("48 65 6c 6c 6f 0d 0a" if is_hex else r"GET / HTTP/1.1\r\nHost: example\r\n\r\n")
        try:
            size = len(self.data())
        except EscapeError as e:
            tell(self.editor, self.words, sentence(str(e.fields["reason"])))
            self.count.clear()
            self.button.setEnabled(False)
            return
        tell(self.editor, self.words, None, self.tr(HELP_HEX if is_hex else HELP))
        self.count.setText(written_size(size))
        self.button.setEnabled(size > 0)

    def _send(self) -> None:
        if not self.button.isEnabled():
            return
        sent = self._entry(self.data())
        self._history.append(sent)
        self._recalled = len(self._history)
        time = datetime.now(UTC).astimezone(times.zone()).strftime("%H:%M:%S")
        shown = sent.data[:400].hex(" ") if sent.hex else escape(sent.data[:400])
        item = QListWidgetItem(f"{time}  {written_size(len(sent.data)):>12}  {shown}")
        item.setData(Qt.UserRole, self._recalled - 1)
        self.past.insertItem(0, item)
        self.past_hint.hide()
        self.past.show()
        self.editor.clear()
        self.editor.setFocus()
        self.send.emit(sent.data)

    def _entry(self, data: bytes) -> Sent:
        return Sent(self.editor.toPlainText(), self.hex.isChecked(), self.ending.currentIndex(), data)

    def _recall(self, place: int) -> None:
        """Restore an entry of the history in the editor; past the last entry, the draft."""
        if self._ended or not 0 <= place <= len(self._history):
            return
        if self._recalled == len(self._history):
            self._draft = self._entry(b"")
        self._recalled = place
        sent = self._history[place] if place < len(self._history) else self._draft
        (self.hex if sent.hex else self.text).setChecked(True)
        self.ending.setCurrentIndex(sent.ending)
        self.editor.setPlainText(sent.text)
        cursor = self.editor.textCursor()
        cursor.movePosition(cursor.End)
        self.editor.setTextCursor(cursor)
        self.editor.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if _is_send(event):
            self._send()
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.KeyPress:
            return super().eventFilter(watched, event)
        if _is_send(event):
            self._send()
            return True
        if not event.modifiers() & ~Qt.KeypadModifier:
            # Up on the first line and Down on the last go through the history, as in a terminal. A copy of
            # the cursor tells whether it is there, with wrapped lines, too.
            cursor = self.editor.textCursor()
            if event.key() == Qt.Key_Up and not cursor.movePosition(cursor.Up):
                self._recall(self._recalled - 1)
                return True
            if event.key() == Qt.Key_Down and not cursor.movePosition(cursor.Down):
                self._recall(self._recalled + 1)
                return True
        return super().eventFilter(watched, event)


def _is_send(event: QKeyEvent) -> bool:
    return event.key() in (Qt.Key_Return, Qt.Key_Enter) and bool(event.modifiers() & Qt.ControlModifier)


def _keys(text: str) -> str:
    return QKeySequence(text).toString(QKeySequence.NativeText)
