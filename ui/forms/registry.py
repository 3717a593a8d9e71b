"""Which editor edits which kind of option. The modules that define editors register them here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

from PyQt5.QtWidgets import QWidget

from app.options import Option

Kind = Literal["table", "choice", "switch", "lines", "paragraph", "text"]

_Editor = TypeVar("_Editor", bound=type[QWidget])

_EDITORS: dict[Kind, Any] = {}


def edits(kind: Kind) -> Callable[[_Editor], _Editor]:
    """Register the decorated widget class as the editor of one kind of option.

    It is called with the option and its value. It has a method ``value()`` and a signal ``changed``.
    """

    def register(editor: _Editor) -> _Editor:
        _EDITORS[kind] = editor
        return editor

    return register


def kind_of(option: Option) -> Kind:
    """What kind of editor the option's declaration asks for."""
    if option.of:
        return "table"
    if option.choices:
        return "choice"
    if option.type is bool:
        return "switch"
    if option.type is list:
        return "lines"
    return "paragraph" if option.multiline else "text"


def editor_for(option: Option, value: Any) -> Any:
    """A new editor that fits the option's type, with ``value`` in it."""
    return _EDITORS[kind_of(option)](option, value)
