"""Prints what is on the display's clipboard, as soon as it contains a text; exit code 1 if it never does.

python -m tests.e2e.clipboard TEXT
"""

from __future__ import annotations

import sys
from time import monotonic

from PyQt5.QtCore import QTimer
from PyQt5.QtWidgets import QApplication

SECONDS = 10


def main(wanted: str) -> int:
    application = QApplication(sys.argv[:1])
    deadline = monotonic() + SECONDS

    def look() -> None:
        if wanted in application.clipboard().text():
            application.exit(0)
        elif monotonic() > deadline:
            application.exit(1)

    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(20)
    code = application.exec_()
    print(application.clipboard().text())
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
