"""How a console and an outpost of different versions get on.

``VERSION`` of the protocol changes only where neither could understand the other; ``hello`` then ends with words that
say which of the two is to be updated. All else is added, and ``MINOR`` counts it:

- A request that is added says so (``since``), and is not sent to an older outpost: asking for it fails, in words.
- A field that is added to a request says so (``added``), and has a default that means what was meant before there was
  such a field. What has its default is not sent at all, and to an older outpost the field never is.
- A field that is added to an answer has a default, too, which an older outpost leaves to mean that it does not say.
  What a newer outpost adds is passed over, as is a hint of a name that is not known.
- Nothing is taken away.

Only outposts tell their version: an older one would refuse a ``hello`` that had more to say.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from app.errors import PostError
from app.outposts import frames, sound
from app.outposts import protocol as p
from app.outposts.errors import NotOurProtocolError, OlderOutpostError, RefusedError

R = TypeVar("R", bound=p.Request)


def check(found: p.Outpost, where: object) -> None:
    """Raise NotOurProtocolError where ``found``, who answers at ``where``, has another protocol than we have."""
    if found.version != p.VERSION:
        older = "there" if found.version < p.VERSION else "here"
        reason = (
            f"{sound.name(found.program)} speaks version {found.version} of the protocol, and this program version"
            f" {p.VERSION}. Update Listening Post {older}"
        )
        raise NotOurProtocolError(path=where, reason=reason)


def fitted(request: R, to: p.Outpost | None, name: str) -> R:
    """``request`` as the outpost ``to``, called ``name``, knows it. Raises OlderOutpostError."""
    minor = to.minor if to is not None else p.MINOR
    if request.since > minor:
        raise OlderOutpostError(outpost=name, program=_program(to), what=f"“{p.name_of(type(request))}”")
    unknown = {field for field, since in request.added.items() if since > minor}
    if not unknown:
        return request
    defaults = {field.name: field.default for field in msgspec.structs.fields(request) if field.name in unknown}
    return msgspec.structs.replace(request, **defaults)


def explained(error: PostError, request: p.Request, to: p.Outpost | None, name: str) -> PostError:
    """``error``, with which ``request`` was refused; where an older outpost did not understand it, that instead."""
    said = str(error.fields.get("reason", ""))
    if (
        not isinstance(error, RefusedError)
        or to is None
        or to.minor >= p.MINOR
        or not said.startswith(frames.NOT_UNDERSTOOD)
    ):
        return error
    return OlderOutpostError(outpost=name, program=_program(to), what=f"all of “{p.name_of(type(request))}”")


def _program(to: p.Outpost | None) -> str:
    return sound.name(to.program) if to is not None else ""
