"""Outposts in a workspace: those that it reads (``[[outpost]]``), and what it allows as one itself (``[outpost]``)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from app.options import Option, Options, with_defaults
from app.trust.asks import Ask

Allow = Literal["read", "control", "change"]
ALLOW: tuple[Allow, ...] = ("read", "control", "change")

MAX_OUTPOSTS = 500
"""Outposts of one workspace."""

MAX_NAME, MAX_TARGET, MAX_COMMAND = 60, 500, 1_000
"""Characters of what an outpost is called, where it is, and what is run there."""

COMMAND = "listening-post outpost"
"""What SSH runs on the other machine."""

# No host of SSH's begins with a hyphen: it would be an option, and ProxyCommand runs anything.
_HOST = re.compile(
    r"(?:ssh://)?(?:[A-Za-z0-9_.][A-Za-z0-9_.-]*@)?"
    r"(?:[A-Za-z0-9_.:][A-Za-z0-9_.:%-]*|\[[0-9A-Fa-f:.%]+\](?::\d+)?)"
)


_ROUTER = re.compile(
    r"wss?://[A-Za-z0-9._-]+(?::\d{1,5})?(?:/[\w./-]*)?|wss?://\[[0-9A-Fa-f:.]+\](?::\d{1,5})?(?:/[\w./-]*)?"
)

PUBLIC_KEY = re.compile(r"post-key ([0-9a-f]{64}) ([0-9a-f]{64})(?: .*)?")
"""The line of a public key: the one for signing (Ed25519), the one for sealing (X25519), a comment."""


def name_problem(name: str) -> str | None:
    """What is wrong with the name of an outpost, or None. Events appear under ``name/service``."""
    if not name.strip() or name != name.strip():
        return 'must be text without spaces around it, as in name = "pi-3"'
    if len(name) > MAX_NAME or not name.isprintable():
        return f"must be one line of at most {MAX_NAME} characters, none of them invisible"
    return "must not have a slash: its events appear under name/service" if "/" in name else None


def target_problem(target: str) -> str | None:
    """What is wrong with where an outpost is, or None."""
    if len(target) > MAX_TARGET or not target.isprintable():
        return f"must be one line of at most {MAX_TARGET} characters, none of them invisible"
    if is_socket(target) or _HOST.fullmatch(target):
        return None
    if is_router(target):
        return None if _ROUTER.fullmatch(target) else "must be the address of a router: wss://router.lab:8443/ws"
    return "must be the path of a socket, such as /run/lab/control, an SSH host, such as pi@bench-3, or wss://ROUTER:PORT/ws"


def _command_problem(command: str) -> str | None:
    if not command.strip():
        return f'must not be empty: it is "{COMMAND}" where nothing else is said'
    if command.isprintable() and len(command) <= MAX_COMMAND:
        return None
    return f"must be one line of at most {MAX_COMMAND:,} characters"


def is_socket(target: str) -> bool:
    """Whether it is the path of a socket of this machine, and not a host."""
    return target.startswith(("/", "./", "../", "~/"))


def is_router(target: str) -> bool:
    """Whether it is the address of a router, and not a host of SSH."""
    return target.startswith(("wss://", "ws://"))


def _public_key_problem(line: str) -> str | None:
    if not line or PUBLIC_KEY.fullmatch(line):
        return None
    return "must be the line that listening-post key prints: post-key and two keys"


OUTPOST = (
    Option(
        "name", str, "", "Name of the outpost; its events appear under name/service", required=True, check=name_problem
    ),
    Option(
        "target", str, "",
        "Path of the socket that serve --control has made; or an SSH host, such as pi@bench-3, a name from "
        "~/.ssh/config, or ssh://pi@bench-3:2222; or the URL of a router where the outpost is logged in under its "
        "name: wss://router.lab:8443/ws",
        required=True, check=target_problem,
    ),
    Option(
        "command", str, COMMAND,
        "SSH: command to run there; with --socket PATH at its end, it joins the workspace that is served there",
        check=_command_problem,
    ),
    Option("realm", str, "post.lab", "Router: realm of the outpost"),
    Option("login", str, "", "Router: name of this console there; empty: the name of this machine"),
    Option("key", str, "", "Router: key of this console, made by listening-post key", path="file"),
    Option("ca", str, "",
        "Router: authority that signed the router's certificate; empty: the authorities of the system", path="file"),
    Option(
        "public_key", str, "",
        "Router: public key of the outpost, as printed by listening-post key. With it, requests and answers are "
        "encrypted from end to end, and the router cannot read them",
        check=_public_key_problem,
    ),
    Option("history", bool, True, "Also read events that the outpost captured before the first connection"),
)  # fmt: skip
"""Each key of ``[[outpost]]``."""

OWN = (
    Option(
        "allow", str, "read",
        "What consoles may do with this workspace: read; control: also start, stop, switch faults, send; "
        "change: also add and remove services",
        choices=ALLOW,
    ),
)  # fmt: skip
"""Each key of ``[outpost]``."""

_DEFAULTS = {option.name: option.default for option in OUTPOST}


@dataclass(frozen=True, slots=True)
class OutpostConfig:
    """One ``[[outpost]]`` of a workspace, after it was checked; ``OUTPOST`` says what each key means."""

    name: str
    target: str
    command: str = COMMAND
    realm: str = "post.lab"
    login: str = ""
    key: str = ""
    ca: str = ""
    public_key: str = ""
    history: bool = True

    def every_key(self) -> dict[str, Any]:
        return asdict(self)

    def as_table(self) -> dict[str, Any]:
        """The table for a workspace file: without keys that have their default values."""
        return {key: value for key, value in asdict(self).items() if value != _DEFAULTS[key]}


def made_of(table: Options) -> OutpostConfig:
    """The outpost of a table without mistakes."""
    return OutpostConfig(**with_defaults(OUTPOST, table))


def asks_of(outposts: Sequence[OutpostConfig]) -> Iterator[Ask]:
    """What these ask for: SSH runs what is on another machine, and a socket is read that somebody else serves."""
    for outpost in outposts:
        if is_socket(outpost.target):
            words = f"reads and controls the outpost at the socket {outpost.target}"
            yield Ask("reach", "", f"outpost {outpost.target}", words)
        elif is_router(outpost.target):
            words = f"reads and controls the outpost {outpost.name} through the router {outpost.target}"
            yield Ask("reach", "", f"outpost {outpost.name} {outpost.target}", words)
        else:
            words = f"connects to {outpost.target} by SSH, and runs there: {outpost.command}"
            yield Ask("run", "", f"outpost {outpost.target} {outpost.command}", words)
