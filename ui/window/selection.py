"""What the actions of the main window act on."""

from __future__ import annotations

from PyQt5.QtCore import QObject, pyqtSignal

from app.post import Post
from app.programs.shown import HostedPort
from app.responders.trial import can_try
from app.status import Stopping
from ui.actions.action import Situation
from ui.bridge import Bridge
from ui.edits import Edits
from ui.panes.browser import Browser
from ui.panes.failure_actions import FailureActions
from ui.services.checks import tls_of
from ui.services.side import ServicesSide


class Selection(QObject):
    """The selected service, connection and event.

    Signals:
        changed(): what is selected, or what runs.
    """

    changed = pyqtSignal()

    def __init__(
        self, post: Post, edits: Edits, bridge: Bridge, side: ServicesSide, browser: Browser, failures: FailureActions
    ) -> None:
        super().__init__(browser)
        self._post, self._edits, self._side, self._browser, self._failures = post, edits, side, browser, failures
        edits.changed.connect(self.changed)
        side.changed.connect(self.changed)
        browser.changed.connect(self.changed)
        bridge.services_changed.connect(self.changed)
        bridge.status_changed.connect(self.changed)
        bridge.pause_changed.connect(self.changed)
        browser.panes.currentChanged.connect(self._on_pane)

    def _on_pane(self) -> None:
        # The actions on a service act on the one whose pane is in view.
        name, selected = self._browser.panes.service(), self._side.services.selected
        of_program = name in self._post.programs.all and selected.partition("/")[0] != name
        if name in self._post.services or of_program:
            self._side.services.select(name)

    def connection(self) -> tuple[int, bool] | None:
        """The connection to act on: its number, and whether that is the number of a live connection.

        It is the one selected in the list of connections if the list has the focus, otherwise the
        connection of the pane in view. None if there is neither.
        """
        connections = self._side.connections
        live = connections.current()
        if live is not None and connections.hasFocus():
            return live.number, True
        conn = self._browser.connection()
        if conn is not None:
            return conn, False
        return None if live is None else (live.number, True)

    def situation(self) -> Situation:
        """What decides which actions are enabled now."""
        panes, event, stack = self._browser.panes, self._browser.current_event, self._edits.stack
        service = self._post.services.get(self._side.services.selected)
        all_ = [*self._post.services.values(), *self._post.programs]
        selected = self._side.selected()
        program = self._post.programs.all.get(self._side.services.selected.partition("/")[0])
        return Situation(
            service=bool(self._side.services.selected),
            own=service is not None,
            port=selected is not None,
            reachable=service is not None or (isinstance(selected, HostedPort) and selected.reachable),
            rules=service is not None and can_try(service.config.responder, service.config.protocol),
            connection=self._side.connections.current() is not None,
            stopped=any(not one.running or isinstance(one.status, Stopping) for one in all_),
            running=any(one.running for one in all_),
            event=event,
            stream=self.connection() is not None,
            group=panes.failures.group() if panes.current() is panes.failures else None,
            can_resend=self._failures.can_send(event),
            following=panes.current().view.following,
            compact=self._side.services.compact,
            paused=self._post.recorder.paused,
            page=panes.page() is not None,
            program=program is not None,
            alive=program is not None and bool(program.pid),
            tls=None if service is None else tls_of(service.config),
            checks_shown=panes.checks_shown,
            seeded=selected is not None and bool(selected.faults and selected.faults.seed),
            undo=stack.undoText(),
            redo=stack.redoText(),
        )
