"""Streams as text: runs with their colours."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.capture.reading.pieces import Piece
from ui.detail.text_pieces import MAX_LINE, PIECE
from ui.streams.text import StreamFormatter


def runs(*pieces: Piece, **how: object) -> list[tuple[str, str]]:
    formatter = StreamFormatter(**how)  # type: ignore[arg-type]
    return [run for piece in pieces for run in formatter.write(piece)]


def text(*pieces: Piece, **how: object) -> str:
    return "".join(part for part, _ in runs(*pieces, **how))


def received(data: bytes, **more: object) -> Piece:
    return Piece(10**18, True, data=data, **more)  # type: ignore[arg-type]


def sent(data: bytes, **more: object) -> Piece:
    return Piece(10**18, False, data=data, **more)  # type: ignore[arg-type]


def test_each_side_has_its_voice_and_begins_a_line() -> None:
    assert runs(received(b"ab"), received(b"c\n"), sent(b"d"), received(b"e")) == [
        ("ab", "received"), ("c\n", "received"), ("d", "sent"), ("\n", "dim"), ("e", "received"),
    ]  # fmt: skip


def test_lines_end_as_lines_do_and_what_would_not_show_is_an_escape() -> None:
    assert text(received(b"a\r\nb\\c\td\x00\xff\n")) == "a\nb\\c\td\\0\\xff\n"


def test_only_one_side_is_shown_where_only_that_is_wanted() -> None:
    assert text(received(b"a"), sent(b"b"), received(b"c"), side=True) == "ac"


@given(st.text(max_size=60), st.lists(st.integers(0, 240), max_size=8))
def test_a_character_that_is_cut_by_the_network_is_whole(letters: str, cuts: list[int]) -> None:
    data = letters.encode("utf-8", "replace")
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [received(data[a:b]) for a, b in pairwise(edges)]
    assert text(*pieces).replace("\n", "") == text(received(data)).replace("\n", "")


def test_a_line_without_end_is_broken_also_where_it_comes_bit_by_bit() -> None:
    lines = text(*[received(b"x" * 100)] * 100).split("\n")
    assert max(map(len, lines)) <= MAX_LINE
    assert "".join(lines) == "x" * 10_000


def test_runs_are_short_enough_to_be_laid_out_at_one_go() -> None:
    found = runs(received("é".encode() * PIECE))
    assert all(len(part.encode()) <= PIECE + PIECE // MAX_LINE + 1 for part, _ in found)
    assert "".join(part for part, _ in found).count("é") == PIECE


def test_a_message_has_a_title_with_its_time_and_size() -> None:
    found = text(received(b"body", title="GET / HTTP/1.1", head="Host: x"), sent(b"", title="200 OK"))
    lines = found.split("\n")
    assert lines[0].startswith("← GET / HTTP/1.1   ")
    assert lines[0].endswith("  4 B")
    assert lines[1:5] == ["Host: x", "", "body", ""]
    assert lines[5].startswith("→ 200 OK   ")


def test_what_is_missing_of_a_body_is_said() -> None:
    assert "[1.0 kB more are not shown]" in text(received(b"x", title="t", left=1000))


def test_a_remark_is_dim() -> None:
    assert {voice for _, voice in runs(Piece(10**18, None, "closed  1000"))} == {"dim"}


def test_hex_has_offsets_of_its_own_for_each_side() -> None:
    assert text(received(b"0123456789abcdefX"), sent(b"\0\xff"), received(b"Y"), hexadecimal=True, skipped=(16, 0)) == (
        "00000010  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  0123456789abcdef\n"
        "00000020  58                                                X\n"
        "    00000000  00 ff                                             ..\n"
        "00000021  59                                                Y\n"
    )


def test_titles_of_peers_cannot_turn_a_line_around() -> None:
    assert "\u202e" not in text(received(b"", title="GET /\u202e", head="A: \u202e"))
