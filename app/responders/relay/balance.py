"""Which of its upstreams a relay passes a connection, a request or a flow on to, and which are skipped.

One that cannot be reached, or whose watch has failed, is skipped for a time; the service of an outpost for as long
as that says that it does not listen, or is lost itself. Then the next client that falls to it
tries it again, alone: the others pass it over until that one has got through. Where none is left, those that are
skipped are tried all the same, the one that was tried longest ago first.

What is tried again is only the making of a connection, before a byte of the client was passed on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from random import Random
from typing import Any

from twisted.internet.defer import CancelledError
from twisted.internet.error import ConnectingCancelledError
from twisted.python.failure import Failure

from app import events
from app.responders import Context
from app.responders.relay import errors
from app.responders.relay.loops import Hop
from app.responders.relay.outposts import Located
from app.responders.relay.upstream import Upstream

ROUND_ROBIN, LEAST, HASH, RANDOM = "round-robin", "least-connections", "hash", "random"
KINDS = (ROUND_ROBIN, LEAST, HASH, RANDOM)
HELPS = (
    "Each upstream in turn",
    "The upstream with the fewest open connections, requests or UDP clients",
    "The upstream that belongs to the client's address, the same each time",
    "Any upstream; the same ones again in a run with the same seed",
)
"""What each of ``KINDS`` means."""

MOST = 32
"""Upstreams of one relay."""

UNWELL = "its watch has failed"
"""Why an upstream is skipped that a watch has found to be down."""

Tell = Callable[[errors.UpstreamError], object]
"""Called for an upstream that could not be reached, before the next one is tried."""


@dataclass(eq=False, slots=True)
class Member:
    """One of the upstreams.

    Attributes:
        number: its place among them, from 0.
        open: connections, requests or UDP clients that it has now, those that are being made among them.
        served: how many it has got since the relay started, those that are over among them.
        reason: why it is skipped, in words; empty while it is not.
        since: reactor time at which that began.
        due: reactor time from which it is tried again.
        tried: reactor time at which it was last tried.
        told: the service of an outpost, as that had told of it when it could not be reached.
        away: whether it is the service of an outpost, and was not there when that was last looked at.
    """

    number: int
    upstream: Upstream
    open: int = 0
    served: int = 0
    reason: str = ""
    since: float = 0.0
    due: float = 0.0
    tried: float = 0.0
    told: Located | str | None = None
    away: bool = False

    @property
    def address(self) -> str:
        return self.upstream.address


class Balance:
    """The upstreams of one relay, and whose turn it is.

    Attributes:
        members: in the order of the workspace.
    """

    def __init__(
        self, upstreams: Sequence[Upstream], context: Context, kind: str = ROUND_ROBIN, retry_seconds: float = 10.0
    ) -> None:
        """``retry_seconds``: how long one is skipped that could not be reached."""
        self.members = [Member(number, upstream) for number, upstream in enumerate(upstreams)]
        self._context, self._retry = context, retry_seconds
        self._now: Callable[[], float] = context.reactor.seconds
        self._at = 0
        choices: dict[str, Callable[[list[Member], str], Member]] = {
            ROUND_ROBIN: self._next, LEAST: self._idlest, HASH: self._own, RANDOM: self._any,
        }  # fmt: skip
        self._pick = choices[kind]
        self._random = Random(context.seed) if kind == RANDOM and len(self.members) > 1 else None

    @property
    def addresses(self) -> str:
        """The addresses of all, for a text."""
        return ", ".join(member.address for member in self.members)

    # -- loops

    def admit(self, tap: Any, via: Iterable[str] = ()) -> Hop | None:
        """The hop of a client's connection; see ``Upstream.admit_request``, whose errors it raises."""
        try:
            return self.members[0].upstream.admit_request(tap, via)
        except errors.UpstreamItselfError as e:
            raise errors.UpstreamItselfError(address=self.addresses) from e

    # -- reaching one

    async def reach(
        self, peer: str, attempt: Callable[[Member], Awaitable[Any]], tell: Tell, first: Member | None = None
    ) -> tuple[Member, Any]:
        """Have ``attempt`` connect to one upstream after the other until that is done. Returns both.

        The caller calls ``left`` when the connection or request is over. ``peer`` is the client's ``address:port``;
        ``first`` is tried before all others.

        Raises UpstreamError where none can be reached, and what cancels the attempt.
        """
        began = self._now()
        tried: list[Member] = []
        failures: list[errors.UpstreamError] = []
        member = first or self.choose(peer)
        while member is not None:
            tried.append(member)
            self.taken(member)
            try:
                made = await attempt(member)
            except BaseException as e:
                self.left(member)
                if isinstance(e, CancelledError | ConnectingCancelledError) or not isinstance(e, Exception):
                    raise
                failures.append(member.upstream.explain(Failure()))
            else:
                self.reached(member)
                member.served += 1
                return member, made
            self.failed(member, str(failures[-1]))
            member = self.choose(peer, tried, self._now() - began)
            if member is not None:
                tell(failures[-1])
        if len(failures) == 1:
            raise failures[0]
        raise errors.NoUpstreamError(address=self.addresses, reasons="; ".join(map(_shortly, failures)))

    def choose(self, peer: str, tried: Collection[Member] = (), waited: float = 0.0) -> Member | None:
        """The upstream for the client ``peer``, but none of those ``tried``. None where there is no other.

        ``waited``: seconds that went by since the first was tried. One that is skipped is tried only within
        ``connect_seconds`` of it, so that a client does not wait for each of many that do not answer.
        """
        if len(self.members) == 1:
            member = self.members[0]
            self._look_at(member)
            member.tried = self._now()
            return None if tried else member
        now = self._now()
        rest = [member for member in self.members if member not in tried]
        well = [member for member in rest if self._is_well(member, now)]
        if well:
            chosen = self._pick(well, peer)
        elif rest and (not tried or waited < self.members[0].upstream.seconds):
            chosen = min(rest, key=lambda member: member.tried)
        else:
            return None
        chosen.tried = now
        if chosen.reason:
            chosen.due = now + max(self._retry, chosen.upstream.seconds)  # the others wait for how this goes
        return chosen

    def taken(self, member: Member) -> None:
        """A connection, a request or a flow is given to it."""
        member.open += 1

    def left(self, member: Member) -> None:
        """One that was given to it is over."""
        member.open -= 1

    def failed(self, member: Member, reason: str) -> None:
        """It could not be reached: it is skipped for a time."""
        member.due, member.told = self._now() + self._retry, member.upstream.look()
        if member.reason:
            member.reason = reason
            return
        member.reason, member.since = reason, self._now()
        detail = {"upstream": member.address, "reason": reason}
        self._context.log(f"{member.address} is skipped: {reason}", detail, events.UPSTREAM_FAILED)

    def reached(self, member: Member) -> None:
        """It was reached."""
        if not member.reason or member.away or (member.reason == UNWELL and self._is_down(member)):
            return
        seconds = round(self._now() - member.since, 3)
        member.reason = ""
        words = f"{member.address} is there again, after {seconds:,.1f} s"
        self._context.log(words, {"upstream": member.address, "seconds": seconds}, events.UPSTREAM_RECOVERED)

    # -- who is well

    def _is_well(self, member: Member, now: float) -> bool:
        self._look_at(member)
        return not member.away and not self._is_down(member) and (not member.reason or now >= member.due)

    def _is_down(self, member: Member) -> bool:
        return not member.away and self._context.is_down(*member.upstream.at())

    def look(self) -> None:
        """Look at which of them are there, as for the next client."""
        for member in self.members:
            self._look_at(member)

    def _look_at(self, member: Member) -> None:
        """Take what its outpost and its watch say of it."""
        found = member.upstream.look()
        if isinstance(found, str):
            if not member.reason:
                self.failed(member, found)
            member.reason, member.away = found, True
        elif member.away:
            member.away = False
            self.reached(member)  # it says so; if not, the next client finds it out
        elif member.reason and found != member.told:
            # It was stopped and started again before its outpost told of either, perhaps: it is tried.
            member.due, member.told = self._now(), found
        elif self._is_down(member):
            if not member.reason:
                self.failed(member, UNWELL)
        elif member.reason == UNWELL:
            self.reached(member)

    # -- the kinds of balance

    def _next(self, well: list[Member], peer: str) -> Member:
        count = len(self.members)
        chosen = min(well, key=lambda member: (member.number - self._at) % count)
        self._at = chosen.number + 1
        return chosen

    def _idlest(self, well: list[Member], peer: str) -> Member:
        fewest = min(member.open for member in well)
        return self._next([member for member in well if member.open == fewest], peer)

    def _own(self, well: list[Member], peer: str) -> Member:
        # The highest weight (rendezvous hashing): only the clients of one that is skipped go elsewhere.
        host = peer.rpartition(":")[0]
        return max(well, key=lambda member: blake2b(f"{host} {member.address}".encode(), digest_size=8).digest())

    def _any(self, well: list[Member], peer: str) -> Member:
        assert self._random is not None
        return self._random.choice(well)


def _shortly(error: errors.UpstreamError) -> str:
    """What went wrong, without what to do about it."""
    return str(error).partition(". ")[0].rstrip(".")
