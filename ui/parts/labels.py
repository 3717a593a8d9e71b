"""Text as Qt's labels, tabs, menus and tooltips want it, and names for screen readers."""

from __future__ import annotations

from html import escape

from PyQt5.QtWidgets import QLabel, QSizePolicy, QWidget


def unmarked(text: str) -> str:
    """``text`` for a tab or a menu, in which a single & would make a mnemonic of the next letter."""
    return text.replace("&", "&&")


def plain(text: str) -> str:
    """``text`` for a tooltip, in which < could begin a tag."""
    return f"<span>{escape(text)}</span>"


def let_shrink(label: QLabel) -> None:
    """Let a label that wraps be narrower than its longest word, such as a path: else it would widen the window."""
    policy = QSizePolicy(QSizePolicy.Ignored, QSizePolicy.Preferred)
    policy.setHeightForWidth(True)
    label.setSizePolicy(policy)


def mark_accessible(widget: QWidget, name: str, description: str) -> None:
    """Name and describe a control for screen readers."""
    widget.setAccessibleName(name)
    widget.setAccessibleDescription(description)
