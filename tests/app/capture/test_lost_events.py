"""app.capture.lost_events."""

from __future__ import annotations

import json

from app.capture.lost_events import MAX_REASONS, OTHERWISE, Loss, Losses


def test_losses_of_one_reason_are_one_until_they_are_told() -> None:
    losses = Losses()
    losses.count(2, 10, 20, "full")
    losses.count(3, 5, 15, "full")
    losses.count(1, 30, 30, "late")
    assert losses
    assert losses.take() == (Loss(5, 5, 20, "full"), Loss(1, 30, 30, "late"))
    assert not losses
    losses.count(1, 40, 40, "full")
    assert losses.take() == (Loss(1, 40, 40, "full"),)
    assert (losses.total, losses.told, losses.because) == (7, 3, {"full": 6, "late": 1})


def test_what_was_told_by_events_that_were_lost_is_told_again() -> None:
    losses = Losses()
    losses.count(2, 10, 20, "full")
    taken = losses.take()
    losses.count(1, 30, 40, "full")
    losses.put_back(taken)
    assert losses.take() == (Loss(3, 10, 40, "full"),)
    assert losses.total == 3


def test_reasons_are_bounded() -> None:
    losses = Losses()
    for number in range(MAX_REASONS + 5):
        losses.count(1, 0, 0, f"reason {number}")
    assert len(losses.because) == MAX_REASONS + 1
    assert losses.because[OTHERWISE] == 5
    assert losses.take()[-1] == Loss(5, 0, 0, OTHERWISE)


def test_the_event_says_how_many_when_and_why() -> None:
    summary, detail = Loss(1234, 0, 10**9, "full").recorded()
    assert summary == "1,234 events were lost: full"
    assert json.loads(detail) == {
        "count": 1234, "from": "1970-01-01T00:00:00.000000000Z", "until": "1970-01-01T00:00:01.000000000Z",
        "why": "full",
    }  # fmt: skip
    assert Loss(1, 0, 0, "full").recorded()[0] == "1 event was lost: full"
