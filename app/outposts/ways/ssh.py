"""SSH as the way to an outpost: the command, and what SSH says in words.

Who may connect, with which key, and whether the host is the right one, is SSH's to say: keys, agents and
``~/.ssh/config`` are the user's own. It never asks, neither in a terminal, where there may be none, nor by the program
in SSH_ASKPASS: outposts are tried again by themselves, and would ask again and again.
"""

from __future__ import annotations

from app.outposts.ways.process import Words
from app.text.escapes import one_line

_OPTIONS = (
    "BatchMode=yes", "ConnectTimeout=15", "ServerAliveInterval=15", "ServerAliveCountMax=3", "EscapeChar=none",
    "ForwardAgent=no", "ForwardX11=no", "ClearAllForwardings=yes", "PermitLocalCommand=no", "RequestTTY=no",
)  # fmt: skip
"""ServerAlive: a link that is cut without a word is lost after 45 s."""

_NO_SHELL_COMMAND = (126, 127)


def command(program: str, host: str, run: str) -> list[str]:
    """The command line of SSH that runs ``run`` on ``host``, which is none of its options: ``--`` ends these."""
    options = [word for option in _OPTIONS for word in ("-o", option)]
    return [program, *options, "--", host, run]


def in_words_for(host: str) -> Words:
    """Why SSH to ``host`` has ended."""
    return lambda code, said: in_words(host, code, said)


def in_words(host: str, code: int, said: str) -> str:
    """What SSH has said, from its exit code and what it wrote to standard error."""
    lines = [one_line(line) for line in said.splitlines() if line.strip()]
    last = lines[-1][:300] if lines else ""
    if "REMOTE HOST IDENTIFICATION HAS CHANGED" in said:
        return f"the host key of {host} is another than before. If that is right: ssh-keygen -R {_name(host)}"
    if "Host key verification failed" in said:
        return f"the host key of {host} is not known here. Connect once in a terminal, and look at it: ssh {host}"
    if "Permission denied" in said:
        return (
            f"{host} accepts none of your keys that can be used without asking. Give it one: ssh-copy-id {host}; or, if"
            " yours has a passphrase, load it: ssh-add"
        )
    if "Could not resolve hostname" in said:
        return f"there is no host {_name(host)}: its name is not known"
    if "Connection refused" in said:
        return f"no SSH server answers at {host}: connection refused"
    if "timed out" in said or "No route to host" in said or "unreachable" in said:
        return f"{host} does not answer: {last}"
    if code in _NO_SHELL_COMMAND:
        return f"{host} has no such command: {last}. Install Listening Post there, or set command in [[outpost]]"
    return last or f"SSH to {host} has ended with {code}"


def _name(host: str) -> str:
    return host.removeprefix("ssh://").rpartition("@")[2]
