"""Actions on a failure: send the payload that caused it again, save or copy a report of it."""

from __future__ import annotations

import re
from pathlib import Path

from PyQt5.QtCore import QObject, Qt
from PyQt5.QtWidgets import QFileDialog, QWidget
from twisted.internet.defer import Deferred

from app import events
from app.errors import PostError
from app.events import Event
from app.post import Post
from app.programs.shown import HostedPort
from ui.detail.pages.traceback import TracebackPage
from ui.detail.pane import DetailPane
from ui.detail.saving import save_payload
from ui.panes.failure_pane import FailurePane
from ui.parts.copying import copy


class FailureActions(QObject):
    """Acts on the failure that is shown. The result is told in the failure pane and on its page, not in a dialog."""

    def __init__(self, post: Post, pane: FailurePane, detail: DetailPane, window: QWidget) -> None:
        super().__init__(window)
        self._post, self._pane, self._detail, self._window = post, pane, detail, window
        self._sending = False

    def can_send(self, event: Event | None) -> bool:
        """Whether the payload that caused the failure can be sent again."""
        if event is None or event.kind != events.FAILURE or event.payload is None:  # an empty message is one, too
            return False
        service = self._post.owner(event.service)
        return service is not None and not (isinstance(service, HostedPort) and service.outgoing)

    def send_again(self, event: Event) -> None:
        if not self._sending:
            self._sending = True
            Deferred.fromCoroutine(self._send(event))

    async def _send(self, event: Event) -> None:
        from app.sending.resending import send_again
        from ui.sending.resend import reaching

        service, bad = self._post.owner(event.service), True
        url = reaching(service) if service is not None else None
        try:
            if service is None or not service.running:
                words = self.tr("{service} is stopped. Start it first.").format(service=event.service)
            elif url is None:
                words = self.tr("Listening Post cannot send over {protocol}.").format(protocol=service.config.protocol)
            else:
                self._tell(event, self.tr("Sending…"))
                words, bad = await send_again(self._post.sender, url, event.payload or b""), False
        except PostError as e:
            words = str(e)
        finally:
            self._sending = False
        self._tell(event, words, bad=bad)

    def save_report(self, event: Event) -> None:
        """Ask for a file, and save a report for a bug tracker in it."""
        text = self._pane.report(event)
        dialog = QFileDialog(self._window, self.tr("Save report"))
        dialog.setAcceptMode(QFileDialog.AcceptSave)
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", str(event.detail.get("type", "failure")).rpartition(".")[2])
        dialog.selectFile(f"{name}-{event.id}.md")
        dialog.setAttribute(Qt.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.write_report(event, text, Path(path)))
        dialog.open()

    def write_report(self, event: Event, text: str, path: Path) -> Deferred[None]:
        """Write a report to a file, and tell the result."""
        done: Deferred[None] = self._post.sender.in_thread(save_payload, text.encode("utf-8", "replace"), path)
        return done.addCallback(
            lambda wrong: self._tell(event, wrong or self.tr("Saved to {path}.").format(path=path), bad=bool(wrong))
        )

    def copy_report(self, event: Event) -> None:
        copy(self._pane.report(event), self.tr("Copied the report"))

    def _tell(self, event: Event, words: str, *, bad: bool = False) -> None:
        self._pane.tell(words, bad=bad)
        page = self._detail.pages.get(TracebackPage.key)
        shown = self._detail.event_shown()
        if isinstance(page, TracebackPage) and shown is not None and shown.id == event.id:
            page.view.tell(words)
