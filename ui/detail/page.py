"""The base class of the detail pane's pages, and the subject that they show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Protocol

from PyQt5.QtCore import QCoreApplication, pyqtSignal
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app import events
from app.events import Event
from app.http.contents import Content, kind_of, media_type, of_part, of_payload
from app.http.forms import Part
from ui.detail.facts import written_size
from ui.parts.line import Line

if TYPE_CHECKING:
    from app.capture.reading.exchange_at import Exchanged
    from app.capture.reading.turns import Turn

HTTP = frozenset({events.HTTP_REQUEST, events.HTTP_RESPONSE})

TURNS = frozenset(
    {events.DATA_RECEIVED, events.DATA_SENT, events.DATAGRAM_RECEIVED, events.DATAGRAM_SENT, events.WS_MESSAGE}
)


class Shown(Protocol):
    """Bytes that a view shows: the payload or body of an event, or a part of one.

    Attributes:
        content: the bytes, and what is known of them.
        kind: ``json``, ``xml`` or ``image``; empty for anything else.
        noun: what it is called: body, payload, part.
        problem: a text for the user why there are no bytes to show; empty if there are.
    """

    @property
    def content(self) -> Content: ...

    @property
    def kind(self) -> str: ...

    @property
    def noun(self) -> str: ...

    @property
    def problem(self) -> str: ...


@dataclass(frozen=True)
class PartShown:
    """A part of a multipart body. ``whole``: whether it came to its end."""

    part: Part
    whole: bool = True

    @property
    def content(self) -> Content:
        return replace(of_part(self.part), whole=self.whole)

    @property
    def kind(self) -> str:
        return kind_of(self.content) if self.part.data else ""

    @property
    def noun(self) -> str:
        return "part"

    @property
    def problem(self) -> str:
        return "" if self.part.data else QCoreApplication.translate("PartShown", "This part is empty")


@dataclass(frozen=True)
class Subject:
    """An event and, once it was read, the HTTP exchange or the turn that it belongs to.

    Attributes:
        read: whether reading the exchange or the turn has finished. Until then, bodies are missing.
    """

    event: Event
    exchange: Exchanged | None = None
    read: bool = True
    turn: Turn | None = None

    @property
    def is_turn(self) -> bool:
        """Whether the event may be part of a turn."""
        detail = self.event.detail
        return self.event.kind in TURNS and self.event.conn is not None and detail.get("opcode") not in ("ping", "pong")

    @property
    def noun(self) -> str:
        return "body" if self.is_http else "payload"

    @property
    def is_http(self) -> bool:
        return self.event.kind in HTTP

    @property
    def content(self) -> Content:
        """The payload or, for HTTP, the body; empty if there is none, or it was not read yet."""
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
        """``json``, ``xml`` or ``image``; empty if the content is none of these, or not read yet."""
        return kind_of(self.content) if not self.empty else ""

    @property
    def empty(self) -> bool:
        """Whether it is certain that there are no bytes to show."""
        if self.is_http:
            detail, found = self.event.detail, self._body
            return "refused" in detail or (detail.get("body") == 0 if found is None else not found.size)
        return not self.event.payload

    @property
    def problem(self) -> str:
        """A text for the user why there are no bytes to show; empty if there are."""
        if not self.is_http or self.content.data:
            return ""
        if self.empty:
            return QCoreApplication.translate("DetailPage", "No body")
        if not self.read:
            return QCoreApplication.translate("DetailPage", "Reading…")
        return QCoreApplication.translate(
            "DetailPage", "The body is not in the capture, or too far from this event to be found"
        )


def fields_of(event: Event) -> list[list[str]]:
    """The headers of a request or response. Anything else, as a foreign capture may have it, is left out."""
    fields = event.detail.get("fields")
    pairs = fields if isinstance(fields, list) else []
    return [[str(part) for part in pair] for pair in pairs if isinstance(pair, list) and len(pair) == 2]


class Page(QWidget):
    """One tab of the detail pane.

    Attributes:
        key: the name by which the pane remembers the page.
        title: the text of its tab.
        tools: widgets in the pane's corner while the page is visible.

    Signals:
        save: the user wants to save the whole payload or body.
        save_body(Event): the same of another event.
        save_part(Event, int): the user wants to save the part with this number, from 0, of the body of an event.
        again: the user wants to send the bytes of a failure again.
        event_wanted: the user wants to see the event with this id.
        stream_wanted: the user wants to see all that passed on the connection with this number.
        wanted: the action of this name is to act on the event.
    """

    key: ClassVar[str]
    title: ClassVar[str]

    save = pyqtSignal()
    save_body = pyqtSignal(object)
    save_part = pyqtSignal(object, int)
    again = pyqtSignal()
    event_wanted = pyqtSignal(int)
    stream_wanted = pyqtSignal(int)
    wanted = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tools: Sequence[QWidget] = ()

    @staticmethod
    def fits(subject: Subject) -> bool:
        """Whether the page can show this subject."""
        return True

    def show_subject(self, subject: Subject) -> None:
        """Show another event, or the same event after its exchange was read, scrolled to the beginning."""
        raise NotImplementedError

    def offer_actions(self) -> None:
        """The program that captures runs here: offer what changes something."""

    def copied(self) -> str:
        """The text for Copy: the selection, or all that is shown."""
        raise NotImplementedError

    def _stack(self, *widgets: QWidget) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for widget in widgets:
            layout.addWidget(widget)
        self.setFocusProxy(widgets[-1])


class CutNotice(QFrame):
    """A bar of one line that says how much of a payload or body is shown, with a button to save all of it.

    It also says if a body is incomplete.

    Signals:
        save: the button was pressed.
    """

    save = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "window")
        self.setSizePolicy(QSizePolicy.Preferred, QSizePolicy.Fixed)
        self._label = Line()
        self._button = QPushButton(self.tr("Save all…"))
        self._button.clicked.connect(lambda: self.save.emit())
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 4, 8, 4)
        layout.addWidget(self._label, 1)
        layout.addWidget(self._button)
        self.hide()

    def show_content(self, what: Shown, shown: int) -> None:
        """Say that the first ``shown`` bytes of the content are shown. Hide the bar if that is all of it."""
        content, beginning = what.content, shown < len(what.content.data) or what.content.cut
        words = []
        if beginning:
            text = {
                "body": self.tr("This is the beginning, {shown}, of a body of {size}"),
                "payload": self.tr("This is the beginning, {shown}, of a payload of {size}"),
                "part": self.tr("This is the beginning, {shown}, of a part of {size}"),
            }[what.noun]
            if content.coding:
                text += self.tr(" ({coding})")
            size = content.size if content.coding or content.cut else len(content.data)
            words.append(text.format(shown=written_size(shown), size=written_size(size), coding=content.coding))
        if not content.whole:
            words.append(self.tr("The body is incomplete"))
        self._label.setText("".join(f"{part}. " for part in words).rstrip())
        self._button.setVisible(beginning)
        self.setVisible(bool(words))
