"""The page Fault: what was done on purpose, in words, and the bytes before it."""

from __future__ import annotations

from typing import Any

from PyQt5.QtCore import QT_TRANSLATE_NOOP, Qt
from PyQt5.QtWidgets import QToolButton, QWidget

from app import events, faults
from app.faults import CONNECT, RECEIVED, SENT
from ui.detail.facts import Fact, shortened
from ui.detail.page import Subject
from ui.detail.pages.facts import FactsPage
from ui.detail.sheet import visible
from ui.looks.declared import in_words
from ui.looks.icons import icon


class FaultPage(FactsPage):
    """The facts of a hit. The buttons lead to the fault, to its other hits, and to a run that hits as this one did."""

    key, title = "fault", "Fault"
    content_name = QT_TRANSLATE_NOOP("declared", "BYTES BEFORE THE FAULT")

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        go = _link("bolt", self.tr("Show fault"), self.tr("Open the fault on the page of its service"))
        hits = _link("filter", self.tr("Show hits"), self.tr("Show all events of this fault"))
        again = _link("again", self.tr("Repeat"), self.tr("Restart the service with this seed"))
        go.clicked.connect(lambda: self.wanted.emit("fault_of_event"))
        hits.clicked.connect(lambda: self.wanted.emit("fault_hits"))
        again.clicked.connect(lambda: self.wanted.emit("repeat_seed"))
        self._links = (go, hits, again)

    def offer_actions(self) -> None:
        self.tools = self._links

    @staticmethod
    def fits(subject: Subject) -> bool:
        return subject.event.kind == events.FAULT_APPLIED

    def facts(self, subject: Subject) -> list[Fact]:
        detail, found = subject.event.detail, []
        for name, value in (
            (self.tr("what happened"), _text(detail.get("words"))),
            (self.tr("fault"), _text(detail.get("fault"))),
            (self.tr("kind"), _kind(detail.get("kind"))),
            (self.tr("hit"), self._hit(detail)),
            (self.tr("seed"), _text(detail.get("seed"))),
        ):
            if value:
                found.append(Fact(name, shortened(visible(value))))
        return found

    def _hit(self, detail: dict[str, Any]) -> str:
        side, number, total = detail.get("on"), detail.get("message"), detail.get("total")
        if total is not None:
            words = {
                RECEIVED: self.tr("{count} messages that the peer sent, on the whole connection"),
                SENT: self.tr("{count} messages that were sent to the peer, on the whole connection"),
            }.get(str(side), self.tr("{count} messages"))
            return words.format(count=total)
        words = {
            CONNECT: self.tr("the connection, when it was made"),
            RECEIVED: self.tr("message {number} that the peer sent on this connection"),
            SENT: self.tr("message {number} that was sent to the peer on this connection"),
        }.get(str(side), "")
        return words.format(number=number) if number else words if side == CONNECT else self.tr("the whole connection")


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _kind(name: object) -> str:
    found = faults.find(str(name))
    return f"{name}: {in_words(found.help)}" if found is not None else _text(name)


def _link(picture: str, text: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(f" {text}")
    button.setAccessibleName(text)
    button.setToolTip(tip)
    button.setIcon(icon(picture, "dim"))
    button.setFocusPolicy(Qt.TabFocus)
    button.setToolButtonStyle(Qt.ToolButtonTextBesideIcon)
    return button
