"""What is sent, how often, and when."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from app.sending import delivery as sending
from app.sending import errors
from app.sending.contents import MAX_DATA, content, problem
from app.sending.conversation import Closed, Connecting, Open
from app.sending.delivery import Sending, silence
from app.signal import Signal
from app.text.errors import TemplateError


class Line:
    """Stands for a conversation that connects at once."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.status: Any = Connecting("peer")
        self.received: Signal[bytes] = Signal()
        self.status_changed: Signal[Any] = Signal()
        self.sent: list[bytes] = []
        self.held: Deferred[None] | None = None
        self.holding = False
        self._refuses = refuses

    @property
    def closed(self) -> Closed | None:
        return self.status if isinstance(self.status, Closed) else None

    async def connect(self) -> Any:
        self.status = Closed("refused.", True) if self._refuses else Open("peer")
        return self.status

    def send(self, data: bytes, *, binary: bool = False) -> Deferred[None]:
        self.sent.append(data)
        done: Deferred[None] = Deferred()
        if self.holding:
            self.held = done
        else:
            done.callback(None)
        return done

    def end(self, reason: str = "Closed by peer.", *, failed: bool = False) -> None:
        self.status = Closed(reason, failed)
        self.status_changed.emit(self)
        held, self.held = self.held, None
        if held is not None:
            held.callback(None)

    def abort(self) -> None:
        self.end("Closed by us.")


class Bench:
    def __init__(self, times: int = 1, every: float = 0.0, what: Any = None, **more: Any) -> None:
        self.clock = Clock()
        self.lines: list[Line] = []
        self.refuses = more.pop("refuses", False)
        self.sending = Sending(self.clock, self._open, what or (lambda n: b"%d" % n), times, every)  # type: ignore[arg-type]
        self.done = Deferred.fromCoroutine(self.sending.run())

    def _open(self) -> Line:
        self.lines.append(Line(refuses=self.refuses))
        return self.lines[-1]

    @property
    def sent(self) -> list[bytes]:
        return [data for line in self.lines for data in line.sent]


def test_a_message_is_sent_once() -> None:
    bench = Bench()
    assert bench.sent == [b"1"]
    assert bench.sending.done
    assert not bench.clock.getDelayedCalls()


def test_messages_keep_their_beat() -> None:
    bench = Bench(times=3, every=0.5)
    assert bench.sent == [b"1"]
    bench.clock.advance(0.4)
    assert bench.sent == [b"1"]
    bench.clock.advance(0.1)
    assert bench.sent == [b"1", b"2"]
    bench.clock.advance(0.5)
    assert bench.sending.done
    assert len(bench.lines) == 1


def test_beats_that_were_missed_are_not_made_up_for() -> None:
    bench = Bench(times=0, every=0.1)
    bench.clock.advance(10)
    assert len(bench.sent) == 3  # the one that was late, and the one that is due now
    bench.clock.advance(0.05)
    assert len(bench.sent) == 3
    bench.sending.stop()


def test_others_get_their_turn_while_many_are_sent() -> None:
    bench = Bench(times=1000)
    assert len(bench.sent) == sending.BURST
    for _ in range(40):
        bench.clock.advance(0)
    assert len(bench.sent) == 1000


def test_paused_it_sends_no_more_until_it_may_go_on() -> None:
    bench = Bench(times=3, every=1)
    bench.sending.pause()
    bench.clock.advance(5)
    assert (len(bench.sent), bench.sending.paused) == (1, True)
    bench.sending.resume()
    assert (len(bench.sent), bench.sending.paused) == (2, False)
    bench.clock.advance(1)
    assert bench.sending.done


@pytest.mark.parametrize("paused", [False, True])
def test_stopped_it_ends_at_once(paused: bool) -> None:
    bench = Bench(times=0, every=1)
    if paused:
        bench.sending.pause()
        bench.clock.advance(1)
    bench.sending.stop()
    assert bench.sending.done
    assert bench.sent == [b"1"]
    assert not bench.clock.getDelayedCalls()


def test_stopped_it_gives_up_what_is_on_its_way() -> None:
    bench = Bench(times=0, every=1)
    bench.lines[0].holding = True
    bench.clock.advance(1)
    assert len(bench.sent) == 2
    bench.sending.stop()
    assert bench.sending.done
    assert bench.lines[0].closed is not None


def test_it_connects_again_where_the_peer_closed_in_good_order() -> None:
    bench = Bench(times=2, every=1)
    bench.lines[0].end()
    bench.clock.advance(1)
    assert [line.sent for line in bench.lines] == [[b"1"], [b"2"]]
    assert bench.sending.reason == ""


def test_it_ends_where_the_connection_failed() -> None:
    bench = Bench(times=2, every=1)
    bench.lines[0].holding = True
    bench.clock.advance(1)
    bench.lines[0].end("Reset.", failed=True)
    assert (bench.sending.done, bench.sending.reason, bench.sending.sent) == (True, "Reset.", 1)


def test_it_ends_where_nobody_takes_it() -> None:
    bench = Bench(times=5, refuses=True)
    assert (bench.sending.done, bench.sending.reason, bench.sending.sent, bench.sent) == (True, "refused.", 0, [])


def test_a_template_that_fails_ends_it() -> None:
    def broken(number: int) -> bytes:
        raise TemplateError(reason="this is wrong", position=3)

    bench = Bench(times=5, what=broken)
    assert bench.sending.reason == "At character 3: this is wrong."


# -- silence


def test_silence_ends_when_nothing_comes_for_so_long() -> None:
    clock, line = Clock(), Line()
    line.status = Open("peer")
    waiting = Deferred.fromCoroutine(silence(clock, line, 1.0))  # type: ignore[arg-type]
    clock.advance(0.9)
    line.received.emit(b"x")
    clock.advance(0.9)
    assert not waiting.called
    clock.advance(0.2)
    assert waiting.called


def test_silence_ends_with_the_conversation() -> None:
    clock, line = Clock(), Line()
    line.status = Open("peer")
    waiting = Deferred.fromCoroutine(silence(clock, line, 1.0))  # type: ignore[arg-type]
    line.end()
    assert waiting.called
    assert not clock.getDelayedCalls()
    line.received.emit(b"late")


# -- what is sent


def test_each_form_has_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"\0file")
    assert content("text", r"a\n", tmp_path)(1) == b"a\n"
    assert content("hex", "41 42", tmp_path)(1) == b"AB"
    assert content("file", "f", tmp_path)(1) == b"\0file"
    template = content("template", r"{{number}}{{counter}}\n", tmp_path)
    first, second = template(1), template(2)
    assert (first[:1], second[:1]) == (b"1", b"2")
    assert int(second[1:]) == int(first[1:]) + 1


@pytest.mark.parametrize("name", ["none", ".", "a\0b"])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(errors.DataUnreadableError, match="Cannot read"):
        content("file", name, tmp_path)


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(MAX_DATA + 1)
    with pytest.raises(errors.TooLargeError):
        content("file", "large", tmp_path)


def test_what_is_wrong_is_said_as_it_is_typed() -> None:
    assert problem("text", "fine") is problem("hex", "41") is problem("template", "{{uuid}}") is None
    assert problem("file", "x") is None
    assert "not an escape" in (problem("text", r"\q") or "")
    assert "pairs of digits" in (problem("hex", "4") or "")
    assert "missing" in (problem("template", "{{") or "")
