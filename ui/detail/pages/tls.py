"""The page TLS: the parameters of a connection, or why the handshake failed."""

from __future__ import annotations

from PyQt5.QtCore import QT_TRANSLATE_NOOP

from app import events
from app.services.tls.client_hello import parse
from ui.detail.facts import Fact, detail_facts
from ui.detail.page import Subject
from ui.detail.pages.facts import FactsPage


class TLSPage(FactsPage):
    key, title = "tls", "TLS"
    content_name = QT_TRANSLATE_NOOP("declared", "FIRST BYTES RECEIVED")

    @staticmethod
    def fits(subject: Subject) -> bool:
        return subject.event.kind in (events.TLS_OPENED, events.TLS_FAILED)

    def facts(self, subject: Subject) -> list[Fact]:
        found = detail_facts(subject.event)
        hello = parse(subject.event.payload or b"")
        if hello is not None:
            found.append(Fact(self.tr("cipher suites"), self.tr("{count} offered").format(count=hello.ciphers)))
        return found
