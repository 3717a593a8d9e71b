"""What is opened and closed leaves nothing behind: neither dialogs nor pages."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from PyQt5 import sip
from PyQt5.QtWidgets import QWidget

from tests.ui.conftest import Open
from tests.ui.desk import Capture, settle
from tests.ui.dialogs import NAMES, makers
from ui.settings import Settings

# Of the offscreen platform.
pytestmark = pytest.mark.qt_log_ignore(r"^This plugin does not support (raise\(\)|grabbing the keyboard)$", extend=True)

TIMES = int(os.environ.get("OPENINGS", "6"))
"""In ``make openings`` 200; what is kept once is seen here as well."""


def alive(kind: type[QWidget]) -> int:
    """How many of a class there are, with or without a part of Qt's."""
    gc.collect()
    return sum(isinstance(found, kind) for found in gc.get_objects())


@pytest.mark.parametrize("name", NAMES)
def test_a_dialog_that_was_closed_is_gone(
    name: str, open_window: Open, settings: Settings, capture: Capture, tmp_path: Path
) -> None:
    capture.add([b"x"])
    window = open_window()
    make = makers(window, settings, capture, tmp_path)[name]
    kind, below = type(make()), len(window.findChildren(QWidget))
    for _ in range(TIMES):
        dialog = make()
        dialog.show()
        settle()
        dialog.close()
        if not sip.isdeleted(dialog):
            dialog.deleteLater()
        settle()
    del dialog
    assert alive(kind) <= 1  # the first, which was never shown
    assert len(window.findChildren(QWidget)) <= below
