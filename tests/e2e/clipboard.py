"""Prints the display's clipboard as soon as it contains a text; exit code 1 if it does not in time.

python -m tests.e2e.clipboard TEXT SECONDS
"""

from __future__ import annotations

import sys
from time import monotonic

from PyQt5.QtCore import QTimer
from PyQt5.QtWidgets import QApplication


def main() -> None:
    sys.exit(_wait(sys.argv[1], float(sys.argv[2])))


def _wait(wanted: str, seconds: float) -> int:
    application = QApplication(sys.argv[:1])
    deadline = monotonic() + seconds
    found = ""

    def look() -> None:
        nonlocal found
        found = application.clipboard().text()
        if wanted in found:
            application.exit(0)
        elif monotonic() > deadline:
            application.exit(1)

    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(20)
    code = application.exec_()
    print(found)
    return code


if __name__ == "__main__":
    main()
