"""app.text.framing."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.options import with_defaults
from app.text import errors, framing
from app.text.framing import FRAMINGS, Delimited, Fixed, Framer, Gapped, Prefixed, Unframed
from app.text.framing.lengths import decimal, octet_count, varint

Make = Callable[[], Framer]

LIMIT = 20

MAKERS: dict[str, Make] = {
    "lf": lambda: Delimited(b"\n", limit=LIMIT),
    "crlf, kept": lambda: Delimited(b"\r\n", strip=False, limit=LIMIT),
    "a repeating delimiter": lambda: Delimited(b"\n\n\r", limit=LIMIT),
    "1 byte": lambda: Prefixed(1, limit=LIMIT),
    "2 bytes, little": lambda: Prefixed(2, "little", limit=LIMIT),
    "4 bytes": lambda: Prefixed(4, limit=LIMIT),
    "2 bytes that count themselves": lambda: Prefixed(2, inclusive=True, limit=LIMIT),
    "fixed": lambda: Fixed(3),
    "modbus tcp": lambda: Prefixed(2, offset=4, limit=LIMIT),
    "gt06": lambda: Prefixed(1, offset=2, adjust=2, limit=LIMIT),
    "all counted": lambda: Prefixed(2, offset=3, adjust=-3, inclusive=True, limit=LIMIT),
    "iso 8583": lambda: Prefixed(encoding=decimal(4), limit=LIMIT),
    "syslog": lambda: Prefixed(encoding=octet_count(), limit=LIMIT),
    "mqtt": lambda: Prefixed(offset=1, encoding=varint(), limit=LIMIT),
    "a varint that counts itself": lambda: Prefixed(encoding=varint(), inclusive=True, limit=LIMIT),
}

makers = st.sampled_from(sorted(MAKERS)).map(MAKERS.__getitem__)
streams = st.lists(
    st.one_of(
        st.sampled_from([b"\n", b"\r", b"\r\n", b"\n\n\r", b"\0", b"\2", b"\3ab", b"0002", b"2 ab", b"\x80"]),
        st.binary(max_size=12),
    )
).map(b"".join)


def fed(framer: Framer, *pieces: bytes) -> list[bytes]:
    return [message for piece in pieces for message in framer.feed(piece)]


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """``data`` in pieces that end at ``places``, some of them perhaps empty."""
    ends = sorted(place % (len(data) + 1) for place in places)
    return [data[a:b] for a, b in zip([0, *ends], [*ends, len(data)], strict=True)]


@given(makers, streams, st.lists(st.integers(min_value=0)))
def test_messages_do_not_depend_on_how_a_stream_is_cut(make: Make, stream: bytes, places: list[int]) -> None:
    whole, byte_by_byte, pieces = make(), make(), make()
    messages = fed(whole, stream)
    assert fed(byte_by_byte, *(stream[i : i + 1] for i in range(len(stream)))) == messages
    assert fed(pieces, *cut(stream, places)) == messages
    assert whole.broken == byte_by_byte.broken == pieces.broken


def _fits(framer: Framer, message: bytes) -> bool:
    """Whether it has what must stand before the length."""
    try:
        framer.frame(message)
    except errors.ShortFrameError:
        return False
    return True


@given(makers, st.lists(st.binary(max_size=LIMIT - 2)), st.lists(st.integers(min_value=0)))
def test_what_is_framed_is_found_again(make: Make, messages: list[bytes], places: list[int]) -> None:
    one, other = make(), make()
    if isinstance(one, Fixed):
        messages = [message[:3].ljust(3) for message in messages]
    if isinstance(one, Delimited):
        messages = [bytes(b for b in message if b not in b"\r\n") for message in messages]
        if not one.strip:
            messages = [message + one.delimiter for message in messages]
    messages = [message if _fits(one, message) else message.rjust(7) for message in messages]
    stream = b"".join(map(one.frame, messages))
    assert fed(other, *cut(stream, places)) == messages
    assert not other.broken


@given(makers, st.lists(st.binary(max_size=40)))
def test_what_is_kept_is_bounded(make: Make, pieces: list[bytes]) -> None:
    framer = make()
    for piece in pieces:
        framer.feed(piece)
        length = 20 if isinstance(framer, Prefixed) else 4
        assert len(getattr(framer, "_buffer")) <= LIMIT + length  # noqa: B009 - Framer itself has none


@given(st.lists(st.binary()))
def test_without_framing_each_piece_is_a_message(pieces: list[bytes]) -> None:
    assert fed(Unframed(), *pieces) == [piece for piece in pieces if piece]
    assert Unframed().frame(b"x") == b"x"


@pytest.mark.parametrize(
    ("framer", "stream", "messages"),
    [
        (Delimited(b"\r\n"), b"a\r\n\r\nb\rc\r\nrest", [b"a", b"", b"b\rc"]),
        (Delimited(b"\r\n", strip=False), b"a\r\n\r\nrest", [b"a\r\n", b"\r\n"]),
        (Prefixed(1), b"\2ab\0\1c\5..", [b"ab", b"", b"c"]),
        (Prefixed(2, "little"), b"\2\0ab", [b"ab"]),
        (Prefixed(4), b"\0\0\0\2ab", [b"ab"]),
        (Prefixed(2, inclusive=True), b"\0\4ab\0\2", [b"ab", b""]),
        (Fixed(3), b"abcdefg", [b"abc", b"def"]),
        (Prefixed(3, "little"), b"\2\0\0ab", [b"ab"]),
        (Prefixed(encoding=octet_count()), b"2 ab10 0123456789", [b"ab", b"0123456789"]),
        (Prefixed(encoding=varint()), b"\x80\1" + bytes(128) + b"\x82\0ab", [bytes(128), b"ab"]),
    ],
)
def test_messages_are_found(framer: Framer, stream: bytes, messages: list[bytes]) -> None:
    assert fed(framer, stream) == messages
    assert not framer.broken
    assert framer.flush() == []
    assert framer.gap == math.inf


@pytest.mark.parametrize(
    ("framer", "stream", "messages", "why"),
    [
        (Delimited(b"\r\n", limit=3), b"abc\r\nabcd\r\nx\r\n", [b"abc"], "a message is longer than 3 bytes"),
        (Delimited(b"\r\n", limit=3), b"abc\r.", [], "a message is longer than 3 bytes"),
        (
            Prefixed(1, limit=3),
            b"\3abc\4abcd\1a",
            [b"abc"],
            "a message is longer than 3 bytes: the length 04 says 4",
        ),
        (Prefixed(1, inclusive=True), b"\0", [], "the length 00 says 0, which is less than its own byte"),
        (Prefixed(2, inclusive=True), b"\0\1", [], "the length 00 01 says 1, which is less than its own 2 bytes"),
        (
            Prefixed(2, offset=3, adjust=-3, inclusive=True),
            b"abc\0\1",
            [],
            "the length 00 01 says 1, which is less than the 5 that it must count",
        ),
        (
            Prefixed(4),
            b"GET / HTTP/1.1",
            [],
            "a message is longer than 1,048,576 bytes: the length 47 45 54 20 (GET ) says 1,195,725,856",
        ),
        (
            Prefixed(encoding=decimal(4)),
            b"12<4",
            [],
            "31 32 3C (12<) stands where a length must be, and is not 4 decimal digits",
        ),
        (
            Prefixed(encoding=octet_count()),
            b"2 ab<34>1",
            [b"ab"],
            "3C (<) stands where a length must be, and is not decimal digits followed by a space",
        ),
        (
            Prefixed(encoding=octet_count()),
            b"02 ab",
            [],
            "30 (0) stands where a length must be, and is not decimal digits followed by a space",
        ),
        (
            Prefixed(encoding=octet_count()),
            b"9" * 21,
            [],
            f"{' '.join(['39'] * 21)} ({'9' * 21}) stands where a length"
            " must be, and is not decimal digits followed by a space",
        ),
        (
            Prefixed(encoding=varint()),
            b"\xff" * 12,
            [],
            f"{' '.join(['FF'] * 10)} stands where a length must be, and is not a varint of at most 10 bytes",
        ),
        (Gapped(0.1, limit=3), b"abcd", [], "a message is longer than 3 bytes"),
    ],
)
def test_a_broken_stream_gives_what_came_before_and_nothing_after(
    framer: Framer, stream: bytes, messages: list[bytes], why: str
) -> None:
    assert fed(framer, stream) == messages
    assert framer.broken == why
    assert fed(framer, b"a\r\n") == framer.flush() == []


def test_the_longest_message_may_wait_for_half_its_delimiter() -> None:
    framer = Delimited(b"\r\n", limit=3)
    assert fed(framer, b"abc\r", b"\n") == [b"abc"]


def test_a_gap_ends_a_message() -> None:
    framer = Gapped(0.25)
    assert framer.gap == 0.25
    assert fed(framer, b"ab", b"", b"c") == []
    assert framer.flush() == [b"abc"]
    assert framer.flush() == []


def test_a_message_too_long_for_its_prefix_is_refused_in_words() -> None:
    assert Prefixed(1).frame(b"x" * 255)[:2] == b"\xffx"
    with pytest.raises(errors.FrameError, match=r"256 bytes is too long: the length before it counts up to 255"):
        Prefixed(1).frame(b"x" * 256)
    with pytest.raises(errors.FrameError):
        Prefixed(1, inclusive=True).frame(b"x" * 255)
    with pytest.raises(errors.FrameError, match=r"10000 bytes is too long: .* counts up to 9999"):
        Prefixed(encoding=decimal(4)).frame(bytes(10_000))


@pytest.mark.parametrize(
    ("framer", "message"),
    [
        (Prefixed(2, offset=4), b"abc"),
        (Prefixed(1, adjust=2), b"a"),
        (Prefixed(encoding=octet_count()), b""),
        (Prefixed(offset=1, encoding=varint()), b""),
    ],
)
def test_a_message_too_short_for_its_length_is_refused_in_words(framer: Framer, message: bytes) -> None:
    with pytest.raises(errors.ShortFrameError, match=f"{len(message)} bytes is too short: it must have"):
        framer.frame(message)


def test_a_length_that_counts_itself_counts_what_it_takes() -> None:
    framer = Prefixed(encoding=varint(), inclusive=True)
    for size in (0, 1, 125, 126, 127, 128, 16_380, 16_381, 16_382, 20_000):
        framed = framer.frame(bytes(size))
        assert varint().read(framed) == (len(framed), len(framed) - size)
        assert fed(framer, framed) == [bytes(size)]


def test_c23_it_is_known_what_came_of_a_message_without_an_end() -> None:
    framer = Prefixed(4)
    fed(framer, b"\0\0\0\1a\0\1")
    assert (framer.unfinished, framer.awaited) == (2, "")
    fed(framer, b"\0\0abc")
    assert (framer.unfinished, framer.awaited) == (7, "the length 00 01 00 00 says 65,536")
    fed(framer, bytes(65_533), b"\0")
    assert (framer.unfinished, framer.awaited) == (1, "")
    assert Unframed().unfinished == 0


def test_a_kept_delimiter_is_not_doubled() -> None:
    assert Delimited(b"\n", strip=False).frame(b"a\n") == b"a\n"
    assert Delimited(b"\n").frame(b"a\n") == b"a\n\n"


def test_many_small_pieces_of_a_long_message_are_searched_once() -> None:
    framer, pieces = Delimited(b"\n", limit=1 << 20), [b"x" * 100] * 10_000
    assert fed(framer, *pieces, b"\n") == [b"x" * 1_000_000]


def test_each_framing_is_declared_with_its_options_and_its_framer() -> None:
    declared = framing.options(("tcp",))
    assert declared[0].choices == tuple(FRAMINGS)
    for name, one in FRAMINGS.items():
        options = with_defaults(declared, {"framing": name})
        matter = {option.name for option in declared if option.matters(options)}
        assert matter == {"framing", *(option.name for option in one.options)}
        assert all(option.problem(option.default) is None for option in declared)
        framer = framing.maker(options)()
        assert framer.feed(framer.frame(b"x" * 16)) or framer.flush()


def test_what_several_framings_share_is_one_option() -> None:
    names = [option.name for option in framing.options(("tcp",))]
    assert len(names) == len(set(names))
    longest = framing.options(("tcp",))[-1]
    assert longest.name == "max_message"
    assert longest.when == ("framing", ("delimiter", "length", "gap"))
