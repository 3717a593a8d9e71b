"""What the tests of the window share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.capture.reader import Reader
from tests.ui.desk import Capture, InstantReader, settle
from ui import theme

MILLION = 1_000_000


@pytest.fixture
def dark(qapp: QApplication) -> None:
    theme.apply(qapp, theme.DARK)


@pytest.fixture(scope="session")
def million(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capture of a million events of two services; each thousandth says needle."""
    capture = Capture(tmp_path_factory.mktemp("million") / "million.lpost")
    batch = 50_000
    for start in range(0, MILLION, batch):
        names = [b"needle" if i % 1000 == 0 else b"straw %d" % i for i in range(start, start + batch)]
        capture.add(names, service=1 + (start // batch) % 2)
    capture.close()
    return capture.path


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
