"""Forms: rows of a label and its editors, and below each row a line with its help text or its error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, pairwise
from typing import Any

from PyQt5.QtCore import QCoreApplication, Qt, pyqtSignal
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QSizePolicy,
    QSplitter,
    QStyle,
    QVBoxLayout,
    QWidget,
)

from app.options import Option, problems
from ui.forms.registry import editor_for
from ui.looks.declared import in_words


class Wrapped(QLabel):
    """A label for plain text that wraps."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setWordWrap(True)
        self.setTextFormat(Qt.PlainText)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.keep_room()

    def keep_room(self) -> None:
        """Set the minimum height to that of the wrapped text.

        Top-level windows ignore height for width, and would cut off the last lines.
        """
        self.setMinimumHeight(0)  # otherwise the height could never shrink
        self.setMinimumHeight(max(self.fontMetrics().height() + 8, self.heightForWidth(self.width())))


class Words(Wrapped):
    """The line below a field: its help, a warning or an error. It keeps its height while it is empty."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setProperty("role", "dim")

    def say(self, text: str, role: str = "dim") -> None:
        """Show ``text``. ``role`` is ``dim``, ``warning`` or ``error``, as in the stylesheet."""
        self.setText(text)
        set_property(self, "role", role)
        if self.isVisible():
            self.keep_room()


class Form(QGridLayout):
    """Rows of a label and one or more editors, each with a line of words below it."""

    def __init__(self) -> None:
        super().__init__()
        self.setContentsMargins(0, 0, 0, 0)
        self.setHorizontalSpacing(16)
        self.setVerticalSpacing(4)
        self.setColumnStretch(1, 1)
        self._labels: list[QLabel] = []
        self._rows: dict[Words, tuple[QWidget, ...]] = {}

    def align(self, other: Form) -> None:
        """Give the label columns of both forms the same width, so that their editors line up."""
        width = max((label.sizeHint().width() for label in (*self._labels, *other._labels)), default=0)
        for form in (self, other):
            form.setColumnMinimumWidth(0, width)

    def add(self, label: str, *editors: QWidget, wide: bool = False) -> Words:
        """Add a row and return its line of words.

        The first editor is the label's buddy and takes the free width. In a ``wide`` row the editors
        stand below the label and take the whole width.
        """
        row = self.rowCount()
        name = QLabel(label)
        name.setBuddy(editors[0])
        line = QHBoxLayout()
        line.setSpacing(8)
        for index, editor in enumerate(editors):
            whole = editor.sizePolicy().horizontalPolicy() != QSizePolicy.Maximum
            line.addWidget(editor, int(index == 0), Qt.Alignment() if whole else Qt.AlignLeft)
            if not editor.accessibleName():
                editor.setAccessibleName(label.replace("&", ""))
        words = Words()
        words.setContentsMargins(0, 0, 0, 8)
        words.setAlignment(Qt.AlignTop)
        words.setMinimumHeight(words.fontMetrics().height() + 8)
        self._rows[words] = (name, *editors, words)
        if wide:
            self.addWidget(name, row, 0, 1, 2)
            self.addWidget(words, row + 1, 0, 1, 2)
            self.addLayout(line, row + 2, 0, 1, 2)
            return words
        self._labels.append(name)
        self.addWidget(name, row, 0)
        self.addLayout(line, row, 1)
        self.addWidget(words, row + 1, 1)
        return words

    def show_row(self, words: Words, shown: bool) -> None:
        """Show or hide the row that has these ``words``."""
        for widget in self._rows[words]:
            widget.setVisible(shown)


class OptionForm(QWidget):
    """A form of declared options, each with an editor that fits its type.

    An option that the other values make irrelevant is hidden, unless its value differs from the default.

    Signals:
        changed(): an option was edited.
    """

    changed = pyqtSignal()

    def __init__(self, declared: tuple[Option, ...], given: Mapping[str, Any], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._options = declared
        self._given = dict(given)
        self.form = Form()
        self.setLayout(self.form)
        self._rows = {option.name: self._add(option) for option in self._options}
        self.check()

    def options(self) -> dict[str, Any]:
        """The values that differ from the defaults or were given before. They may have problems: see ``check``."""
        return self._set(self._values())

    def put(self, name: str, text: str) -> None:
        """Put ``text`` into the editor of an option that is a line of text, as if it was typed."""
        self._rows[name][0].setText(text)

    def _values(self) -> dict[str, Any]:
        return {name: editor.value() for name, (editor, _) in self._rows.items()}

    def _set(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {
            option.name: values[option.name]
            for option in self._options
            if (option.name in self._given and not option.instead) or values[option.name] != option.default
        }

    def check(self) -> bool:
        """Show below each option what is wrong with it. True if nothing is."""
        values = self._values()
        wrong = self._problems(self._set(values))
        for option in self._options:
            editor, words = self._rows[option.name]
            problem = None if self._is_early(option, values) else wrong.get(option.name)
            if problem and option.of:
                problem = editor.in_words(problem)
            tell(editor, words, problem and sentence(problem), _help(option, values[option.name]))
            is_set = values[option.name] != option.default
            self.form.show_row(words, self._matters(option, values) or is_set or problem is not None)
        return not wrong

    def _problems(self, given: Mapping[str, Any]) -> Mapping[str, str]:
        """What is wrong with the options that are set, by name."""
        return dict(problems(self._options, given))

    def _is_early(self, option: Option, values: Mapping[str, Any]) -> bool:
        """Whether it would be too early to say what is wrong with an option."""
        return False

    def _matters(self, option: Option, values: Mapping[str, Any]) -> bool:
        return option.matters(values)

    def _add(self, option: Option) -> tuple[Any, Words]:
        editor = editor_for(option, self._given.get(option.name, option.default))
        editor.changed.connect(self.changed)
        more = [QLabel(in_words(option.unit))] if option.unit else []
        return editor, self.form.add(title(option.name), editor, *more, wide=bool(option.of))


_WRITTEN = {word: word.upper() for word in ("alpn", "ca", "cors", "crc", "id", "json", "tls", "url")}
_WRITTEN |= {"http2": "HTTP/2", "ids": "IDs", "fields": "headers", "field": "header"}


def title(name: str) -> str:
    """The label for an option's name: "Client CA" for ``client_ca``."""
    words = [_WRITTEN.get(word, word) for word in name.split("_")]
    return in_words(" ".join([words[0][:1].upper() + words[0][1:], *words[1:]]))


def _help(option: Option, value: object) -> str:
    if option.type is list and not option.of:
        return QCoreApplication.translate("Form", "{help}; one in each line").format(help=in_words(option.help))
    return in_words(option.help_of(value))


def tell(editor: QWidget, words: Words, problem: str | None, otherwise: str = "") -> None:
    """Show a problem below an editor and on its frame, or ``otherwise`` if there is none."""
    words.say(problem or otherwise, "error" if problem else "dim")
    set_property(editor, "invalid", problem is not None)
    editor.setAccessibleDescription(problem or otherwise)


def sentence(text: str) -> str:
    """``text`` with a capital letter at its beginning and a full stop at its end."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def set_property(widget: QWidget, name: str, value: object) -> None:
    """Set a property that the stylesheet selects by, and apply the stylesheet again."""
    if widget.property(name) == value:
        return
    widget.setProperty(name, value)
    style: QStyle = widget.style()
    style.unpolish(widget)
    style.polish(widget)


def tab_through(*parts: QWidget) -> None:
    """Set the tab order: part by part, and inside a part in the order of its layout.

    By default Qt goes by the order in which the widgets were created.
    """
    for before, after in pairwise(chain.from_iterable(map(_stops, parts))):
        QWidget.setTabOrder(before, after)


def _stops(part: QWidget | QLayout | None) -> Iterator[QWidget]:
    if isinstance(part, QWidget):
        if part.focusPolicy() & Qt.TabFocus:
            yield part
        if isinstance(part, QSplitter):  # it has no layout
            for index in range(part.count()):
                yield from _stops(part.widget(index))
        part = part.layout()
    if part is not None:
        for item in map(part.itemAt, range(part.count())):
            yield from _stops(
                item.layout() if item.widget() is None else item.widget()
            )  # an empty QListWidget is falsy


def column(*items: QWidget | Form) -> QVBoxLayout:
    """A vertical layout of the items, without margins and spacing."""
    layout = QVBoxLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    for item in items:
        if isinstance(item, QWidget):
            layout.addWidget(item)
        else:
            layout.addLayout(item)
    return layout
