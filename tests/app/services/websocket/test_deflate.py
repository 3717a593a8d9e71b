"""Offers of permessage-deflate, and compressed messages about as large as they may be."""

from __future__ import annotations

import zlib
from random import Random

import pytest
import pytest_twisted

from app.services.websocket import deflate
from tests.app.services.helpers import Desk, Tape, turn
from tests.app.services.websocket_frames import BINARY, FINAL, Raw, ended, frame, messages
from tests.helpers import until

COMPRESSED = FINAL | 0x40
LIMIT = 100_000


def deflated(data: bytes, *, bits: int = 15) -> bytes:
    """``data`` as permessage-deflate carries it (RFC 7692 section 7.2.1)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -bits)
    return (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


async def opened(desk: Desk, offer: bytes) -> tuple[Raw, bytes]:
    """A client that made this offer, and what was agreed on."""
    peer = Raw(desk.services[0])
    peer.say(
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Extensions: " + offer + b"\r\n\r\n"
    )
    head = (await peer.expect(b"\r\n\r\n")).partition(b"\r\n\r\n")[0]
    assert head.startswith(b"HTTP/1.1 101 "), head
    del peer.got[: len(head) + 4]
    return peer, head.partition(b"Sec-WebSocket-Extensions: ")[2]


# -- whole messages


@pytest_twisted.ensureDeferred
async def test_no_compressed_message_is_cut_to_what_is_allowed(desk: Desk, tape: Tape) -> None:
    await desk.start("websocket", "discard", limits={"message_bytes": LIMIT})
    for count, length in enumerate(range(LIMIT - 1, LIMIT + 200), 1):
        peer, _ = await opened(desk, b"permessage-deflate")
        peer.say(frame(BINARY, deflated(b"a" * length), first=COMPRESSED))
        if length > LIMIT:
            assert (await peer.closed())[0] == 1009, length
        else:
            await until(lambda: len(messages(tape)) == count)  # noqa: B023
        peer.reset()
        await ended(tape, count)
    assert [len(payload or b"") for _, _, payload in messages(tape)] == [LIMIT - 1, LIMIT]
    assert [(e.detail["limit"], e.detail["value"]) for e in tape.all("limit.reached")] == [
        ("message_bytes", LIMIT)
    ] * 199


@pytest_twisted.ensureDeferred
async def test_frames_of_a_compressed_message_are_whole_in_sum(desk: Desk, tape: Tape) -> None:
    await desk.start("websocket", "discard", limits={"message_bytes": LIMIT})
    for length, fits in ((LIMIT, True), (LIMIT + 1, False)):
        peer, _ = await opened(desk, b"permessage-deflate")
        data = deflated(b"a" * length)
        half = len(data) // 2
        peer.say(frame(BINARY, data[:half], first=0x40) + frame(0, data[half:], first=FINAL))
        if fits:
            await until(lambda: [payload for _, _, payload in messages(tape)] == [b"a" * LIMIT])
        else:
            assert (await peer.closed())[0] == 1009
        peer.reset()
    await ended(tape, 2)
    assert len(messages(tape)) == 1


@pytest_twisted.ensureDeferred
async def test_a_message_as_large_as_allowed_may_end_in_an_empty_block(desk: Desk, tape: Tape) -> None:
    await desk.start("websocket", "discard", limits={"message_bytes": LIMIT})
    peer, _ = await opened(desk, b"permessage-deflate")
    data = deflated(b"a" * LIMIT) + b"\x00\x00\xff\xff" * 2 + b"\x00"
    peer.say(frame(BINARY, data, first=COMPRESSED))
    await until(lambda: [payload for _, _, payload in messages(tape)] == [b"a" * LIMIT])
    peer.reset()
    await ended(tape)


@pytest.mark.parametrize("most", [10, LIMIT])
@pytest.mark.parametrize("pieces", [1, 7])
@pytest_twisted.ensureDeferred
async def test_what_cannot_be_compressed_may_be_as_large_as_allowed(
    most: int, pieces: int, desk: Desk, tape: Tape
) -> None:
    await desk.start("websocket", "discard", limits={"message_bytes": most})
    noise = Random(most).randbytes(most + 1)
    for length in (most, most + 1):
        peer, _ = await opened(desk, b"permessage-deflate")
        data = deflated(noise[:length])
        assert len(data) > length
        whole = frame(BINARY, data, first=COMPRESSED)
        for at in range(pieces):
            peer.say(whole[at * len(whole) // pieces : (at + 1) * len(whole) // pieces])
            await turn()
        if length == most:
            await until(lambda: [payload for _, _, payload in messages(tape)] == [noise[:most]])
        else:
            assert (await peer.closed())[0] == 1009
        peer.reset()
    await ended(tape, 2)
    assert len(messages(tape)) == 1
    assert [(e.detail["limit"], e.detail["value"]) for e in tape.all("limit.reached")] == [("message_bytes", most)]


# -- offers


@pytest.mark.parametrize(
    ("offer", "agreed"),
    [
        (b"permessage-deflate", b"permessage-deflate"),
        (b"permessage-deflate; client_max_window_bits", b"permessage-deflate; client_max_window_bits=12"),
        (b"permessage-deflate; client_max_window_bits=15", b"permessage-deflate; client_max_window_bits=12"),
        (b"permessage-deflate; client_max_window_bits=9", b"permessage-deflate"),
        (b"permessage-deflate; client_max_window_bits=8", b"permessage-deflate"),
        (b"permessage-deflate; server_max_window_bits=9", b"permessage-deflate; server_max_window_bits=9"),
        (b"permessage-deflate; server_max_window_bits=8", b""),
        (b"permessage-deflate; foo=1", b""),
        (b"permessage-deflate; foo", b""),
        (b"permessage-deflate; server_max_window_bits=99", b""),
        (b"permessage-deflate; client_max_window_bits=99", b""),
        (b"permessage-deflate; server_max_window_bits", b""),
        (b"permessage-deflate; server_max_window_bits=010", b""),
        (b"permessage-deflate; server_max_window_bits=10; server_max_window_bits=10", b""),
        (b"permessage-deflate; client_no_context_takeover=1", b""),
        (b"permessage-deflate; foo=1, permessage-deflate", b"permessage-deflate"),
        (b"permessage-deflate; server_max_window_bits=8, permessage-deflate", b"permessage-deflate"),
        (b"permessage-bzip2; nonsense=1, permessage-deflate", b"permessage-deflate"),
        (b"x-unknown, ;=;, permessage-deflate", b"permessage-deflate"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_an_offer_is_declined_rather_than_the_handshake(
    offer: bytes, agreed: bytes, desk: Desk, tape: Tape
) -> None:
    await desk.start("websocket", "echo")
    peer, found = await opened(desk, offer)
    assert found == agreed
    first, data = (COMPRESSED, deflated(b"hello", bits=9)) if agreed else (FINAL, b"hello")
    peer.say(frame(BINARY, data, first=first))
    await until(lambda: len(messages(tape)) == 2)
    assert [payload for _, _, payload in messages(tape)] == [b"hello"] * 2
    peer.reset()
    await ended(tape)


def test_autobahn_can_read_every_offer_that_is_taken() -> None:
    values = ["True", *map(str, range(20))]
    for name in deflate._VALUES:
        for value in values:
            offered = [(deflate.NAME, {name: [value if value != "True" else True]})]
            for _, parameters in deflate.usable(offered):
                assert deflate.PerMessageDeflateOffer.parse(parameters)
