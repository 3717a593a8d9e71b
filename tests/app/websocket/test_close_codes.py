"""Close codes in words."""

from __future__ import annotations

import pytest

from app.websocket.close_codes import meaning


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1000, "Normal closure: "),
        (1006, "Abnormal closure: the connection was lost without a close frame"),
        (1009, "Message too big: "),
        (999, "not used"),
        (2999, "reserved for WebSocket itself"),
        (3500, "for libraries"),
        (4000, "for private use"),
        (5000, "not a close code"),
    ],
)
def test_every_code_means_something(code: int, words: str) -> None:
    assert meaning(code).startswith(words)
