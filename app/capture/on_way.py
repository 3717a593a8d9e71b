"""Batches that were sent to the writer and are not stored yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from app.capture.lost_events import Loss
from app.capture.writing.arena import Arena
from app.capture.writing.batch import Frame, Services


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch on its way.

    Attributes:
        shared: bytes of its payloads in the arena.
        mark: of the arena, up to which it is released with this batch; None: it has nothing there.
        since: the time of its first event, in ns since 1970.
        losses: those that it tells of.
    """

    sequence: int
    count: int
    frame: Frame
    shared: int
    mark: int | None
    since: int
    losses: tuple[Loss, ...] = ()

    @property
    def size(self) -> int:
        return self.frame.size + self.shared


class OnWay:
    """The batches on their way, oldest first.

    Attributes:
        bytes: of all of them.
        arena: holds large payloads of theirs; None: there is none.
    """

    def __init__(self) -> None:
        self.bytes = 0
        self.arena: Arena | None = None
        self._sent: deque[Sent] = deque()

    def __bool__(self) -> bool:
        return bool(self._sent)

    def __iter__(self) -> Iterator[Sent]:
        return iter(self._sent)

    def add(self, sent: Sent) -> None:
        self._sent.append(sent)
        self.bytes += sent.size

    def keep_mark(self, mark: int) -> None:
        """Release the arena up to ``mark`` with the newest batch: what came after it is lost."""
        self._sent[-1] = replace(self._sent[-1], mark=mark)

    def is_next(self, sequence: int) -> bool:
        """Whether the oldest batch is the one with this number."""
        return bool(self._sent) and self._sent[0].sequence == sequence

    def drop_until(self, sequence: int) -> int:
        """Drop the batches up to ``sequence``, which are stored. Returns how many events they hold."""
        count = 0
        while self._sent and self._sent[0].sequence <= sequence:
            count += self.drop().count
        return count

    def drop(self) -> Sent:
        """Drop the oldest batch, and return it."""
        sent = self._sent.popleft()
        self.bytes -= sent.size
        if sent.mark is not None and self.arena is not None:
            self.arena.release(sent.mark)
        return sent

    def name_services(self, services: Services) -> None:
        """Have the oldest batch name all services, for a writer that knows none yet."""
        head = self._sent[0]
        frame = head.frame.with_services(services)
        self._sent[0] = replace(head, frame=frame)
        self.bytes += frame.size - head.frame.size
