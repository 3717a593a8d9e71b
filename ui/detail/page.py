"""What every page of the detail pane is, and what it is given to show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app import events
from app.events import Event
from app.http.contents import Content, kind_of, media_type, of_payload
from ui.detail.facts import written_size
from ui.parts.line import Line

if TYPE_CHECKING:
    from app.capture.reading.exchange_at import Exchanged

HTTP = frozenset({events.HTTP_REQUEST, events.HTTP_RESPONSE})


@dataclass(frozen=True)
class Subject:
    """An event, and once it was read, the exchange that it is part of.

    Attributes:
        read: whether ``exchange`` is all that there is; until then bodies are on their way.
    """

    event: Event
    exchange: Exchanged | None = None
    read: bool = True

    @property
    def is_http(self) -> bool:
        return self.event.kind in HTTP

    @property
    def content(self) -> Content:
        """The payload, or of HTTP the body; empty where there is none, or not yet."""
        if not self.is_http:
            return of_payload(self.event.payload or b"")
        if (found := self._body) is not None:
            return found
        kind, charset = media_type(fields_of(self.event))
        return Content(kind=kind, charset=charset)

    @property
    def _body(self) -> Content | None:
        if self.exchange is None:
            return None
        return self.exchange.asked if self.event.kind == events.HTTP_REQUEST else self.exchange.answered

    @property
    def kind(self) -> str:
        """``json``, ``xml`` or ``image``, as far as that can be told; empty for all else."""
        return kind_of(self.content) if not self.empty else ""

    @property
    def empty(self) -> bool:
        """Whether there are certainly no bytes to show."""
        if self.is_http:
            detail, found = self.event.detail, self._body
            return "refused" in detail or (detail.get("body") == 0 if found is None else not found.size)
        return not self.event.payload

    @property
    def problem(self) -> str:
        """Why there are no bytes to show, in words; empty where there are."""
        event = self.event
        if not self.is_http or self.content.data:
            return ""
        if self.empty:
            return "No body"
        if "stream" in event.detail:
            size = event.detail.get("body")
            what = f"The body of {written_size(size)}" if isinstance(size, int) else "The body"
            return (
                f"{what} came in HTTP/2 frames, which are not taken apart.\nTheir bytes are in the connection's data."
            )
        if not self.read:
            return "Reading…"
        return "The body is not in the capture, or too far from this event to be found"


def fields_of(event: Event) -> list[list[str]]:
    """Header fields of a request or response. A capture from elsewhere may hold anything."""
    fields = event.detail.get("fields")
    pairs = fields if isinstance(fields, list) else []
    return [[str(part) for part in pair] for pair in pairs if isinstance(pair, list) and len(pair) == 2]


class Page(QWidget):
    """One tab of the detail pane.

    Attributes:
        key, title: under which the pane remembers it, and what its tab says.
        tools: controls that stand in the pane's corner while the page is in view.

    Signals:
        save: all of what is shown only in part is to be saved.
        again: the bytes of a failure are to be sent once more.
    """

    key: ClassVar[str]
    title: ClassVar[str]

    save = pyqtSignal()
    again = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tools: Sequence[QWidget] = ()

    @staticmethod
    def fits(subject: Subject) -> bool:
        """Whether the page has something to say about it."""
        return True

    def show_subject(self, subject: Subject) -> None:
        """Show another event, or what was found of it since, from its beginning."""
        raise NotImplementedError

    def copied(self) -> str:
        """What Copy takes from here: the selection, or all that is shown."""
        raise NotImplementedError

    def _stack(self, *widgets: QWidget) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for widget in widgets:
            layout.addWidget(widget)
        self.setFocusProxy(widgets[-1])


class CutNotice(QFrame):
    """Says how much of a payload or body is shown, and offers to save all of it; or what is wrong with it.

    Signals:
        save: the button was pressed.
    """

    save = pyqtSignal()
    again = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "window")
        self._label = Line()
        self._button = QPushButton(self.tr("Save all…"))
        self._button.clicked.connect(lambda: self.save.emit())
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 4, 8, 4)
        layout.addWidget(self._label, 1)
        layout.addWidget(self._button)
        self.hide()

    def show_content(self, subject: Subject, shown: int) -> None:
        """Say that the first ``shown`` bytes of the content's data are here; hidden when they are all."""
        content = subject.content
        what = self.tr("body") if subject.is_http else self.tr("payload")
        words = []
        if shown < len(content.data) or content.cut:
            text = self.tr("This is the beginning, {shown}, of a {what} of {size}")
            if content.coding:
                text += self.tr(" ({coding})")
            size = content.size if content.coding or content.cut else len(content.data)
            words.append(
                text.format(shown=written_size(shown), what=what, size=written_size(size), coding=content.coding)
            )
        if not content.whole:
            words.append(self.tr("The body did not come to its end"))
        self._label.setText("".join(f"{part}. " for part in words).rstrip())
        self._button.setVisible(shown < len(content.data) or content.cut)
        self.setVisible(bool(words))
