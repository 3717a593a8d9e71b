"""What the tests of the window share."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partialmethod
from pathlib import Path

import pytest
from PyQt5 import sip
from PyQt5.QtCore import QEvent
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.capture.reading.reader import Reader
from app.post import Post
from app.services.config import ServiceConfig
from app.workspace.reading import Workspace
from tests.ui.desk import Capture, InstantReader, config, memory_post, settle
from ui.looks import theme
from ui.settings import Settings
from ui.window.main_window import MainWindow

Open = Callable[..., MainWindow]

MILLION = 1_000_000

PATIENCE = 60_000
"""Milliseconds to wait for what is to happen: how soon it does is not what these tests are about."""


class Patient(QtBot):
    """pytest-qt's, which would give up after 5 s: a busy machine may take longer."""

    waitUntil = partialmethod(QtBot.waitUntil, timeout=PATIENCE)
    waitSignal = partialmethod(QtBot.waitSignal, timeout=PATIENCE)
    waitSignals = partialmethod(QtBot.waitSignals, timeout=PATIENCE)
    waitActive = partialmethod(QtBot.waitActive, timeout=PATIENCE)
    waitExposed = partialmethod(QtBot.waitExposed, timeout=PATIENCE)


@pytest.fixture
def qtbot(qapp: QApplication, request: pytest.FixtureRequest) -> QtBot:
    return Patient(request)


@pytest.fixture(autouse=True)
def looks_as_before() -> Iterator[None]:
    """Delete what a test has closed, then give back the theme and the size of text that it may have changed.

    In this order: all that is still there is polished again, for this stylesheet and those of the tests after it.
    Then the stylesheet is taken away, with which each window takes twice as long to make. Qt may crash when parts of
    windows are still there: then it stays until they are gone.
    """
    before = theme.notifier.theme, theme.notifier.fonts
    yield
    # Windows alone: where a slot has resumed the test, its sender may be among what is to be deleted.
    for window in QApplication.topLevelWidgets():
        if not sip.isdeleted(window):  # with one before it, to which it belonged
            QApplication.sendPostedEvents(window, QEvent.DeferredDelete)
    application = QApplication.instance()
    if isinstance(application, QApplication):
        if (theme.notifier.theme, theme.notifier.fonts) != before:
            theme.apply(application, *before)
        if application.styleSheet() and not application.allWidgets():
            application.setStyleSheet("")


@pytest.fixture
def dark(qapp: QApplication) -> None:
    """The stylesheet: for tests of how something looks, and of how much room it takes."""
    theme.apply(qapp, theme.DARK)


@pytest.fixture(scope="session")
def million(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capture of a million events of two services; each thousandth says needle.

    It is made once, by the first process of the run that asks for it. All read it, and nobody writes to it.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # that of all processes of this run
    path = folder / "million.lpost"
    with (folder / "million.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            _write_million(Capture(folder / "million.unfinished"), path)
    return path


def _write_million(capture: Capture, path: Path) -> None:
    """The writer makes the file and its first event, SQL the others: a writer takes ten times as long for them."""
    first = capture.add([b"needle"])
    capture.close()
    with closing(sqlite3.connect(capture.path)) as db:
        db.execute("PRAGMA synchronous = OFF")
        db.execute(_OTHERS, (first.last, MILLION - 1))
        db.execute("UPDATE batch SET last = ?", (MILLION,))
        db.execute("UPDATE meta SET value = ? WHERE key = 'events'", (MILLION,))
        db.commit()
    capture.move(path)


_OTHERS = """
WITH RECURSIVE n(i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2),
said(i, payload) AS (SELECT i, CASE WHEN i % 1000 THEN 'straw ' || i ELSE 'needle' END FROM n),
one AS (SELECT time, kind FROM stored WHERE id = 1)
INSERT INTO stored (id, time, kind, service, size, payload)
SELECT i + 1, one.time + i * 1000000, one.kind, 1 + i / 50000 % 2, length(payload), CAST(payload AS BLOB)
FROM said, one
"""


@pytest.fixture
def capture(tmp_path: Path) -> Iterator[Capture]:
    capture = Capture(tmp_path / "test.lpost")
    yield capture
    capture.close()


@pytest.fixture
def reader(capture: Capture, qtbot: QtBot) -> Iterator[InstantReader]:
    """Reads ``capture`` and answers at once."""
    reader = InstantReader(capture.path)
    yield reader
    reader.held.clear()
    settle()
    reader.close()


@pytest.fixture
def threaded(qtbot: QtBot) -> Iterator[Callable[[Path], Reader]]:
    """Makes real readers, which answer from their threads."""
    from twisted.internet import reactor

    made: list[Reader] = []

    def make(path: Path) -> Reader:
        made.append(Reader(path, reactor.callFromThread))
        return made[-1]

    yield make
    for one in made:
        one.close()
    settle()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "window.ini")


@pytest.fixture
def open_window(threaded: Callable[[Path], Reader], settings: Settings, qtbot: QtBot, tmp_path: Path) -> Iterator[Open]:
    """Opens windows, by default on a Post in memory with two services."""
    made: list[MainWindow] = []

    def settle_changes(window: MainWindow) -> None:
        window.files._saved = window.edits.state  # nobody is there to answer
        window.files._pages = None
        window.files.settled = lambda *_, **__: True  # type: ignore[method-assign]

    def open_(*configs: ServiceConfig, post: Post | None = None, path: Path | None = None) -> MainWindow:
        opened = Workspace(configs or (config("alpha"), config("beta", 9008)))
        post = post or memory_post(*opened.services)[0]
        reader = threaded(path or tmp_path / "none.lpost")
        window = MainWindow(post, reader, settings, opened, "Demo")
        qtbot.addWidget(window, before_close_func=settle_changes)
        with qtbot.waitActive(window):
            window.show()
        made.append(window)
        return window

    yield open_
    for window in made:
        window.bridge.close()


@pytest.fixture
def window(open_window: Open) -> MainWindow:
    return open_window()
