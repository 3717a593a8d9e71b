"""What the start page does in one click: services to begin with, and an example that answers itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PyQt5.QtCore import QObject, pyqtSignal
from twisted.internet.defer import Deferred

from app.post import Post
from app.services.service import Service
from app.status import Failed, Held, Listening
from app.workspace.message import Message
from ui.edits import Edits
from ui.sending.commands import SendCommands
from ui.services.panel import ServicesPanel
from ui.services.templates import ECHO, TEMPLATES, Template

HELLO = "hello\\n"


class Examples(QObject):
    """Adds services of templates and starts them; each addition can be undone.

    Signals:
        page_wanted, pane_wanted: the name of a service that was begun, with rules to change or without.
    """

    page_wanted = pyqtSignal(str)
    pane_wanted = pyqtSignal(str)

    def __init__(
        self,
        post: Post,
        edits: Edits,
        services: ServicesPanel,
        sending: SendCommands,
        host: Callable[[], str],
        parent: QObject,
    ) -> None:
        """``host()`` is the address that new services listen on."""
        super().__init__(parent)
        self._post, self._edits, self._services, self._sending, self._host = post, edits, services, sending, host

    def begin(self, name: str) -> None:
        """Add the service of a template and start it; show its rules, or what reaches it."""
        template = TEMPLATES[name]
        service = self._add(template)
        self._start(service)

        async def show() -> None:
            (self.page_wanted if "rules" in template.options else self.pane_wanted).emit(service)

        self._edits.when_followed(show)

    def try_it(self) -> None:
        """Send hello to a TCP echo in the send dock; one is added if there is none."""
        echo = self._echo()
        self._start(echo or self._add(ECHO), self._send, self._try_elsewhere)

    def _try_elsewhere(self) -> None:
        """The port of the echo is taken: add one whose port the system chooses."""
        config = replace(ECHO.config(self._host(), self._edits.state.services), port=0)
        self._start(self._edits.add(config), self._send)

    def _echo(self) -> str:
        """The name of a service that echoes over TCP; empty if there is none."""
        for config in self._edits.state.services:
            if (config.protocol, config.responder, config.tls) == ("tcp", "echo", None):
                return config.name
        return ""

    def _add(self, template: Template) -> str:
        return self._edits.add(template.config(self._host(), self._edits.state.services))

    def _start(
        self,
        name: str,
        then: Callable[[Service], object] = lambda service: None,
        otherwise: Callable[[], object] | None = None,
    ) -> None:
        """Start a service and do ``then`` with it; ``otherwise`` if it cannot listen."""

        async def start() -> None:
            service = self._post.services.get(name)
            if service is None:
                return  # removed again meanwhile
            self._services.select(name)
            status = service.status if service.running else await service.start()
            if isinstance(status, Listening):
                then(service)
            elif isinstance(status, Failed) and otherwise is not None:
                otherwise()
            elif isinstance(status, Failed | Held):
                self._post.ask_again()  # the list says why

        self._edits.when_followed(lambda: _detached(start()))

    def _send(self, service: Service) -> None:
        from ui.sending.resend import reaching

        url = reaching(service)
        if url is not None:
            self._sending.send_once(Message("", url, data=HELLO))


async def _detached(work: object) -> None:
    """Begin ``work`` without waiting for its end, for which later edits would wait, too."""
    Deferred.fromCoroutine(work)  # type: ignore[arg-type]
