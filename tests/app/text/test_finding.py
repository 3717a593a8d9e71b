"""Finding a text or bytes, a piece at a time."""

from __future__ import annotations

import pytest

from app.text.finding import MOST, PIECE, bytes_wanted, places


def all_places(text, wanted, *, case=False):
    return [place for place in places(text, wanted, case=case) if place is not None]


def test_every_place_is_found_in_order_without_overlap():
    assert all_places("aXaxaX", "ax") == [0, 2, 4]
    assert all_places("aXaxaX", "ax", case=True) == [2]
    assert all_places("aaaa", "aa") == [0, 2]
    assert all_places("a.c abc", "a.c") == [0]
    assert all_places(b"\xde\xad\xbe\xde\xad", b"\xde\xad", case=True) == [0, 3]
    assert all_places("anything", "") == []


@pytest.mark.parametrize("at", [PIECE - 3, PIECE - 1, PIECE, 2 * PIECE - 2])
def test_a_place_may_lie_across_two_pieces(at):
    text = "." * at + "needle" + "." * PIECE
    assert all_places(text, "needle") == [at]
    assert all_places(text.encode(), b"NEEDLE") == [at]


def test_it_rests_after_each_piece_and_ends_where_there_are_too_many():
    assert list(places("." * (3 * PIECE), "x", case=True)) == [None, None, None]
    assert len(all_places("x" * (2 * MOST), "x")) == MOST


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("de ad", b"\xde\xad"),
        ("0xDEAD", b"\xde\xad"),
        ("0xde ad", b"\xde\xad"),
        (" 0a  0D ", b"\n\r"),
        ("dead", None),
        ("de a", None),
        ("0xabc", None),
        ("READ", None),
    ],
)
def test_pairs_of_hex_digits_are_bytes(typed, wanted):
    assert bytes_wanted(typed) == wanted
