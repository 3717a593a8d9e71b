"""What a responder says of its rules, beside how it answers by them: titles for rows, hints, and trials."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app import responders
from app.options import Mistake, Option, Options, mistakes
from app.responders.trial import Count, Message, Request, Trial
from app.text.variables import NONE, Variables

MAX_TITLE = 120
"""Characters of each half of a title."""


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What can be done with the option ``rules`` of a responder without a service.

    Attributes:
        protocols: those on which the responder has rules.
        title: given protocol and rule, what the rule is for and what it does, each in a few words. The rule may be
            wrong or lack keys.
        attempt: given protocol, options, what is asked, the workspace's folder, counts, connections and
            variables, the trial;
            see ``try_rules``.
        messages: given protocol, options and bytes that came, the messages in them, as rules see them.
        hints: given protocol, options and the workspace's variables, what is probably not meant, though it is right.
    """

    protocols: tuple[str, ...]
    title: Callable[[str, Options], tuple[str, str]]
    attempt: Callable[[str, Options, Request | Message, Path, Sequence[Count], int, Variables], Trial]
    messages: Callable[[str, Options, bytes], list[bytes]] = lambda protocol, options, data: [data]
    hints: Callable[[str, Options, Variables], Iterator[Mistake]] = lambda protocol, options, variables: iter(())


class Ruled(Protocol):
    """What a builder of a responder with a rulebook returns, beside what ``app.responders`` says of it.

    Of WebSocket it is a class, whose methods these are without an object of it.
    """

    def counts(self) -> list[Count]:
        """How often each rule has been met since it was built."""

    def reset(self, at: Collection[int] | None) -> None:
        """Count anew: the rules with these indexes, or with None all, and the connections."""

    def take_options(self, options: Options) -> None:
        """Take other options, defaults filled in, while it answers. Rules that stay keep their counts."""

    def connection_count(self) -> int:
        """How many connections there were, where rules can ask for that; else 0."""


def rules_of(responder: str, protocol: str) -> Option | None:
    """The option that has the rules of a responder on ``protocol``; None where it has none."""
    found = responders.find(responder)
    own = found.options_for(protocol) if found is not None else ()
    return next((option for option in own if option.of), None)


def title_of(responder: str, protocol: str, rule: Options) -> tuple[str, str]:
    """What a rule is for and what it does, as ``("GET /users/{id}", "200 json")``: each one line of plain text."""
    found = responders.find(responder)
    if found is None or found.rulebook is None:
        return "", ""
    left, right = found.rulebook.title(protocol, rule)
    return _line(left), _line(right)


def hints_of(responder: str, protocol: str, options: Options, variables: Variables = NONE) -> tuple[Mistake, ...]:
    """What is probably not meant in ``options``, though it is right, as ``{{…}}`` in a body that is no template.

    ``variables`` are those of the workspace.
    """
    found = responders.find(responder)
    if found is None or found.rulebook is None:
        return ()
    return tuple(found.rulebook.hints(protocol, found.with_defaults(options), variables))


def messages_in(responder: str, protocol: str, options: Options, data: bytes) -> list[bytes]:
    """The messages in bytes that came, as the service's framing has them; none where no message is whole."""
    found = responders.find(responder)
    if found is None or found.rulebook is None:
        return [data]
    return found.rulebook.messages(protocol, found.with_defaults(options), data)


def mistakes_of(responder: str, protocol: str, options: Options) -> tuple[Mistake, ...]:
    """All that is wrong with the responder's own ``options``, each with its place: rule, option and item."""
    found = responders.find(responder)
    if found is None:
        return ()
    own = found.options_for(protocol)
    return tuple(mistakes(own, {option.name: options[option.name] for option in own if option.name in options}))


def _line(text: str) -> str:
    # Cut first: a body may have megabytes.
    line = " ".join(text[: 4 * MAX_TITLE].split())
    line = "".join(character if character.isprintable() else "·" for character in line)
    return line if len(line) <= MAX_TITLE else line[: MAX_TITLE - 1] + "…"
