"""The functions of templates: what stands first in an expression."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from uuid import UUID

from app.text.checksums import xor8
from app.text.template_filters import CHECKSUMS, KINDS, checksum, pad_filter
from app.text.template_values import MAX_OUTPUT, Known, Producer, Rendering, Word, WrongError, number


def _counter(words: Sequence[Word]) -> Producer:
    start, step = ([number(word) for word in words] + [1, 1][len(words) :])[:2]
    numbers = count(start, step)
    return lambda rendering: next(numbers)


_DIRECTIVES = re.compile(r"(?:[^%]|%[aAbBcdfHIjmMpSUwWxXyYzZGuV%])*")


def _now(words: Sequence[Word]) -> Producer:
    form, zone = ([word.text for word in words] + ["", "utc"][len(words) :])[:2]
    # What else strftime knows differs between systems.
    if not _DIRECTIVES.fullmatch(form) or "\0" in form:
        raise WrongError(f"“{form[:40]}” is not a format of time, such as %Y-%m-%d %H:%M:%S")
    if zone not in ("utc", "local"):
        raise WrongError("the zone is utc or local")

    def produce(rendering: Rendering) -> str:
        now = datetime.fromtimestamp(rendering.time, UTC)
        if zone == "local":
            now = now.astimezone()
        if form:
            return now.strftime(form)
        written = now.isoformat(timespec="milliseconds")
        return written.replace("+00:00", "Z") if zone == "utc" else written

    return produce


def _random(words: Sequence[Word]) -> Producer:
    low, high = (number(word) for word in words)
    if low > high:
        raise WrongError("the first number must not be greater than the second")
    return lambda rendering: rendering.random.randint(low, high)


def _random_hex(words: Sequence[Word]) -> Producer:
    digits = number(words[0], 1, 4096)
    return lambda rendering: f"{rendering.random.getrandbits(4 * digits):0{digits}x}"


def _uuid(words: Sequence[Word]) -> Producer:
    return lambda rendering: UUID(int=rendering.random.getrandbits(128), version=4)


def _pick(words: Sequence[Word]) -> Producer:
    return lambda rendering: rendering.random.choice(words).data


def value_of(word: Word) -> Producer:
    """A quoted word is itself, any other a value's name."""
    if word.quoted:
        return lambda rendering: word.data
    return lambda rendering: rendering.look_up(word.text)


def _pad(words: Sequence[Word]) -> Producer:
    value, padded = value_of(words[0]), pad_filter(words[1:])
    return lambda rendering: padded(rendering, value(rendering))


def _summed(name: str) -> Callable[[Sequence[Word]], Producer]:
    """A checksum over what was rendered so far, without the first and the last bytes if numbers say how many."""
    least, _ = KINDS.get(name, (0, 0))

    def make(words: Sequence[Word]) -> Producer:
        kinds = len(words)
        while kinds > max(least, len(words) - 2) and words[kinds - 1].data.isdigit():
            kinds -= 1
        front, back = [*(number(word, 0, MAX_OUTPUT) for word in words[kinds:]), 0, 0][:2]
        total = checksum(name)(words[:kinds])
        return lambda rendering: total(rendering, bytes(rendering.out[front : max(0, len(rendering.out) - back)]))

    return make


def _nmea(words: Sequence[Word]) -> Producer:
    """The checksum of a sentence of NMEA 0183: all between ``$`` or ``!`` and ``*``, as two hex digits."""

    def produce(rendering: Rendering) -> str:
        begin = max(rendering.out.rfind(b"$"), rendering.out.rfind(b"!"))
        if begin < 0:
            raise WrongError("nmea needs a $ or ! before it, where the sentence begins")
        sentence = rendering.spend(bytes(rendering.out[begin + 1 :]).removesuffix(b"*"))
        return xor8(sentence).hex.upper()

    return produce


FUNCTIONS: Mapping[str, Known] = {
    "counter": Known(0, 2, _counter),
    "now": Known(0, 2, _now),
    "unix": Known(0, 0, lambda words: lambda rendering: int(rendering.time)),
    "unix_ms": Known(0, 0, lambda words: lambda rendering: int(rendering.time * 1000)),
    "random": Known(2, 2, _random),
    "random_hex": Known(1, 1, _random_hex),
    "uuid": Known(0, 0, _uuid),
    "pick": Known(1, 1000, _pick),
    "pad": Known(2, 3, _pad),
    "nmea": Known(0, 0, _nmea),
    **{name: Known(least, most + 2, _summed(name)) for name in CHECKSUMS for least, most in [KINDS.get(name, (0, 0))]},
}
