"""Messages behind their length."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from app.options import Option, Options
from app.text import errors
from app.text.framing.framer import LONGEST, MAX_MESSAGE, Buffered, Framing
from app.text.framing.lengths import Encoding, Order, WrongLengthError, binary, decimal, octet_count, varint

MAX_OFFSET = 256
"""Bytes that may stand before a length."""


class Prefixed(Buffered):
    """Messages with their length before or in them, which is no part of a message.

    ``offset`` bytes stand before the length, and are the beginning of the message. As many
    bytes follow the length as it says, and ``adjust`` more (or less, where it counts what
    stands before it, too); ``inclusive``: without those of the length itself.
    """

    def __init__(
        self,
        size: int = 4,
        order: Order = "big",
        inclusive: bool = False,
        limit: int = MAX_MESSAGE,
        *,
        offset: int = 0,
        adjust: int = 0,
        encoding: Encoding | None = None,
    ) -> None:
        """``size`` and ``order`` are those of a binary length, where no ``encoding`` is given."""
        super().__init__(limit)
        self._encoding = encoding or binary(size, order)
        self._offset, self._adjust, self._inclusive = offset, adjust, inclusive
        self._awaited = ""

    def _next(self, start: int) -> tuple[bytes, int] | None:
        place = start + self._offset
        try:
            found = self._encoding.read(bytes(self._buffer[place : place + 32]))
        except WrongLengthError as e:
            self._break(f"{_written(self._buffer[place : place + e.read])} stands where a length must be, and is {e}")
            return None
        if found is None:
            return None
        said, size = found
        length, begin = said + self._adjust - size * self._inclusive, place + size
        read = bytes(self._buffer[place:begin])
        if length < 0:
            self._break(f"{_said(read, said)}, which is less than {self._least(size)}")
            return None
        if self._offset + length > self.limit:
            self._break(f"a message is longer than {self.limit:,} bytes: {_said(read, said)}")
            return None
        end = begin + length
        if len(self._buffer) < end:
            self._awaited = _said(read, said)
            return None
        self._awaited = ""
        return bytes(self._buffer[start:place] + self._buffer[begin:end]), end

    def _least(self, size: int) -> str:
        if not self._adjust:
            return "its own byte" if size == 1 else f"its own {size} bytes"
        return f"the {size * self._inclusive - self._adjust} that it must count"

    @property
    def awaited(self) -> str:
        return self._awaited

    def frame(self, message: bytes) -> bytes:
        if len(message) < self._offset:
            raise errors.ShortFrameError(length=len(message), least=self._offset)
        length = len(message) - self._offset - self._adjust
        written = self._length(length)
        if written is None and length > 0 and self._encoding.most is not None:
            raise errors.FrameError(length=len(message), most=self._encoding.most)
        if written is None:
            raise errors.ShortFrameError(length=len(message), least=self._offset + max(0, self._adjust) + 1)
        return message[: self._offset] + written + message[self._offset :]

    def _length(self, length: int) -> bytes | None:
        """The length as it stands on the wire, None where it cannot; how long it is itself may be a part of it."""
        for size in range(1, _LONGEST + 1) if self._inclusive else (0,):
            try:
                written = self._encoding.write(length + size)
            except OverflowError:
                continue
            if size in (0, len(written)):
                return written
        return None


_LONGEST = 20
"""Bytes of a length that says how long a message can be."""


def _said(read: bytes, said: int) -> str:
    return f"the length {_written(read)} says {said:,}"


def _written(data: bytes | bytearray) -> str:
    """Bytes as hex and, where they are characters, as these."""
    text = f" ({data.decode('ascii')})" if all(0x20 <= byte < 0x7F for byte in data) else ""
    return f"{data.hex(' ').upper()}{text}"


def _encoding(options: Options) -> Encoding:
    match options["encoding"]:
        case "decimal":
            return decimal(options["prefix_bytes"])
        case "octet-count":
            return octet_count()
        case "varint":
            return varint()
    return binary(options["prefix_bytes"], options["byte_order"])


def _maker(options: Options) -> Callable[[], Prefixed]:
    return partial(
        Prefixed,
        inclusive=options["prefix_included"],
        limit=options["max_message"],
        offset=options["offset"],
        adjust=options["adjust"],
        encoding=_encoding(options),
    )


LENGTH = Framing(
    "length",
    "where the length in or before it says",
    "Each message has its length in or before it; that is written into what is sent, too",
    _maker,
    (
        Option(
            "encoding", str, "binary",
            "Form of the length: a binary number, a fixed number of decimal digits, decimal digits and a space "
            "(syslog), or seven bits in each byte (MQTT, protobuf)",
            choices=("binary", "decimal", "octet-count", "varint"),
        ),
        Option("prefix_bytes", int, 4, "Bytes of a binary length, or digits of a decimal one", "", 1, 8),
        Option("byte_order", str, "big", "Byte order of a binary length", choices=("big", "little")),
        Option("prefix_included", bool, False, "The length includes its own bytes"),
        Option(
            "offset", int, 0,
            "Bytes before the length; they are the beginning of the message, which does not contain the length",
            "bytes", 0, MAX_OFFSET,
        ),
        Option(
            "adjust", int, 0,
            "Bytes that follow in addition to the length; negative: fewer bytes follow than the length says",
            "bytes", -MAX_OFFSET, MAX_OFFSET,
        ),
        LONGEST,
    ),
)  # fmt: skip
