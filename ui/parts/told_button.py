"""A button of a dialog that says more of what it does than it has room for."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtWidgets import QPushButton


def told_button(text: str, tip: str, call: Callable[[], object]) -> QPushButton:
    """A button that calls ``call``. Return does not press it unless it has the keyboard."""
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setAutoDefault(False)
    button.setAccessibleDescription(tip)
    button.clicked.connect(lambda: call())
    return button
