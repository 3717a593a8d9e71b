"""Pieces that others may overtake: each until it is due, or until so many have passed it."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Any, Generic, Protocol, TypeVar

_SPARE = 64
"""Entries of pieces that are gone already, which may stay in a heap beside as many as there are pieces."""


class Overtaken(Protocol):
    """What a piece has to say."""

    due: dict[Any, float]
    gap: int


Piece = TypeVar("Piece", bound=Overtaken)


class Aside(Generic[Piece]):
    """Pieces that stand aside, and how many have passed them; what one that passes costs does not grow with them."""

    def __init__(self) -> None:
        self._pieces: dict[int, Piece] = {}
        self._count = self._passed = 0
        # By when they are due, and by how many must have passed. Of a piece that has gone by the other one, an entry
        # stays until it is its turn, or until there are too many.
        self._by_time: list[tuple[float, int]] = []
        self._by_passed: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self._pieces)

    @property
    def counts(self) -> bool:
        """Whether it matters that one passes."""
        return bool(self._by_passed)

    def put(self, piece: Piece) -> None:
        """``piece`` has a time when it is due, and perhaps a gap."""
        self._count += 1
        self._pieces[self._count] = piece
        heappush(self._by_time, (max(piece.due.values()), self._count))
        if piece.gap:
            heappush(self._by_passed, (self._passed + piece.gap, self._count))

    def one_passes(self) -> list[Piece]:
        """Those that it was the last to overtake, in their order."""
        self._passed += 1
        return self._take(self._by_passed, self._passed)

    def due(self, now: float) -> list[Piece]:
        """Those that are due, the earliest first."""
        return self._take(self._by_time, now)

    def _take(self, heap: list[Any], until: float) -> list[Piece]:
        found = []
        while heap and (heap[0][0] <= until or heap[0][1] not in self._pieces):
            piece = self._pieces.pop(heappop(heap)[1], None)
            if piece is not None:
                found.append(piece)
        if found:
            self._tidy()
        return found

    def _tidy(self) -> None:
        heaps: tuple[list[Any], ...] = self._by_time, self._by_passed
        for heap in heaps:
            while heap and heap[0][1] not in self._pieces:
                heappop(heap)
            if len(heap) > 2 * len(self._pieces) + _SPARE:
                heap[:] = [entry for entry in heap if entry[1] in self._pieces]
                heapify(heap)

    @property
    def next(self) -> float | None:
        """When the next one is due."""
        return self._by_time[0][0] if self._by_time else None

    def lift(self, fault: Any) -> bool:
        """``fault`` holds none of them any longer. Whether it held any; those that nothing holds are due."""
        held = [piece.due.pop(fault, None) is not None for piece in self._pieces.values()]
        if any(held):
            self._by_time = [(max(p.due.values(), default=0.0), number) for number, p in self._pieces.items()]
            heapify(self._by_time)
        return any(held)

    def take_all(self) -> list[Piece]:
        """All of them, the earliest first; none stands aside then."""
        ordered = [self._pieces[number] for _, number in sorted(self._by_time) if number in self._pieces]
        self.clear()
        return ordered

    def clear(self) -> None:
        self._pieces.clear()
        self._by_time.clear()
        self._by_passed.clear()
