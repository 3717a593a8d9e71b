"""app.capture.reading.batches: events as another program reads them, one batch after the other."""

import pytest

from app.capture.reading import batches
from app.capture.reading.store import Store
from tests.app.capture.captures import event, make


@pytest.mark.parametrize(("size", "bound"), [(1, 1 << 20), (1, 100), (1000, 50_000), (1000, 500), (300, 1 << 20)])
def test_batches_follow_each_other_and_keep_to_their_bytes(tmp_path, size, bound):
    payloads = [bytes([number % 256]) * size for number in range(400)]
    store = Store(make(tmp_path / "x.lpost", *map(event, payloads)))
    found, longest = [], 0
    while batch := batches.batch(store, len(found), bound, 1 << 20):
        found += batch
        longest = max(longest, sum(len(one.payload) for one in batch))
    store.close()
    assert [one.payload for one in found] == payloads
    assert [one.id for one in found] == list(range(1, 401))
    assert longest <= max(bound, size)
    assert longest == min(400 * size, max(bound // size * size, size))


def test_a_batch_has_no_more_events_than_it_may(tmp_path, monkeypatch):
    monkeypatch.setattr(batches, "MOST", 100)
    store = Store(make(tmp_path / "x.lpost", *[event() for _ in range(400)]))
    assert len(batches.batch(store, 7, 1 << 20, 1 << 20)) == 100
    store.close()
