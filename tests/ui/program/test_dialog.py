"""The dialog This program, and the metrics in the settings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from twisted.internet.defer import Deferred

from app.metrics.serving import DEFAULT, MetricsServer
from app.program import objects
from tests.ui.conftest import Open
from tests.ui.desk import do, memory_post, settle
from ui.program import dialog as dialog_module
from ui.program.dialog import ProgramDialog
from ui.program.listing import Listing
from ui.settings import Settings
from ui.settings_dialog import SettingsDialog


@pytest.fixture
def dialog(qtbot: QtBot) -> Iterator[ProgramDialog]:
    post, _ = memory_post()
    made = ProgramDialog(post)
    with qtbot.waitExposed(made):
        made.show()
    yield made
    objects.record_deferreds(False)
    dialog_module.TRACING.turn(False)
    made.close()
    post.recorder.abandon()


def rows(listing: Listing) -> list[list[str]]:
    return [line.split("\t") for line in listing.text().splitlines()[1:]]


def test_figures_stand_beside_what_they_were_at_the_mark(dialog: ProgramDialog) -> None:
    for call in range(5):
        dialog._post.sender.reactor.callLater(100 + call, lambda: None)
    dialog.refresh()
    found = {name: (now, before, change) for name, now, before, change in rows(dialog.figures)}
    assert int(found["Delayed calls"][2]) == 5
    assert found["Memory"][0].endswith(" MB")
    dialog.set_mark()
    assert rows(dialog.figures)[5][3] == "0"


def test_reads_them_only_while_it_can_be_seen(dialog: ProgramDialog) -> None:
    assert dialog._timer.isActive()
    dialog.hide()
    assert not dialog._timer.isActive()


def test_what_has_grown_since_the_mark_is_counted_when_asked_for(dialog: ProgramDialog) -> None:
    held = [Deferred[None]() for _ in range(700)]
    dialog.count()
    name, _, change = next(row for row in rows(dialog.objects) if row[0].endswith(".Deferred"))
    assert name == "twisted.internet.defer.Deferred"
    assert int(change) >= len(held)
    assert any(where == "(not recorded)" and int(number) >= len(held) for where, number in rows(dialog.deferreds))
    assert dialog.waiting.text().endswith(" Deferreds are waiting.")


def test_deferreds_are_named_by_where_they_were_made(dialog: ProgramDialog) -> None:
    dialog.recording.click()
    held = Deferred[None]()
    dialog.count()
    assert any(row[0].endswith("test_deferreds_are_named_by_where_they_were_made") for row in rows(dialog.deferreds))
    dialog.recording.click()
    assert not objects.records_deferreds()
    held.callback(None)


def test_memory_is_traced_while_that_is_wanted(dialog: ProgramDialog, qtbot: QtBot) -> None:
    dialog.tracing.click()
    held = [bytes(5000) for _ in range(300)]
    dialog.count()
    qtbot.waitUntil(lambda: any("program/test_dialog.py" in row[0] for row in rows(dialog.memory)))
    dialog.tracing.click()
    assert rows(dialog.memory) == []
    assert len(held) == 300


def test_all_of_it_is_copied_as_text(dialog: ProgramDialog) -> None:
    dialog.copy()
    text = QApplication.clipboard().text()
    assert text.startswith("Mark: ")
    assert "Delayed calls\t" in text
    assert "Type\tNow\tChange" in text


# The offscreen platform says so of every window that is to come to the front.
@pytest.mark.qt_log_ignore(r"^This plugin does not support raise\(\)$", extend=True)
def test_there_is_one_and_it_comes_to_the_front(open_window: Open) -> None:
    window = open_window()
    do(window, "program")
    do(window, "program")
    assert len(window.findChildren(ProgramDialog)) == 1
    window.findChild(ProgramDialog).close()
    settle()


@pytest.fixture
def server(qtbot: QtBot) -> Iterator[MetricsServer]:
    post, _ = memory_post()
    from twisted.internet import reactor

    made = MetricsServer(reactor, post)
    yield made
    stopped = Deferred.fromCoroutine(made.use(""))
    qtbot.waitUntil(lambda: stopped.called)
    post.recorder.abandon()


def test_metrics_are_served_as_the_settings_say(server: MetricsServer, settings: Settings, qtbot: QtBot) -> None:
    assert settings.metrics == ""
    dialog = SettingsDialog(settings, lambda: None, server)
    qtbot.addWidget(dialog)
    dialog.show()
    form = dialog.metrics
    assert (form.serves.isChecked(), form.address.text()) == (False, DEFAULT)
    form.address.setText("127.0.0.1:0")
    form.address.editingFinished.emit()
    form.serves.click()
    qtbot.waitUntil(lambda: bool(server.address))
    assert settings.metrics == "127.0.0.1:0"
    assert form._words.text() == f"Served at http://{server.address}/metrics"
    form.address.setText("nonsense")
    form.address.editingFinished.emit()
    assert "nonsense is not an address" in form._words.text()
    assert settings.metrics_address == "127.0.0.1:0"
    form.address.setText("203.0.113.7:9464")
    form.address.editingFinished.emit()
    qtbot.waitUntil(lambda: bool(server.problem))
    assert "is not an address of this machine" in form._words.text()
    form.serves.click()
    qtbot.waitUntil(lambda: not server.problem)
    assert (settings.metrics, server.address) == ("", "")
