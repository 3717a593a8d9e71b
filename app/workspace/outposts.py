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
    return "must be the path of a socket, as /run/lab/control, or a host of SSH, as pi@bench-3"


def _command_problem(command: str) -> str | None:
    if not command.strip():
        return f'must not be empty: it is "{COMMAND}" where nothing else is said'
    if command.isprintable() and len(command) <= MAX_COMMAND:
        return None
    return f"must be one line of at most {MAX_COMMAND:,} characters"


def is_socket(target: str) -> bool:
    """Whether it is the path of a socket of this machine, and not a host."""
    return target.startswith(("/", "./", "../", "~/"))


OUTPOST = (
    Option(
        "name", str, "", "What it is called: its events appear under name/service", required=True, check=name_problem
    ),
    Option(
        "target", str, "",
        "Where it is: the path of the socket that serve --control has made there, or a host of SSH, as pi@bench-3,"
        " a name of ~/.ssh/config, or ssh://pi@bench-3:2222",
        required=True, check=target_problem,
    ),
    Option(
        "command", str, COMMAND,
        "SSH: what is run there; with --socket PATH behind it, it joins the workspace that is served there",
        check=_command_problem,
    ),
    Option("history", bool, True, "Read also what it had captured before it was read for the first time"),
)  # fmt: skip
"""Each key of ``[[outpost]]``."""

OWN = (
    Option(
        "allow", str, "read",
        "What those may do here who read this workspace through serve --control: read; control: also start, stop, fail,"
        " send; change: also add and remove services",
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
            words = f"reads and steers the outpost at the socket {outpost.target}"
            yield Ask("reach", "", f"outpost {outpost.target}", words)
        else:
            words = f"connects to {outpost.target} by SSH, and runs there: {outpost.command}"
            yield Ask("run", "", f"outpost {outpost.target} {outpost.command}", words)
