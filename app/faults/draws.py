"""Draws: figures that look random, and are decided by what they are drawn for."""

from __future__ import annotations

import math
from hashlib import blake2b, shake_128
from struct import unpack

DISTRIBUTIONS = ("uniform", "normal", "lognormal", "pareto")

_SIGMA = 0.8
"""Of the logarithm of the lognormal distribution: its 99th percentile is 6.4 times its median."""

_ALPHA = 3.0
"""Shape of the Pareto distribution: finite mean and variance, and a tail that is felt."""


class Draws:
    """The figures of one hit, in the order in which they are asked for.

    They depend on ``seed``, the fault's ``identity``, the ordinal of the ``connection`` in its service and that of the
    ``candidate`` in its connection, and on nothing else: not on time, other faults, or what was drawn before.
    """

    __slots__ = ("_count", "_for", "_key")

    def __init__(self, seed: int, identity: str, connection: int, side: str, candidate: int) -> None:
        self._for = (seed, identity, connection, side, candidate)
        self._key = b""  # most hits draw nothing
        self._count = 0

    def noise(self, size: int) -> bytes:
        """So many bytes."""
        return self._block()[:size] if size <= 64 else shake_128(self._block()).digest(size)

    def _block(self) -> bytes:
        self._key = self._key or "\0".join(map(str, self._for)).encode()
        self._count += 1
        return blake2b(self._key, salt=self._count.to_bytes(8, "little")).digest()

    def uniform(self) -> float:
        """From 0, inclusive, to 1, exclusive."""
        (number,) = unpack("<Q", self._block()[:8])
        return float(number >> 11) * 2.0**-53

    def below(self, limit: int) -> int:
        """A whole number from 0 to ``limit`` - 1."""
        return min(int(self.uniform() * limit), limit - 1)

    def normal(self) -> float:
        """Of mean 0 and standard deviation 1 (Box-Muller)."""
        radius = math.sqrt(-2.0 * math.log(1.0 - self.uniform()))
        return radius * math.cos(2.0 * math.pi * self.uniform())

    def spread(self, distribution: str) -> float:
        """A deviation in units of a jitter: of mean 0, except that of ``uniform`` from -1 to 1.

        ``normal`` has the standard deviation 1; ``lognormal`` and ``pareto`` have, too, and long tails to the right.
        """
        if distribution == "normal":
            return self.normal()
        if distribution == "lognormal":
            mean = math.exp(_SIGMA**2 / 2)
            deviation = mean * math.sqrt(math.exp(_SIGMA**2) - 1)
            return (math.exp(_SIGMA * self.normal()) - mean) / deviation
        if distribution == "pareto":
            mean = _ALPHA / (_ALPHA - 1)
            deviation = math.sqrt(_ALPHA / ((_ALPHA - 1) ** 2 * (_ALPHA - 2)))
            return float((1.0 - self.uniform()) ** (-1.0 / _ALPHA) - mean) / deviation
        return 2.0 * self.uniform() - 1.0
