"""The editor of what a message sends: text, JSON, a form, bytes, or a file."""

from __future__ import annotations

import json
from pathlib import Path

from PyQt5.QtCore import QT_TRANSLATE_NOOP, Qt, pyqtSignal
from PyQt5.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.sending.contents import json_problem, problem
from app.text.pretty import json_lines
from app.text.variables import NONE as NO_VARIABLES
from app.text.variables import Variables
from ui.detail.facts import written_size
from ui.forms.dropdown import Dropdown
from ui.forms.form import Words, Wrapped, sentence, tell
from ui.parts.labels import let_shrink
from ui.sending.rows import Rows

NONE, ATTACHED = "none", "attached"
"""Types without a form of their own: no body, and bytes taken from the capture."""

OF_REQUESTS = (NONE, "json", "plain", "form", "multipart", "text", "template", "hex", "file")
ROWS = ("form", "multipart")

MAX_CHECKED = 1 << 20
"""Characters of JSON that are checked while one types."""
OF_MESSAGES = ("text", "template", "hex", "file")

TITLES = {
    NONE: QT_TRANSLATE_NOOP("DataEditor", "No body"),
    "json": "JSON",
    "plain": QT_TRANSLATE_NOOP("DataEditor", "Text"),
    "form": QT_TRANSLATE_NOOP("DataEditor", "Form"),
    "multipart": QT_TRANSLATE_NOOP("DataEditor", "Form with files"),
    "text": QT_TRANSLATE_NOOP("DataEditor", "Text with escapes"),
    "template": QT_TRANSLATE_NOOP("DataEditor", "Template"),
    "hex": "Hex",
    "file": QT_TRANSLATE_NOOP("DataEditor", "File"),
    ATTACHED: QT_TRANSLATE_NOOP("DataEditor", "Captured bytes"),
}
HELP = {
    NONE: "",
    "json": QT_TRANSLATE_NOOP("DataEditor", r"{{name}} stands for a variable, \{{ for two braces"),
    "plain": QT_TRANSLATE_NOOP("DataEditor", r"UTF-8. {{name}} stands for a variable, \{{ for two braces"),
    "form": QT_TRANSLATE_NOOP("DataEditor", r"Sent URL-encoded. {{name}} stands for a variable"),
    "multipart": QT_TRANSLATE_NOOP(
        "DataEditor", "Sent as multipart/form-data. A value that begins with @ is the path of a file"
    ),
    "text": QT_TRANSLATE_NOOP("DataEditor", r"UTF-8, with \n \r \t \0 \e \xNN and \\ for what cannot be typed"),
    "template": QT_TRANSLATE_NOOP(
        "DataEditor", r"Text with escapes, variables, {{counter}}, {{now}}, {{uuid}}, {{crc16 | hex}} and more"
    ),
    "hex": QT_TRANSLATE_NOOP("DataEditor", "Pairs of digits 0-9 and a-f; spaces, colons and line breaks do not matter"),
    "file": QT_TRANSLATE_NOOP("DataEditor", "The path of a file, absolute or from the folder of the workspace"),
    ATTACHED: "",
}
EXAMPLES = {
    "json": '{"item": "{{item}}", "quantity": 12}',
    "plain": "Hello",
    "text": r"hello\r\n",
    "hex": "48 65 6c 6c 6f 0d 0a",
    "file": "firmware.bin",
    "template": r"{{counter}};{{now}}\n",
}


class DataEditor(QWidget):
    """Edits data in one of the forms of a message.

    Attributes:
        folder: where the dialog that chooses a file begins.
        types: the chooser of the type; ``help``: what is said about it; ``words``: what is wrong.
        attached: the bytes of the type ``ATTACHED``.

    Signals:
        changed(): the data or its type was edited.
    """

    changed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.folder = Path.cwd()
        self.attached: bytes | None = None
        self._source = ""
        self._offered: tuple[str, ...] = ()
        self._build()
        self._offer(OF_MESSAGES)
        self.types.currentIndexChanged.connect(self._on_type)
        self.editor.textChanged.connect(self.changed)
        self.rows.changed.connect(self.changed)
        self.format.clicked.connect(self._format)
        self.choose.clicked.connect(self._choose)
        self._on_type()

    # -- the data

    @property
    def type(self) -> str:
        return str(self.types.currentData())

    @type.setter
    def type(self, wanted: str) -> None:
        self.types.setCurrentIndex(max(self.types.findData(wanted), 0))

    @property
    def form(self) -> str:
        """One of ``app.sending.contents.FORMS``."""
        return "text" if self.type in (NONE, ATTACHED) else self.type

    @property
    def data(self) -> str:
        if self.type in (NONE, ATTACHED):
            return ""
        if self.type in ROWS:
            return "\n".join(self.rows.lines())
        # Not toPlainText(), which replaces no-break spaces by spaces.
        return self.editor.document().toRawText().replace("\N{PARAGRAPH SEPARATOR}", "\n")

    @property
    def empty(self) -> bool:
        """Whether nothing is sent."""
        return not self.attached if self.type == ATTACHED else not self.data

    def show_data(self, form: str, data: str) -> None:
        """Show other data. Captured bytes go."""
        self.attached = None
        self._offer(tuple(one for one in self._offered if one != ATTACHED))
        if form in ROWS:
            self.rows.set_lines(data.split("\n"))
        else:
            self.editor.setPlainText(data)
        if form not in self._offered:
            form = "text"
        self.type = NONE if not data and NONE in self._offered and form == "text" else form

    def attach(self, data: bytes, source: str) -> None:
        """Send these bytes, which are too many to be edited. ``source`` says where they are from."""
        self.attached, self._source = data, source
        self._offer((*self._offered, ATTACHED))
        self.type = ATTACHED
        self._on_type()

    def set_request(self, request: bool) -> None:
        """Whether this is the body of an HTTP request, which may be of more types than a message."""
        kinds = OF_REQUESTS if request else OF_MESSAGES
        self._offer((*kinds, ATTACHED) if self.attached is not None else kinds)

    def check(self, given: Variables = NO_VARIABLES) -> bool:
        """Say beneath the data what is wrong with it. True if it can be sent."""
        # No line ends between a backslash and what it escapes.
        self.help.setText(self.tr(HELP[self.type]).replace("\\", "\\\u2060"))
        self.help.keep_room()
        if self.type in (NONE, ATTACHED):
            self._tell(None)
            return True
        form, data = self.form, self.data
        wrong = problem(form, data, given)
        checked = form == "json" and wrong is None and data.strip() and len(data) <= MAX_CHECKED
        warning = json_problem(data, given) if checked else None
        if warning is not None:
            warning = self.tr("This is not valid JSON: {reason}. It can be sent anyway.").format(reason=warning)
        elif form in ("text", "hex") and "{{" in data:
            warning = self.tr("{braces} is sent as it is. The type Template fills it in.").format(braces="{{…}}")
        self._tell(wrong and sentence(wrong), warning)
        return wrong is None

    def _tell(self, problem: str | None, warning: str | None = None) -> None:
        """Say beneath the data what is wrong with it, or what may be; None: nothing."""
        tell(self.editor, self.words, problem)
        if problem is None and warning is not None:
            self.words.say(warning, "warning")
        self.words.setVisible(bool(problem or warning))

    # -- building

    def _build(self) -> None:
        self.types = Dropdown()
        self.types.setAccessibleName(self.tr("How the data is written"))
        self.format = QPushButton(self.tr("&Format"))
        self.format.setToolTip(self.tr("Format the JSON with line breaks and indentation"))
        self.choose = QPushButton(self.tr("&Choose…"))
        self.editor = QPlainTextEdit()
        self.editor.setProperty("role", "mono")
        self.editor.setTabChangesFocus(True)
        self.editor.setAccessibleName(self.tr("What to send"))
        self.editor.setMinimumHeight(3 * self.fontMetrics().lineSpacing())
        self.rows = Rows("=")
        self.rows.setAccessibleName(self.tr("Names and values of the form"))
        self.rows.setMinimumHeight(3 * self.fontMetrics().lineSpacing())
        self.note = QLabel()
        self.note.setProperty("role", "dim")
        self.note.setTextFormat(Qt.PlainText)
        self.note.setAlignment(Qt.AlignCenter)
        self.note.setWordWrap(True)
        self.words, self.help = Words(), Wrapped()
        self.help.setProperty("role", "dim")
        let_shrink(self.help)
        self.words.hide()
        self._stack = QStackedWidget()
        for page in (self.editor, self.rows, self.note):
            self._stack.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        tools = QHBoxLayout()
        tools.setSpacing(8)
        for widget in (self.types, self.format, self.choose):
            tools.addWidget(widget)
        tools.addWidget(self.help, 1)
        column.addWidget(self._stack, 1)
        column.addWidget(self.words)
        column.addLayout(tools)

    def _offer(self, kinds: tuple[str, ...]) -> None:
        """Offer these types, and keep the current one or take the nearest."""
        if kinds == self._offered:
            return
        before = self.type if self._offered else ""
        self._offered = kinds
        self.types.blockSignals(True)
        self.types.clear()
        for kind in kinds:
            self.types.addItem(self.tr(TITLES[kind]), kind)
        # What was typed already is not to vanish with the types that only requests have.
        nearest = "text" if before not in kinds and (before or NONE not in kinds) else before
        self.types.setCurrentIndex(max(self.types.findData(nearest), 0))
        self.types.blockSignals(False)
        if before != self.type:
            self._on_type()

    def _on_type(self) -> None:
        kind = self.type
        self.format.setVisible(kind == "json")
        self.choose.setVisible(kind == "file")
        if kind == NONE:
            self.note.setText(self.tr("This request has no body. To add one, choose a type."))
        elif kind == ATTACHED:
            size = written_size(len(self.attached or b""))
            self.note.setText(self.tr("{size}, {source}, sent unchanged.").format(
                size=size, source=self._source
            ))  # fmt: skip
        page = self.note if kind in (NONE, ATTACHED) else self.rows if kind in ROWS else self.editor
        self._stack.setCurrentWidget(page)
        self.editor.setPlaceholderText(
            self.tr("What to send, such as {example}").format(example=EXAMPLES[kind]) if kind in EXAMPLES else ""
        )
        self.setFocusProxy(page)
        self.changed.emit()

    def _format(self) -> None:
        """Put each value on a line, as it is written, if this is JSON: with ``{{…}}`` in it, it may be none yet."""
        data = self.data
        try:
            json.loads(data)
        except (ValueError, RecursionError):
            return
        cursor = self.editor.textCursor()
        cursor.select(cursor.Document)
        cursor.insertText("\n".join(json_lines(data)))  # can be undone

    def _choose(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, self.tr("Send a file"), str(self.folder))
        if name:
            self.editor.setPlainText(name)
