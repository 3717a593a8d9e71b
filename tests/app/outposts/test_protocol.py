"""app.outposts.protocol."""

import msgspec
import pytest

from app.outposts import frames
from app.outposts import protocol as p
from app.outposts.errors import RefusedError


def frame(ask, id=7):
    return frames.encode({"id": id, "ask": ask})


@pytest.mark.parametrize(
    "request_",
    [
        p.Hello(1, "desk"), p.Read(after=3, capture="ab"), p.Payload(3, 7), p.Status(), p.Start(("a", "b")), p.Stop(),
        p.SwitchFault("late", "once"), p.Connections("a"), p.Send(3, b"\0\xff"), p.Disconnect(3, abort=True),
        p.Put("[[service]]"), p.Put("[[service]]", start=False, keep=True), p.Remove("a"), p.Configuration("a"),
    ],
    ids=lambda request: p.name_of(type(request)),
)  # fmt: skip
def test_a_request_comes_out_as_it_went_in(request_):
    assert frames.asked(frame(request_)) == frames.Asked(7, request_)


def test_every_request_declares_what_it_needs_and_its_answer():
    for request in p.REQUESTS:
        assert request.level in p.LEVELS
        assert issubclass(request.answer, msgspec.Struct)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        ({"do": "shutdown"}, "Invalid value 'shutdown'"),
        ({"do": "read", "after": -1}, ">= 0"),
        ({"do": "read", "after": True}, "got `bool`"),
        ({"do": "read", "max_bytes": 1 << 40}, "<= "),
        ({"do": "read", "seconds": 1e9}, "<= 10.0"),
        ({"do": "read", "unknown": 1}, "unknown field `unknown`"),
        ({"do": "send", "connection": 1, "data": "text"}, "Expected `bytes`"),
        ({"do": "send", "connection": 1, "data": b""}, "length >= 1"),
        ({"do": "start", "services": ["x" * 201]}, "length <= 200"),
        ({"do": "start", "services": ["x"] * 1001}, "length <= 1000"),
        ({"do": "fault", "name": "x", "to": "maybe"}, "Invalid enum value 'maybe'"),
        ({}, "missing required field `do`"),
        ([], "Expected `object`"),
    ],
)
def test_a_request_that_is_wrong_is_answered_with_what_is_wrong(ask, words):
    answer = frames.asked(frame(ask))
    assert isinstance(answer, frames.Answered)
    assert answer.to == 7
    assert words in answer.refused


@pytest.mark.parametrize(
    "data", [b"", b"\xc1", b"\x91" * 100_000, b"\xdd\x7f\xff\xff\xff", frames.encode([1]), b"GET / HT"]
)
def test_what_is_no_request_is_refused(data):
    with pytest.raises(RefusedError):
        frames.asked(data)


@pytest.mark.parametrize(
    "answer", [{}, {"services": 3}, {"services": [{"name": 1}]}, [], None], ids=["none", "type", "deep", "list", "null"]
)
def test_an_answer_that_is_wrong_is_refused(answer):
    answered = frames.answered(frames.encode({"to": 1, "answer": answer}))
    with pytest.raises(RefusedError, match="services is wrong"):
        frames.answer_to(p.Status(), answered)


def test_a_refusal_is_raised_in_its_words():
    answered = frames.answered(frames.encode(frames.Answered(1, refused="not today")))
    with pytest.raises(RefusedError, match="not today"):
        frames.answer_to(p.Status(), answered)


def test_a_refusal_in_the_words_of_an_error_has_one_full_stop():
    answered = frames.answered(frames.encode(frames.Answered(1, refused=str(RefusedError(reason="not today")))))
    with pytest.raises(RefusedError, match=r"^not today\.$"):
        frames.answer_to(p.Status(), answered)


def test_what_a_newer_outpost_adds_to_an_answer_is_passed_over():
    answered = frames.answered(frames.encode({"to": 1, "answer": {"words": "done", "mood": "good"}, "later": 1}))
    assert frames.answer_to(p.Remove("a"), answered) == p.Done("done")
