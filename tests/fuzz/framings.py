"""Framings of streams, with all their options."""

from __future__ import annotations

from random import Random

from app.text import errors
from app.text.framing import FRAMINGS, maker
from tests.fuzz.engine import Target

SEEDS = [
    b"one\ntwo\r\nthree\n", b"\0\0\0\5hello\0\0\0\0", b"\5\0hello", b"0005hello0002hi",
    b"37 <34>1 2003-10-11T22:14:15.003Z a b c\n",
    b"\x78\x78\x05\x01\x00\x01\xd9\xdc\x0d\x0a", b"\x10\x8c\x01" + bytes(140),
    b"\x00\x01\x00\x00\x00\x06\x11\x03\x00\x6b\x00\x03",
    b"\x0bMSH|^~\\&|\r\x1c\r", b"abcdefghijklmnop" * 20,
]  # fmt: skip

WORDS = [
    b"\n",
    b"\r",
    b"\r\n",
    b"\0",
    b"\xff\xff\xff\xff",
    b"\x80\x80\x80\x80\x80",
    b"99999999999 ",
    b"-1 ",
    b"0 ",
    b"+5 ",
    b" 5 ",
    b"0x5 ",
    "٣ ".encode(),
]


def check(data: bytes, random: Random) -> None:
    framing = random.choice(list(FRAMINGS.values()))
    given = {option.name: option.default for one in FRAMINGS.values() for option in one.options}
    given["framing"] = framing.name
    for option in framing.options:
        if option.choices:
            given[option.name] = random.choice(option.choices)
        elif option.type is int:
            least, most = int(option.minimum or 0), int(min(option.maximum or 5000, 5000))
            given[option.name] = random.choice((least, most, option.default, random.randint(least, most)))
        elif option.type is bool:
            given[option.name] = random.random() < 0.5
        elif option.type is str and random.random() < 0.5:
            given[option.name] = random.choice(("\\n", "\\r\\n", "ab", "\\x00", "\\xff\\xfe"))
    make = maker(given)
    whole = make()
    messages = whole.feed(data) + whole.flush()
    assert whole.unfinished <= len(data)
    if framing.name != "none":
        pieces, at = make(), 0
        found: list[bytes] = []
        while at < len(data):
            size = random.choice((1, 2, 7, 100))
            found += pieces.feed(data[at : at + size])
            at += size
        found += pieces.flush()
        assert found == messages, (given, found, messages)
        assert pieces.broken == whole.broken, (given, pieces.broken, whole.broken)
    # What a framer gives out, it can send again, and another one reads the same.
    if framing.name in ("length", "fixed"):
        for message in messages[:20]:
            try:
                sent = make().frame(message)
            except errors.FrameError:
                continue
            except errors.ShortFrameError:
                continue
            assert make().feed(sent) == [message], (given, message, sent)


TARGETS = [Target("framings", SEEDS, check, WORDS)]
