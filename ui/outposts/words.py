"""What is said of an outpost and its services. No Qt widgets."""

from __future__ import annotations

from PyQt5.QtCore import QCoreApplication

from app.outposts import protocol as p
from app.outposts.following import Following
from app.outposts.ways.carrier import Connected, Connecting, Lost
from ui.looks.shapes import State

_SHAPES: dict[str, State] = {
    "stopped": "stopped", "starting": "starting", "listening": "listening", "stopping": "stopping",
    "failed": "failed", "waiting": "starting", "held": "stopped", "running": "listening",
}  # fmt: skip


def translate(text: str) -> str:
    """A text of the context ``Outposts``."""
    return QCoreApplication.translate("Outposts", text)


def lamp_of(outpost: Following) -> State:
    """The shape of an outpost's lamp."""
    way = outpost.carrier.way
    if isinstance(way, Connected):
        return "listening" if outpost.outpost is not None and not outpost.problem else "starting"
    if isinstance(way, Lost):
        return "failed"
    return "starting" if isinstance(way, Connecting) else "stopped"


def state_of(outpost: Following, now: float) -> str:
    """How an outpost is, in words; ``now`` is of the reactor's clock."""
    way = outpost.carrier.way
    if isinstance(way, Connected) and outpost.outpost is not None:
        allowed = {
            "read": translate("connected (read only)"),
            "control": translate("connected (read and control)"),
            "change": translate("connected (read, control and change)"),
        }
        more = translate("{state}; {count} more services").format
        state, count = allowed[outpost.outpost.allow], outpost.told.more
        return more(state=state, count=f"{count:,}") if count else state
    if isinstance(way, Lost):
        if way.due is None:
            return way.reason
        seconds = max(0, round(way.due - now))
        return translate("{reason}; tried again in {seconds} s").format(reason=way.reason, seconds=seconds)
    return translate("connecting…") if isinstance(way, Connecting | Connected) else translate("not connected")


def behind(outpost: Following) -> str:
    """How many events are still to be read, or an empty text."""
    return f"{outpost.behind:,}" if outpost.behind else ""


def clock(ns: int) -> str:
    """By how much an outpost's clock is ahead of ours, or behind; empty below 1 ms."""
    milliseconds = ns / 1e6
    if abs(milliseconds) < 1:
        return ""
    return f"{milliseconds:+,.0f} ms" if abs(milliseconds) < 10_000 else f"{milliseconds / 1000:+,.0f} s"


def shape_of(service: p.Service) -> State:
    """The shape of a service's lamp; of a state that is not known here, that of one that is stopped."""
    return _SHAPES.get(service.status, "stopped")


def why_not(outpost: Following, request: type[p.Request]) -> str:
    """Why ``request`` cannot be asked now, or an empty text."""
    if not isinstance(outpost.carrier.way, Connected) or outpost.outpost is None:
        return translate("{name} is not connected").format(name=outpost.name)
    if not outpost.allows(request):
        words = translate(
            "{name} does not allow this. To allow it, set allow = “{level}” under [outpost] in the workspace there"
        )
        return words.format(name=outpost.name, level=request.level)
    return ""
