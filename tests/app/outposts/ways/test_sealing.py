"""app.outposts.ways.noise and app.outposts.ways.sealing: the handshake, and what is refused after it."""

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.outposts.errors import RefusedError
from app.outposts.ways import sealing
from app.outposts.ways.keys import Key
from app.outposts.ways.noise import Handshake, NotGenuineError
from app.outposts.ways.sealing import SealedAnswers, SealedQuestions

PI, DESK = Key(b"p" * 32), Key(b"d" * 32)


def private(number):
    return X25519PrivateKey.from_private_bytes(bytes([number]) * 32)


def public(number):
    return private(number).public_key().public_bytes_raw()


def ends(prologue=b"lab"):
    console = Handshake(private(1), public(2), first=True, prologue=b"lab", ephemeral=private(3))
    return console, Handshake(private(2), public(1), first=False, prologue=prologue, ephemeral=private(4))


def test_the_handshake_is_that_of_the_noise_framework():
    """The bytes that noiseprotocol 0.3.1, which is not ours, makes of the same keys."""
    console, outpost = ends()
    first = console.write(b"one")
    assert first.hex() == (
        "5dfedd3b6bd47f6fa28ee15d969d5bb0ea53774d488bdaf9df1c6e0124b3ef22c54bc51116ce153e357c6a83d5c2bdba3a1c92"
    )
    assert outpost.read(first) == b"one"
    second = outpost.write(b"two")
    assert second.hex() == (
        "ac01b2209e86354fb853237b5de0f4fab13c7fcbf433a61c019369617fecf10bdebe498fae240458b3094713e8c6d0ed5496fe"
    )
    assert console.read(second) == b"two"
    assert console.ciphers()[0].seal(0, b"three").hex() == "9050191ce66102a8b6422b6462e4b5b2dca392dbe2"
    assert outpost.ciphers()[0].seal(0, b"four").hex() == "784e2bf798e6517a6a62cc861e5cadc068c7292a"


@pytest.mark.parametrize("message", [b"", bytes(47), bytes(48), bytes(32) + b"x" * 16, b"x" * 100])
def test_a_message_that_is_none_is_refused(message):
    _, outpost = ends()
    with pytest.raises(NotGenuineError):
        outpost.read(message)


def test_both_must_agree_on_the_prologue():
    console, outpost = ends(b"another lab")
    with pytest.raises(NotGenuineError):
        outpost.read(console.write())


@pytest.fixture
def met():
    outpost = SealedAnswers("pi-3", PI, {"desk": DESK.public})
    console = SealedQuestions("pi-3", DESK, PI.public)
    console.opened(outpost.open(console.opening))
    return outpost, console


def test_questions_and_answers_are_opened_by_the_other_end(met):
    outpost, console = met
    for text in (b"first", b"", b"x" * 100_000):
        call, question = console.seal(text)
        frame, who, answering = outpost.opened(call)
        assert (frame, who) == (text, "desk")
        assert question.open(answering.seal(b"answer to " + text)) == b"answer to " + text


def test_what_is_repeated_changed_or_of_nobody_is_refused(met):
    outpost, console = met
    earlier, _ = console.seal(b"earlier")
    call, _ = console.seal(b"stop")
    for changed in (call[:-1] + bytes([call[-1] ^ 1]), call[:15] + b"\x00" + call[16:-1], call[:16], call[:3], b""):
        with pytest.raises(RefusedError):
            outpost.opened(changed)
    assert outpost.opened(call)[0] == b"stop"
    for again in (call, earlier):  # kept back, and repeated
        with pytest.raises(RefusedError, match="repeated"):
            outpost.opened(again)
    with pytest.raises(RefusedError, match="not known here"):
        outpost.opened(b"another!" + call[8:])


def test_an_answer_is_that_of_its_question(met):
    outpost, console = met
    one, asked_one = console.seal(b"one")
    two, asked_two = console.seal(b"two")
    answer_one, answer_two = (outpost.opened(call)[2].seal(b"done") for call in (one, two))
    with pytest.raises(NotGenuineError):
        asked_one.open(answer_two)
    assert asked_one.open(answer_one) == asked_two.open(answer_two) == b"done"


def test_a_console_that_is_not_known_is_refused():
    outpost = SealedAnswers("pi-3", PI, {"desk": DESK.public})
    for console in (SealedQuestions("pi-3", PI, PI.public), SealedQuestions("pi-4", DESK, PI.public)):
        with pytest.raises(RefusedError, match="does not know the console"):
            outpost.open(console.opening)


def test_sessions_are_bounded(met, monkeypatch):
    monkeypatch.setattr(sealing, "MOST_SESSIONS", 2)
    outpost, console = met
    for _ in range(2):
        outpost.open(SealedQuestions("pi-3", DESK, PI.public).opening)
    with pytest.raises(RefusedError, match="not known here"):
        outpost.opened(console.seal(b"late")[0])
