"""Payloads and bodies into files."""

from __future__ import annotations

from pathlib import Path

from app import events
from app.events import Event
from tests.app.capture.captures import make, opened
from tests.app.capture.reading.test_exchange_at import turn
from tests.ui.event_samples import event
from ui.detail.saving import save_body, save_payload


def note(id: int) -> Event:
    return Event(id, 0, events.HTTP_RESPONSE, "web", 1, None, 0, "")


def test_a_payload_is_written_as_it_is(tmp_path: Path) -> None:
    assert save_payload(b"\0\xff", tmp_path / "a.bin") == ""
    assert (tmp_path / "a.bin").read_bytes() == b"\0\xff"


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    words = save_payload(b"x", tmp_path / "no" / "a.bin")
    assert words == f"Cannot save to {tmp_path / 'no' / 'a.bin'}: No such file or directory."


def test_a_body_is_saved_whole_however_little_of_it_is_shown(tmp_path: Path) -> None:
    body = bytes(range(256)) * 24_000  # more than the pages keep
    capture = make(tmp_path / "a.lpost", opened(1), *turn("/", b"1", body))
    assert save_body(capture, note(5), tmp_path / "a.bin") == ""
    assert (tmp_path / "a.bin").read_bytes() == body


def test_a_body_that_is_not_there_is_said(tmp_path: Path) -> None:
    capture = make(tmp_path / "a.lpost", opened(1))
    target = tmp_path / "a.bin"
    words = f"Nothing was saved to {target}: the body is not in the capture, or too far from its event to be found."
    assert save_body(capture, note(5), target) == words
    assert "a.lpost" in save_body(tmp_path / "none" / "a.lpost", event(), target)
    assert not target.exists()
