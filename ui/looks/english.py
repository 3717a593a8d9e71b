"""English forms of texts with a number: ``%n connection(s) (was|were) closed``, as ``self.tr(text, "", n)`` takes them.

English, too, has its forms from a translator, so that a language with other forms has them from its own, in one text.
"""

from __future__ import annotations

import re

from PyQt5.QtCore import QCoreApplication, QTranslator

_MOST = 2**31 - 1
_CHOICE = re.compile(r"\(([^()|]*)\|([^()|]*)\)")


class English(QTranslator):
    """Fills in the number, with commas, and has the form that fits it; leaves texts without a number to others.

    A translator that is installed later is asked first, so a translation wins.
    """

    def isEmpty(self) -> bool:
        return False

    def translate(self, context: str, text: str, disambiguation: str | None = None, n: int = -1) -> str:
        if n < 0:
            return None  # type: ignore[return-value]  # Qt's null string, after which it asks on; "" would be shown
        words = _CHOICE.sub(r"\1" if n == 1 else r"\2", text)
        return words.replace("(s)", "" if n == 1 else "s").replace("%n", f"{n:,}")


def install(application: QCoreApplication) -> None:
    """Have the application show the forms; once is enough."""
    if application.findChild(English) is None:
        application.installTranslator(English(application))


def form_of(count: int) -> int:
    """The number that has the same form, and is none too great for Qt.

    For counts from a file, which can be any, and for sizes: the text has them as ``{count}``, not as ``%n``.
    """
    return max(0, min(count, _MOST))
