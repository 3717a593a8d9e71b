"""app.capture.writing.batch: what is sent is what is read, large payloads apart."""

from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st

from app.capture.writing.batch import FIELDS, HEADER, SAME, Frame, read
from tests.app.capture.captures import event

PAYLOADS = st.lists(st.one_of(st.none(), st.just(SAME), st.binary(max_size=20)), max_size=20)
SERVICES = st.one_of(st.none(), st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=3))


def framed(sequence, services, payloads, large_from=10):
    """The frame of such events; what has ``large_from`` bytes goes apart, as the recorder does it."""
    large, flat = [], []
    for payload in payloads:
        if isinstance(payload, bytes) and len(payload) >= large_from:
            large.append(payload)
            payload = len(payload)
        flat += event(payload)
    return Frame.of((sequence, services, flat), large)


def sent(frame):
    return b"".join(frame.parts())


@given(st.lists(st.tuples(st.integers(1, 9), SERVICES, PAYLOADS), max_size=4))
def test_batches_come_back_one_after_the_other(batches):
    source = BytesIO(b"".join(sent(framed(*batch)) for batch in batches))
    back = []
    while (batch := read(source)) is not None:
        sequence, services, flat = batch
        back.append((sequence, services, flat[5::FIELDS]))
    assert back == batches


@given(PAYLOADS, st.data())
def test_a_batch_that_is_cut_off_is_none(payloads, data):
    whole = sent(framed(1, None, payloads))
    cut = data.draw(st.integers(0, len(whole) - 1))
    assert read(BytesIO(whole[:cut])) is None


@given(PAYLOADS)
def test_its_size_is_that_of_what_is_sent_without_the_lengths(payloads):
    frame = framed(1, None, payloads)
    assert frame.size == len(sent(frame)) - HEADER.size


@given(PAYLOADS)
def test_a_new_writer_is_told_the_services_and_gets_the_same_events(payloads):
    old = framed(7, None, payloads)
    new = old.with_services([("echo", "tcp")])
    sequence, services, flat = read(BytesIO(sent(new)))
    assert (sequence, services, flat[5::FIELDS]) == (7, [("echo", "tcp")], payloads)
    assert new.size == len(sent(new)) - HEADER.size
