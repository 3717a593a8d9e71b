"""Texts of tables, as the window shows them: what ``app`` declares, and titles of columns."""

from __future__ import annotations

from PyQt5.QtCore import QCoreApplication


def in_words(text: str) -> str:
    """A declared text, translated if there is a translation.

    ``app`` knows no Qt, so its texts are plain; a translator's list takes them from the declarations.
    """
    return QCoreApplication.translate("declared", text) if text else ""
