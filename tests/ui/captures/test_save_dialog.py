"""The dialog that saves a copy of a capture."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot
from twisted.internet import defer, threads

from app.capture.keeping.saving import Saving
from tests.app.capture.captures import event, make, payloads
from ui.captures.save_dialog import SaveDialog
from ui.parts.progress_line import ProgressLine, Work


def at_once(call: Callable[..., Any], *args: Any) -> defer.Deferred[Any]:
    return defer.maybeDeferred(call, *args)


def in_thread(call: Callable[..., Any], *args: Any) -> defer.Deferred[Any]:
    from twisted.internet import reactor

    return threads.deferToThreadPool(reactor, reactor.getThreadPool(), call, *args)  # type: ignore[attr-defined]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make(tmp_path / "x.lpost", event(b"Cookie: a=1\r\n", conn=1), event(b"token=7", conn=1))


@pytest.fixture
def dialog(qtbot: QtBot, dark: None, source: Path) -> SaveDialog:
    made = SaveDialog(source, "size > 8", at_once)
    qtbot.addWidget(made)
    made.show()
    return made


def test_it_saves_what_is_chosen_and_says_so(dialog: SaveDialog, tmp_path: Path) -> None:
    dialog.redacted.setChecked(True)
    dialog.patterns.setPlainText("token=(.)\n\n")
    dialog.save(tmp_path / "y.lpost")
    assert payloads(tmp_path / "y.lpost") == [b"Cookie: ***\r\n", b"token=*"]
    assert dialog.words.text().startswith("Saved 2 events, ")
    assert dialog.save_button.isVisible()


def test_each_choice_is_what_it_says(dialog: SaveDialog) -> None:
    assert dialog.choices() == Saving()
    dialog.bare.setChecked(True)
    assert dialog.choices() == Saving(payloads=False)
    dialog.redacted.setChecked(True)
    assert dialog.choices() == Saving(payloads=False, redacted=True)
    dialog.filtered.setChecked(True)
    assert dialog.choices().where.values == (8,)


def test_a_pattern_that_is_none_is_said_before_anything_is_saved(dialog: SaveDialog) -> None:
    dialog.redacted.setChecked(True)
    dialog.patterns.setPlainText("fine\n(")
    assert dialog.words.text().startswith("Pattern 2 is not a regular expression")
    assert not dialog.save_button.isEnabled()
    dialog.redacted.setChecked(False)
    assert dialog.save_button.isEnabled()


def test_what_redaction_cannot_see_is_said_where_it_is_chosen(dialog: SaveDialog) -> None:
    assert not dialog.limits.isVisible()
    dialog.redacted.setChecked(True)
    assert "compressed" in dialog.limits.text()
    assert dialog.limits.isVisible()


def test_without_a_filter_none_is_offered(qtbot: QtBot, source: Path) -> None:
    dialog = SaveDialog(source, "  ", at_once)
    qtbot.addWidget(dialog)
    dialog.show()
    assert not dialog.filtered.isVisible()


def test_what_does_not_work_is_said_in_the_dialog(dialog: SaveDialog, source: Path) -> None:
    dialog.save(source)
    assert dialog.words.text().endswith("is the capture that you are saving. Choose another name.")
    assert dialog.words.property("role") == "error"


def test_closing_while_it_saves_cancels_and_leaves_nothing(qtbot: QtBot, dark: None, tmp_path: Path) -> None:
    source = make(tmp_path / "big.lpost", *(event(b"x" * 4000) for _ in range(10_000)))
    begun, go_on = threading.Event(), threading.Event()

    def in_thread_that_waits(call: Callable[..., Any], progress: Callable[..., Any], *args: Any) -> defer.Deferred[Any]:
        def told(done: int, of: int) -> None:
            progress(done, of)
            begun.set()
            go_on.wait(60)

        return in_thread(call, told, *args)

    dialog = SaveDialog(source, "", in_thread_that_waits)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.redacted.setChecked(True)
    dialog.save(tmp_path / "y.lpost")
    qtbot.waitUntil(begun.is_set)
    assert dialog.progress.isVisible()
    assert len(list(tmp_path.iterdir())) > 1
    dialog.reject()
    go_on.set()
    assert dialog.isVisible()
    qtbot.waitUntil(lambda: dialog.words.text() == "Cancelled. Nothing was saved.")
    assert [path.name for path in tmp_path.iterdir()] == ["big.lpost"]
    dialog.reject()
    assert not dialog.isVisible()


def test_the_line_shows_how_far_it_is_and_goes_at_the_end(qtbot: QtBot) -> None:
    result: defer.Deferred[int] = defer.Deferred()
    given: list[Any] = []

    def later(call: Callable[..., Any], *args: Any) -> defer.Deferred[int]:
        given.extend(args)
        return result

    line = ProgressLine()
    qtbot.addWidget(line)
    line.follow(Work(later, lambda progress, cancelled: None), "Saving x")
    assert (line.words.text(), line.bar.maximum()) == ("Saving x", 0)
    given[0](1, 4)
    line._look()
    assert (line.words.text(), line.bar.value()) == ("Saving x  25%", 250)
    line.cancel_button.click()
    assert given[1]()
    result.callback(3)
    assert line.isHidden()
    assert line.work is None
