"""Sends the last message again once the plugin of the service that it went to was loaded anew."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress

from PyQt5.QtCore import QObject, pyqtSignal

from app.errors import PostError
from app.post import Post
from app.programs.shown import HostedPort
from app.sending.connect_lines import url as url_of
from app.sending.url import URL, parse
from app.services.service import Service
from app.status import Listening
from app.text.variables import Variables
from app.workspace.message import Message
from ui.sending.run import SendRun

MOST, SECONDS = 5, 10.0
"""Times that a message is sent again within so many seconds. Nobody saves a file more often: a plugin that writes
its own file does, each time it is asked."""


def reaching(service: Service | HostedPort) -> str | None:
    """The URL of a service for clients on this machine; None if its protocol has no URL.

    It is None, too, of what a program connects to, or has as the file of a UNIX socket, or has closed.
    """
    config = service.config
    if isinstance(service, HostedPort) and not service.reachable:
        return None
    bound = service.status.host if isinstance(service.status, Listening) else config.listen
    port = int(bound.rpartition(":")[2])
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.host, config.host)
    return url_of(config.protocol, host, port, tls=config.tls is not None)


class Resend(QObject):
    """Keeps what the user sent last, by himself and in this run of the program, and sends it again.

    Attributes:
        on: whether the user wants that.

    Signals:
        resent(str): the message goes out again, since this service has a new version of its plugin.
        gave_up(str): it was sent again too often, and ``on`` is False now; what to tell the user.
    """

    resent = pyqtSignal(str)
    gave_up = pyqtSignal(str)

    def __init__(self, post: Post, run: SendRun, parent: QObject) -> None:
        super().__init__(parent)
        self._post, self._run = post, run
        self.on = False
        self._again: Callable[[], object] | None = None
        self._service: Service | None = None
        self._waiting = ""
        self._times: deque[float] = deque(maxlen=MOST)
        run.changed.connect(self._on_run)

    def remember(self, again: Callable[[], object], message: Message, variables: Variables) -> None:
        """The user sends this message; ``again()`` sends it once more, over a new connection."""
        self._waiting = ""
        self._times.clear()
        self._service = self._reached(message, variables)
        self._again = again

    def switch(self, on: bool) -> None:
        """The user wants it, or no longer."""
        self.on = on
        self._waiting = ""

    def on_renewed(self, name: str) -> None:
        """The service of this name goes on with a new version of its plugin."""
        service = self._post.services.get(name)
        if not self.on or self._again is None or service is None or service is not self._service:
            return
        now = self._post.sender.reactor.seconds()
        if len(self._times) == MOST and now - self._times[0] < SECONDS:
            self.on = False
            words = self.tr(
                "Not sent again: the plugin of “{service}” was reloaded {count} times within {seconds:g} "
                "seconds. Perhaps the plugin writes its own file. “Send again” is off now."
            )
            self.gave_up.emit(words.format(service=name, count=MOST + 1, seconds=SECONDS))
            return
        self._times.append(now)
        self._waiting = name
        if self._run.running:
            self._run.stop()  # the old version has not answered; what waits goes out when that has ended
        else:
            self._send()

    def _on_run(self) -> None:
        if self._waiting and not self._run.running:
            self._send()

    def _send(self) -> None:
        name, self._waiting = self._waiting, ""
        if self._again is not None:
            self.resent.emit(name)
            self._again()

    def _reached(self, message: Message, variables: Variables) -> Service | None:
        """The service of this workspace that the message goes to."""
        with suppress(PostError):
            wanted = message.request(variables).url
            for service in self._post.services.values():
                if _is_at(wanted, service):
                    return service
        return None


def _is_at(wanted: URL, service: Service) -> bool:
    with suppress(PostError):  # of a service that never listened on a port that the system chooses
        if text := reaching(service):
            url = parse(text)
            same = wanted.client.protocol == url.client.protocol and wanted.port == url.port
            return same and wanted.host in (url.host, service.config.host, "localhost")
    return False
