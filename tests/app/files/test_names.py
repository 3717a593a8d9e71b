"""Names of files that a peer has sent."""

from __future__ import annotations

import pytest

from app.files.names import LONGEST, harmless


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("cat.png", "cat.png"),
        ("Göteborg 1.txt", "Göteborg 1.txt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\a\\b.doc", "b.doc"),
        ("..", "part"),
        ("", "part"),
        (".bashrc", "bashrc"),
        ("a\x00b\n.txt", "a_b_.txt"),
        ("gnp.\u202eexe", "gnp._exe"),
        ("con.txt", "_con.txt"),
        ("a:b?.txt", "a_b_.txt"),
        ("///", "part"),
    ],
)
def test_nothing_but_a_name_is_left(sent, kept):
    assert harmless(sent, "part") == kept


def test_a_long_name_keeps_its_suffix():
    name = harmless("x" * 500 + ".jpeg", "part")
    assert len(name) == LONGEST
    assert name.endswith("x.jpeg")
