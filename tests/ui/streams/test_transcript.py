"""The list of messages keeps its last line in view until someone scrolls up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PyQt5.QtWidgets import QApplication

from ui.streams.transcript import Transcript

WIDE = "x" * 300


@pytest.fixture
def transcript(qapp: QApplication) -> Iterator[Transcript]:
    transcript = Transcript()
    transcript.resize(300, 120)
    transcript.show()
    qapp.processEvents()
    yield transcript
    transcript.deleteLater()


def _add(transcript: Transcript, qapp: QApplication, *lines: str) -> None:
    for line in lines:
        transcript.add("·", line)
    transcript._timer.stop()
    transcript._write()
    qapp.processEvents()


def _at_end(transcript: Transcript) -> bool:
    bar = transcript.verticalScrollBar()
    return bar.value() == bar.maximum()


def test_the_last_line_stays_in_view_when_a_horizontal_scroll_bar_appears(
    transcript: Transcript, qapp: QApplication
) -> None:
    _add(transcript, qapp, *["short"] * 20)
    assert _at_end(transcript)
    _add(transcript, qapp, WIDE)
    assert transcript.horizontalScrollBar().isVisible()
    assert _at_end(transcript)
    _add(transcript, qapp, "short")
    assert _at_end(transcript)


def test_lines_that_are_added_do_not_move_what_someone_scrolled_up_to(
    transcript: Transcript, qapp: QApplication
) -> None:
    _add(transcript, qapp, *["short"] * 20)
    transcript.verticalScrollBar().setValue(3)
    _add(transcript, qapp, WIDE, "short")
    assert transcript.verticalScrollBar().value() == 3
