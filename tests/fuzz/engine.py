"""Mutates inputs and feeds them to a target, until the time is over or one breaks it."""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

MAX_INPUT = 1 << 16
"""Bytes of an input."""

SLOW = 5.0
"""Seconds of processor time that one input may take."""

_NUMBERS = [
    value.to_bytes(size, order, signed=True)
    for size in (1, 2, 4, 8)
    for order in ("big", "little")
    for value in (0, 1, -1, 127, -128, 2 ** (8 * size - 1) - 1, -(2 ** (8 * size - 1)))
]  # fmt: skip
"""Numbers at which parsers err: the ends of what so many bytes hold."""


@dataclass(frozen=True, slots=True)
class Target:
    """One parser.

    Attributes:
        name: on the command line and in reports.
        seeds: inputs that are right.
        words: pieces that mean something to the parser, which are put in.
        check: takes an input, and random choices of its own. Raises whatever is wrong.
    """

    name: str
    seeds: Sequence[bytes]
    check: Callable[[bytes, Random], None]
    words: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many inputs a target was fed, and what broke it: empty, or a traceback with the input and its number."""

    target: str
    count: int
    broken: str = ""


def fuzz(target: Target, seconds: float, seed: int = 0, inputs: float = math.inf) -> Outcome:
    """Feed ``target`` for so many seconds or ``inputs``, or until it breaks. A ``seed`` gives the same inputs again."""
    end = time.monotonic() + seconds
    count = 0
    while (time.monotonic() < end and count < inputs) or not count:
        random = Random(f"{target.name} {seed} {count}")
        data = target.seeds[count] if count < len(target.seeds) else mutated(target, random)
        count += 1
        began = time.process_time()
        try:
            target.check(data, random)
            took = time.process_time() - began
            assert took < SLOW, f"it took {took:.1f} s"
        except BaseException as e:
            if isinstance(e, KeyboardInterrupt):
                raise
            return Outcome(target.name, count, f"input {count} of seed {seed}: {data!r}\n{traceback.format_exc()}")
    return Outcome(target.name, count)


def mutated(target: Target, random: Random) -> bytes:
    """One of the seeds, changed in some places."""
    data = bytearray(random.choice(target.seeds))
    for _ in range(1 << random.randrange(5)):
        random.choice(_CHANGES)(data, target, random)
    return bytes(data[:MAX_INPUT])


def _flip(data: bytearray, target: Target, random: Random) -> None:
    if data:
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def _byte(data: bytearray, target: Target, random: Random) -> None:
    if data:
        data[random.randrange(len(data))] = random.randrange(256)


def _number(data: bytearray, target: Target, random: Random) -> None:
    number, at = random.choice(_NUMBERS), random.randrange(len(data) + 1)
    data[at : at + len(number)] = number


def _remove(data: bytearray, target: Target, random: Random) -> None:
    start, end = _span(data, random)
    del data[start:end]


def _repeat(data: bytearray, target: Target, random: Random) -> None:
    start, end = _span(data, random)
    times = random.choice((1, 1, 2, 8, 100, 3000))
    data[end:end] = (data[start:end] * times)[:MAX_INPUT]


def _swap(data: bytearray, target: Target, random: Random) -> None:
    (a, b), at = _span(data, random), random.randrange(len(data) + 1)
    piece = data[a:b]
    del data[a:b]
    data[at:at] = piece


def _put_in(data: bytearray, target: Target, random: Random) -> None:
    words = target.words or target.seeds
    at = random.randrange(len(data) + 1)
    data[at:at] = random.choice(words)


def _put_over(data: bytearray, target: Target, random: Random) -> None:
    word = random.choice(target.words or target.seeds)
    start, end = _span(data, random)
    data[start:end] = word


def _cross(data: bytearray, target: Target, random: Random) -> None:
    other = random.choice(target.seeds)
    data[random.randrange(len(data) + 1) :] = other[random.randrange(len(other) + 1) :]


def _cut(data: bytearray, target: Target, random: Random) -> None:
    del data[random.randrange(len(data) + 1) :]


def _span(data: bytearray, random: Random) -> tuple[int, int]:
    start = random.randrange(len(data) + 1)
    longest = random.choice((1, 4, 16, 256, MAX_INPUT))
    return start, min(len(data), start + random.randint(0, longest))


_CHANGES = (_flip, _byte, _byte, _number, _number, _remove, _repeat, _swap, _put_in, _put_in, _put_over, _cross, _cut)
"""What may be done to an input; those named twice are done twice as often."""
