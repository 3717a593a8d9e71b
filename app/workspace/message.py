"""A message that a workspace keeps to be sent again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from app.options import Option

FORMS = ("text", "hex", "file", "template")
"""How the data of a message is written: text with escapes, hex digits, the path of a file, or a template."""

MESSAGE = (
    Option("name", str, "", "What it is called", required=True),
    Option("url", str, "", "Where to, as tcp://127.0.0.1:9007", required=True),
    Option("form", str, "text", "How the data is written", choices=FORMS),
    Option("data", str, "", "What to send"),
    Option("method", str, "", "HTTP: GET without data, else POST, if empty"),
    Option("fields", list, [], "HTTP and WebSocket: headers to send, as Name: value"),
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

    def as_table(self) -> dict[str, Any]:
        """The table for a workspace file: without keys that have their default values."""
        given = asdict(self) | {"fields": list(self.fields)}
        defaults = {option.name: option.default for option in MESSAGE if not option.required}
        return {key: value for key, value in given.items() if key not in defaults or value != defaults[key]}
