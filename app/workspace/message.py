"""A message that a workspace keeps to be sent again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from app.options import Option, without_defaults
from app.sending.contents import FORMS, NONE, OFF, headers_for
from app.sending.request import Request
from app.sending.url import field, parse
from app.text.variables import Variables, filled

MESSAGE = (
    Option("name", str, "", "What it is called", required=True),
    Option("url", str, "", "Where to, as tcp://127.0.0.1:9007", required=True),
    Option("form", str, "text", "How the data is written", choices=FORMS),
    Option("data", str, "", "What to send"),
    Option("method", str, "", "HTTP: GET without data, else POST, if empty"),
    Option(
        "fields",
        list,
        [],
        "HTTP and WebSocket: headers to send, as Name: value; one that begins with # and a space is not sent",
    ),
    Option("verify", bool, True, "TLS: check the server's certificate"),
    Option("times", int, 1, "Send it so often; 0: until it is stopped", minimum=0, maximum=1_000_000_000),
    Option("every", float, 0.0, "Pause between two", "s", 0, 86_400),
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
        return without_defaults(MESSAGE, given)
