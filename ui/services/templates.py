"""Services to begin with: what each is for, and the rules that make it answer at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from PyQt5.QtCore import QT_TRANSLATE_NOOP

from app.services.config import ServiceConfig
from ui.services.checks import suggested_name, suggested_port


@dataclass(frozen=True, slots=True)
class Template:
    """A service to begin with.

    Attributes:
        title, words: texts in the context ``Templates``.
        name: the ending of the service's name, which begins with its protocol.
    """

    icon: str
    title: str
    words: str
    protocol: str
    name: str
    responder: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def config(self, host: str, others: Collection[ServiceConfig]) -> ServiceConfig:
        """The service, with a name and a port that none of ``others`` has."""
        name, port = suggested_name(self.protocol, self.name, others), suggested_port(self.protocol, others)
        return ServiceConfig(name, self.protocol, host, port, self.responder, options=dict(self.options))


_MOCK = {
    "rules": [
        {"method": "GET", "path": "/users", "body": '[{"id": "1", "name": "Ada"}]'},
        {
            "method": "GET",
            "path": "/users/{id}",
            "template": True,
            "body": '{"id": "{{path.id | json}}", "name": "Ada"}',
        },
        {"method": "POST", "path": "/users", "status": 201, "body": '{"created": true}'},
        {"path": "/broken", "status": 503, "body": "try again later"},
    ]
}
_DEVICE = {
    "framing": "delimiter",
    "delimiter": r"\n",
    "rules": [
        {"when": "connected", "then": ["send HELLO device 1"]},
        {"when": "regex", "match": r"^READ (\w+)", "then": ["send OK {{1}} {{count}}"]},
        {"when": "message", "then": ["send ERROR unknown command"]},
    ],
}

TEMPLATES = {
    "mock": Template(
        "exchange", QT_TRANSLATE_NOOP("Templates", "Mock an API"),
        QT_TRANSLATE_NOOP("Templates", "Answers HTTP requests by rules"), "http", "mock", "mock",
        _MOCK,
    ),
    "webhook": Template(
        "follow", QT_TRANSLATE_NOOP("Templates", "Catch a webhook"),
        QT_TRANSLATE_NOOP("Templates", "Accepts and shows each request"), "http", "webhook",
        "inspector",
    ),
    "device": Template(
        "device", QT_TRANSLATE_NOOP("Templates", "Stand in for a TCP device"),
        QT_TRANSLATE_NOOP("Templates", "Answers commands line by line, by rules"), "tcp", "device", "script", _DEVICE,
    ),
}  # fmt: skip

ECHO = Template("", "", "", "tcp", "echo", "echo")
"""What the live example of the start page talks to."""
