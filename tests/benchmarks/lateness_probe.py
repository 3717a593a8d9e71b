"""Runs the program with a timer that measures the event loop.

python -m tests.benchmarks.lateness_probe OUTPUT [what the program takes]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from app.commands import main as cli
from ui import boot

choose_reactor = boot.choose_reactor


def main() -> None:
    timers: list[Any] = []

    def with_timer() -> Any:
        # The one place that the program has between its application and its window.
        from tests.benchmarks.lateness_timer import LatenessTimer

        reactor = choose_reactor()
        timers.append(LatenessTimer())
        reactor.callWhenRunning(timers[0].ask)
        return reactor

    boot.choose_reactor = with_timer
    code = cli.main(sys.argv[2:], boot.run)
    Path(sys.argv[1]).write_text(json.dumps(timers[0].samples))
    sys.exit(code)


if __name__ == "__main__":
    main()
