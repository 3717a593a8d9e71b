"""Searching in a hex view: for a text, or for bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PyQt5.QtCore import QCoreApplication
from PyQt5.QtWidgets import QPlainTextEdit, QTextEdit, QWidget

from app.text.finding import bytes_wanted, places
from ui.detail.hex_view import HexView
from ui.parts.find_views import Target

VIEWS = (QPlainTextEdit, QTextEdit, HexView)
"""In what can be searched."""

LONGEST = 32
"""Bytes of what is selected that are taken for what is wanted."""


def _wanted(typed: str) -> bytes:
    found = bytes_wanted(typed)
    return typed.encode("utf-8", "surrogateescape") if found is None else found


class HexTarget:
    """A hex view. Positions are those of its bytes. ``de ad`` and ``0xdead`` are bytes, all else is text in UTF-8."""

    def __init__(self, widget: HexView) -> None:
        self.widget = widget

    def places(self, typed: str, *, case: bool) -> Iterator[int | None]:
        # Capital letters matter in bytes that were written as such.
        return places(self.widget.data(), _wanted(typed), case=case or bytes_wanted(typed) is not None)

    def selected(self) -> str:
        return self.widget.selected_bytes().hex(" ") if 1 < len(self.widget.selection()) <= LONGEST else ""

    def cursor(self) -> int:
        return self.widget.selection().start

    def show(self, start: int, typed: str) -> None:
        self.widget.select(start, start + len(_wanted(typed)))

    def deselect(self) -> None:
        self.widget.select(self.widget.selection().start, self.widget.selection().start)

    def mark(self, starts: list[int], typed: str) -> None:
        """The hex view shows only the current place."""

    def watch(self, changed: Callable[[], object]) -> Callable[[], None]:
        self.widget.dataChanged.connect(changed)
        return lambda: self.widget.dataChanged.disconnect(changed)

    def kind(self, typed: str) -> str:
        if bytes_wanted(typed) is None:
            return ""
        return QCoreApplication.translate("HexTarget", "bytes")


def hex_target(widget: QWidget) -> Target | None:
    """The target that a hex view is."""
    return HexTarget(widget) if isinstance(widget, HexView) else None
