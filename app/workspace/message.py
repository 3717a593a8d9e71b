"""A message that a workspace keeps to be sent again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from app import options
from app.faults.tables import FAULT
from app.options import Mistake, Option, Options, with_defaults, without_defaults
from app.sending.clients import CLIENTS
from app.sending.contents import FORMS, OFF, headers_for
from app.sending.faults import problems
from app.sending.request import Request
from app.sending.url import field, parse
from app.text.variables import NONE, Variables, filled

MESSAGE = (
    Option("name", str, "", "Name of the message", required=True),
    Option("url", str, "", "URL, such as tcp://127.0.0.1:9007", required=True),
    Option("form", str, "text", "Format of the data", choices=FORMS),
    Option("data", str, "", "What to send"),
    Option("method", str, "", "HTTP method; empty: GET without data, POST with data"),
    Option(
        "fields",
        list,
        [],
        "HTTP and WebSocket: headers to send, as Name: value; a header that begins with # and a space is not sent",
    ),
    Option("verify", bool, True, "TLS: check the server's certificate"),
    Option("times", int, 1, "How many times to send the message; 0: until stopped", minimum=0, maximum=1_000_000_000),
    Option("every", float, 0.0, "Pause between two messages", "s", 0, 86_400),
)


@dataclass(frozen=True, slots=True)
class Message:
    """One ``[[message]]`` of a workspace; ``MESSAGE`` says what each key means."""

    name: str
    url: str
    form: str = "text"
    data: str = ""
    method: str = ""
    fields: list[str] | tuple[str, ...] = ()
    verify: bool = True
    times: int = 1
    every: float = 0.0
    faults: tuple[dict[str, Any], ...] = ()

    @classmethod
    def of(cls, table: Options) -> Message:
        """From its table, in which nothing is wrong."""
        given = {key: value for key, value in table.items() if key != FAULT}
        return cls(**with_defaults(MESSAGE, given), faults=tuple(map(dict, table.get(FAULT, ()))))

    def request(self, given: Variables = NONE) -> Request:
        """The request to connect with, its variables filled in.

        Raises URLError, FieldError, UnknownVariableError, TemplateError.
        """
        lines = [line for line in self.fields if line.strip() and not line.startswith(OFF)]
        fields = [field(filled(line, given)) for line in lines]
        url = parse(filled(self.url, given))
        typed = headers_for(self.form, self.data, fields) if url.client.protocol == "http" else tuple(fields)
        return Request(url, self.method, typed, self.verify)

    def as_table(self) -> dict[str, Any]:
        """The table for a workspace file: without keys that have their default values."""
        given = asdict(self) | {"fields": list(self.fields)}
        faults = [dict(fault) for fault in given.pop("faults")]
        table = without_defaults(MESSAGE, given)
        return table | ({FAULT: faults} if faults else {})


def mistakes(table: Options) -> Iterator[Mistake]:
    """All that is wrong with the table of a message."""
    yield from options.mistakes(MESSAGE, {key: value for key, value in table.items() if key != FAULT})
    given = table.get(FAULT, [])
    if not isinstance(given, list) or not all(isinstance(fault, dict) for fault in given):
        yield Mistake(FAULT, "must be tables that begin with [[message.fault]]")
    else:
        yield from problems(given, protocol_of(table.get("url")))


def protocol_of(url: object) -> str:
    """The protocol of a URL, as far as it is known while it has variables, for the faults of a message."""
    scheme = url.partition("://")[0].strip().lower() if isinstance(url, str) else ""
    return CLIENTS[scheme].protocol if scheme in CLIENTS else "tcp"
