"""Answers by rules: when a message or a silence matches a rule, carry out its steps (send, wait, close …)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocolFactory
from twisted.internet.protocol import DatagramProtocol, Protocol, ServerFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from app.responders import Context, Option, Options, Responder
from app.responders.rulebook import Rulebook
from app.responders.script import rules, titles
from app.responders.script.hints import hints
from app.responders.script.player import Player, Script
from app.responders.script.wires import Datagrams, Messages, Stream
from app.responders.trial import Count, Message, Request, Trial
from app.text import framing
from app.text.framing import Framer
from app.text.variables import Variables

MAX_PEERS = 1000
"""Peers of a UDP service that have a player. Above it, the player of the peer silent for longest is dropped."""


@implementer(IHalfCloseableProtocol)
class Scripted(Protocol):
    """One TCP connection."""

    def __init__(self, script: Script, framer: Framer) -> None:
        self._script, self._framer = script, framer
        self._gap_timer: Any = None
        self._received_at = 0.0

    def connectionMade(self) -> None:
        self._wire = Stream(self._script.context, self.transport, self._framer)
        self._player = Player(self._script, self._wire)
        self._player.start()

    def dataReceived(self, data: bytes) -> None:
        messages, reached = self._wire.received(data)
        self._player.received(messages)
        if reached is not None:
            self._player.end_by(reached)
        elif self._framer.gap < float("inf"):
            self._received_at = self._script.context.reactor.seconds()
            self._wait_for_gap()

    def _wait_for_gap(self) -> None:
        if self._gap_timer is None:
            reactor = self._script.context.reactor
            delay = max(0.0, self._received_at + self._framer.gap - reactor.seconds())
            self._gap_timer = reactor.callLater(delay, self._on_gap)

    def _on_gap(self) -> None:
        self._gap_timer = None
        # 1e-6, because clocks round.
        if self._script.context.reactor.seconds() + 1e-6 < self._received_at + self._framer.gap:
            self._wait_for_gap()
        else:
            self._player.received(self._wire.flushed())

    def readConnectionLost(self) -> None:
        """The peer will send no more: close once its messages are answered."""
        self._player.received(self._wire.flushed())
        self._player.finish("closed by the peer")

    def writeConnectionLost(self) -> None:
        """The script has half-closed the connection: nothing to do."""

    def connectionLost(self, reason: Failure | None = None) -> None:
        if self._gap_timer is not None:
            self._gap_timer.cancel()
        self._wire.tell_unfinished()
        self._player.ended()


class ScriptedDatagrams(DatagramProtocol):
    """A UDP port. Each peer has a player of its own."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._players: OrderedDict[Any, Player] = OrderedDict()

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        player = self._players.get(addr)
        if player is None:
            while len(self._players) >= MAX_PEERS:
                self._forget(next(iter(self._players)))
            wire = Datagrams(self._script.context, self.transport, addr, partial(self._forget, addr))
            player = self._players[addr] = Player(self._script, wire)
            player.start()
        else:
            self._players.move_to_end(addr)
        if not player.full:
            player.received([datagram])

    def _forget(self, addr: Any) -> None:
        player = self._players.pop(addr, None)
        if player is not None:
            player.ended()

    def stopProtocol(self) -> None:
        for addr in list(self._players):
            self._forget(addr)


class Rules:
    """The rules of one service, as what it is built of offers them (``app.responders.rulebook.Ruled``)."""

    def __init__(self, options: Options, context: Context, protocol: str) -> None:
        self._protocol = protocol
        self.script = Script(rules.read(options["rules"], protocol), context)

    def counts(self) -> list[Count]:
        return [Count(rule.tally.hits, rule.tally.hits) for rule in self.script.rules]

    def reset(self, at: Collection[int] | None) -> None:
        """Count anew: the rules with these indexes; with None all, and the connections."""
        for index, rule in enumerate(self.script.rules):
            if at is None or index in at:
                rule.tally.hits = 0
        if at is None:
            self.script.connections = 0

    def take_options(self, options: Options) -> None:
        self.script.change(rules.read(options["rules"], self._protocol, self.script.rules))

    def connection_count(self) -> int:
        return self.script.connections


def _tcp(options: Options, context: Context) -> IProtocolFactory:
    make = framing.maker(options)

    class ScriptedFactory(Rules, ServerFactory):
        noisy = False

        def buildProtocol(self, addr: Any) -> Scripted:
            return Scripted(self.script, make())

    return ScriptedFactory(options, context, "tcp")


def _udp(options: Options, context: Context) -> DatagramProtocol:
    class RuledDatagrams(Rules, ScriptedDatagrams):
        def __init__(self) -> None:
            Rules.__init__(self, options, context, "udp")
            ScriptedDatagrams.__init__(self, self.script)

    return RuledDatagrams()


def _websocket(options: Options, context: Context) -> Any:
    from autobahn.twisted.websocket import WebSocketServerProtocol

    own = Rules(options, context, "websocket")

    class ScriptedMessages(WebSocketServerProtocol):
        counts, reset, take_options, connection_count = own.counts, own.reset, own.take_options, own.connection_count
        _player: Player | None = None

        def onOpen(self) -> None:
            self._player = Player(own.script, Messages(context, self))
            self._player.start()

        def onMessage(self, payload: bytes, isBinary: bool) -> None:
            assert self._player is not None
            self._player.received([payload])

        def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
            if self._player is not None:
                self._player.ended()

    return ScriptedMessages


def _rules(protocol: str) -> Option:
    steps = ", ".join(name for name, protocols in rules.STEPS.items() if protocol in protocols)
    return Option(
        "rules", list, [], "Rules; the first rule that matches applies",
        protocols=(protocol,), each=partial(rules.wrong, protocol=protocol), check=rules.too_many, live=True,
        of=(
            Option("when", str, "message", "What happens", choices=rules.WHEN, choice_words=rules.WHEN_WORDS),
            Option(
                "match", str, "", "The message or a part of it: text with escapes, hex with ?? and *, or a regex",
                when=("when", rules.MATCHING),
            ),
            Option("nth", int, 0, "Only the nth message, silence or connection; 0: every one", minimum=0,
                maximum=10**9),
            Option("after", float, 0.0, "Silence", "s", 0, rules.MAX_WAIT, when=("when", ("idle",))),
            Option(
                "then", list, [], f"Steps: {steps}",
                check=partial(rules.steps_problem, protocol=protocol), missing=rules.missing,
            ),
            Option("on", bool, True, "Use this rule; a rule that is off is skipped"),
        ),
    )  # fmt: skip


def _attempt(
    protocol: str, options: Options, asked: Request | Message, folder: Path, counts: Sequence[Count], connections: int,
    variables: Variables,
) -> Trial:  # fmt: skip
    from app.responders.script.trying import attempt

    if not isinstance(asked, Message):
        raise TypeError(f"a script is asked by messages, not by {asked!r}")
    return attempt(protocol, options, asked, folder, connections, variables)


def _messages(protocol: str, options: Options, data: bytes) -> list[bytes]:
    if protocol != "tcp":
        return [data]
    framer = framing.maker(options)()
    return [*framer.feed(data), *framer.flush()]


RESPONDER = Responder(
    "script",
    "Answers by rules: on a message, a connection or silence, then send, wait or close",
    {"tcp": _tcp, "udp": _udp, "websocket": _websocket},
    (
        *framing.options(("tcp",)),
        *(_rules(protocol) for protocol in ("tcp", "udp", "websocket")),
    ),
    rulebook=Rulebook(("tcp", "udp", "websocket"), titles.title, _attempt, _messages, hints),
)  # fmt: skip
