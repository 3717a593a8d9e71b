"""Makes a rule of what was captured: in the service that was asked, or in a new one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app import responders
from app.events import DATA_RECEIVED, DATAGRAM_RECEIVED, HTTP_REQUEST, HTTP_RESPONSE, WS_MESSAGE, Event
from app.exports.copying import as_script_rule
from app.post import Post
from ui.panes.exchange_actions import ExchangeActions
from ui.services.actions import ServiceActions
from ui.workbench.pages import Workbench

PROTOCOLS: Mapping[int, str] = {DATA_RECEIVED: "tcp", DATAGRAM_RECEIVED: "udp", WS_MESSAGE: "websocket"}

FIRST_STEP = "send OK"
"""What the rule for a message does until the user says something else."""


class AnswerByRule:
    """Answers a request, or a message, by a rule from now on."""

    def __init__(self, post: Post, exchanges: ExchangeActions, workbench: Workbench, services: ServiceActions) -> None:
        self._post, self._exchanges, self._workbench, self._services = post, exchanges, workbench, services

    def answer(self, event: Event) -> None:
        """Add the rule to the service of ``event`` if it has rules; otherwise ask for a new service with it."""
        if event.kind in (HTTP_REQUEST, HTTP_RESPONSE):
            self._exchanges.rule(event, lambda rule: self._add(event.service, "http", "mock", rule))
        elif event.kind in PROTOCOLS:
            protocol = PROTOCOLS[event.kind]
            rule, _ = as_script_rule(event.payload or b"", (), protocol, self._framing(event.service))
            self._add(event.service, protocol, "script", rule | {"then": [FIRST_STEP]})

    def _framing(self, name: str) -> Mapping[str, Any] | None:
        """The options of a script, whose framing says where messages end; None for any other service."""
        service, script = self._post.services.get(name), responders.find("script")
        if service is None or script is None or service.config.responder != script.name:
            return None
        return script.with_defaults(service.config.options)

    def _add(self, service: str, protocol: str, responder: str, rule: Mapping[str, Any]) -> None:
        if not self._workbench.add_rule(service, responder, rule):
            self._services.create_ruled(protocol, responder, rule)
