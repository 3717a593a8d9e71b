"""The words of each status."""

from __future__ import annotations

import pytest

from app.http.reason_phrases import phrase


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (200, b"OK"),
        (208, b"Already Reported"),
        (413, b"Content Too Large"),
        (414, b"URI Too Long"),
        (416, b"Range Not Satisfiable"),
        (421, b"Misdirected Request"),
        (422, b"Unprocessable Content"),
        (429, b"Too Many Requests"),
        (451, b"Unavailable For Legal Reasons"),
        (511, b"Network Authentication Required"),
        (599, b"Unknown Status"),
    ],
)
def test_a_status_has_the_words_of_the_registry(status: int, words: bytes) -> None:
    assert phrase(status) == words
