"""Runs the program without a rollup, with it, or with the charts in view too.

python -m tests.benchmarks.charts_probe HOW [what the program takes]
"""

from __future__ import annotations

import sys
from typing import Any

from app.capture import link
from app.commands import main as cli
from ui import boot

choose_reactor = boot.choose_reactor


def main() -> None:
    from tests.benchmarks.charts import OPEN, WITHOUT

    how = sys.argv[1]
    if how == WITHOUT:
        link._arguments = lambda: ["-P", "-m", "tests.benchmarks.writer_without_rollup"]

    def with_charts() -> Any:
        reactor = choose_reactor()
        if how == OPEN:
            reactor.callWhenRunning(_open)
        return reactor

    boot.choose_reactor = with_charts
    sys.exit(cli.main(sys.argv[2:], boot.run))


def _open() -> None:
    from PyQt5.QtWidgets import QApplication

    from ui.window.main_window import MainWindow

    next(w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow)).charts.charts()


if __name__ == "__main__":
    main()
