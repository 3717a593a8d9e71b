"""The button of a dialog that Enter presses."""

from __future__ import annotations

from PyQt5.QtWidgets import QDialog, QPushButton


def make_default(button: QPushButton) -> None:
    """Have Enter press ``button``, which is in its dialog already.

    Only then does the dialog know, and make it the default again when the focus leaves another button. Otherwise
    Enter in a field would press that one: Cancel, for instance.
    """
    assert isinstance(button.window(), QDialog)
    button.setDefault(True)
