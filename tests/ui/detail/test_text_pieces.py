"""Pieces of text: joined, they are the whole text."""

from __future__ import annotations

import pytest

from ui.detail.text_pieces import MAX_LINE, PIECE, pieces


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"a\n\nb\n",
        b"\n" * 5000,
        b"a" * (PIECE // 8 - 1) + b"\n",
        (b"a" * (PIECE // 8 - 1) + b"\n") * 8,
        (b"a" * (PIECE // 8 - 1) + b"\n") * 8 + b"b",
        (b"b" * 1000 + b"\n") * 50,
        b"\xff\xe2\x82" * 9000,
    ],
)
def test_pieces_put_together_are_the_whole(data: bytes) -> None:
    whole = "\n".join(pieces(data))
    joined = whole.replace("\n", "") if b"\n" not in data else whole
    assert joined == data.decode("utf-8", "backslashreplace")
    assert max(map(len, whole.split("\n"))) <= MAX_LINE


def test_characters_are_not_torn_between_pieces() -> None:
    assert "".join(pieces("€".encode() * 20_000)).replace("\n", "") == "€" * 20_000
