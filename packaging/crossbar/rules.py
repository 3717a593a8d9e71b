"""Who may do what at the router: Crossbar asks this component at each login, and for what an outpost does.

It lies beside the router's configuration, in Crossbar's own environment, and uses nothing of Listening Post. Who is
let in is what lies in two folders of the node: ``outposts/NAME.pub`` and ``consoles/NAME.pub``, each the line that
``listening-post key`` prints. They are read at each login: a file that is added or removed needs no restart, but who
is connected stays so.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from autobahn.twisted.wamp import ApplicationSession
from autobahn.wamp.exception import ApplicationError

ROLES = {"outposts": "outpost", "consoles": "console"}
"""The role of who has a file in a folder."""

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What an outpost or a console may be called: one part of the name of a procedure."""

LINE = re.compile(r"post-key ([0-9a-f]{64}) [0-9a-f]{64}(?: .*)?")
"""The line of a public key: the one for signing (Ed25519), the one for sealing (X25519), a comment."""


def principal(folder: Path, realm: str, name: str | None, public_key: str | None) -> dict[str, Any] | str:
    """Who logs in to ``realm`` as ``name`` with this key (hex): Crossbar's principal, or why nobody may.

    Whether they have the private key is what Crossbar asks next.
    """
    if not NAME.fullmatch(name or ""):
        return "a name has letters, digits, - and _, 64 at most"
    for part, role in ROLES.items():
        try:
            found = LINE.fullmatch((folder / part / f"{name}.pub").read_text().strip())
        except (OSError, ValueError):
            continue
        if found and found[1] == public_key:
            return {"pubkey": found[1], "realm": realm, "authid": name, "role": role}
    return f"the router knows no key of {name}: copy what listening-post key prints to outposts/{name}.pub there"


def allowed(name: str, uri: str, action: str, match: str) -> bool:
    """Whether the outpost ``name`` may do that: answer the calls and publish the hints of its own name, and no more."""
    own = f"post.{name}."
    if action == "register":
        return uri == own and match == "prefix"
    return action == "publish" and uri.startswith(own)


class Rules(ApplicationSession):
    """The component. It takes from its configuration: ``folder``, that of the node, and ``realm``."""

    async def onJoin(self, details: Any) -> None:
        await self.register(self.authenticate, "rules.authenticate")
        await self.register(self.authorize, "rules.authorize")

    def authenticate(self, realm: str, authid: str | None, details: dict[str, Any]) -> dict[str, Any]:
        extra = self.config.extra
        if realm != extra["realm"]:
            raise ApplicationError("post.refused", f"the router has no realm {realm}")
        key = (details.get("authextra") or {}).get("pubkey")
        found = principal(Path(extra["folder"]), realm, authid, key)
        if isinstance(found, str):
            raise ApplicationError("post.refused", found)
        return found

    def authorize(self, who: dict[str, Any], uri: str, action: str, options: dict[str, Any]) -> dict[str, bool]:
        match = (options or {}).get("match") or "exact"
        return {"allow": allowed(who["authid"], uri, action, match), "disclose": True, "cache": False}
