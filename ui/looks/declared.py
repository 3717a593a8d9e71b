"""Texts of tables, as the window shows them: what ``app`` declares, and titles of columns."""

from __future__ import annotations

from PyQt5.QtCore import QCoreApplication


def in_words(text: str, n: int = -1) -> str:
    """A declared text, translated if there is a translation; that of several things in the form for ``n`` of them.

    ``app`` knows no Qt, so its texts are plain; a translator's list takes them from the declarations.
    """
    return QCoreApplication.translate("declared", text, "", n) if text else ""
