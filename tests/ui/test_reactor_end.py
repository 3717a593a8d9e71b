"""The Qt reactor ends in order, in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.helpers import ROOT

PROGRAM = """
import sys
from PyQt5.QtCore import QTimer
from PyQt5.QtWidgets import QApplication
app = QApplication(["t", "-platform", "offscreen"])
from ui.reactor import install
reactor = install()
reactor.addSystemEventTrigger("before", "shutdown", print, "before")
reactor.addSystemEventTrigger("after", "shutdown", print, "after")
%s
print("done", reactor.running)
"""


@pytest.mark.parametrize(
    "body",
    [
        "QTimer.singleShot(0, reactor.stop)\nreactor.run()",
        "reactor.callWhenRunning(reactor.stop)\nreactor.run()",
        "reactor.callLater(0, reactor.stop)\nreactor.run()",
        "QTimer.singleShot(0, app.quit)\nreactor.run()",
        "reactor.callFromThread(reactor.stop)\nreactor.run()",
        "import os, signal\nQTimer.singleShot(0, lambda: os.kill(os.getpid(), signal.SIGTERM))\nreactor.run()",
        """
reactor.addSystemEventTrigger("after", "shutdown", app.quit)
QTimer.singleShot(0, reactor.stop)
reactor.runReturn()
app.exec_()
""",
        """
from twisted.internet.task import deferLater
reactor.addSystemEventTrigger("before", "shutdown", lambda: deferLater(reactor, 0.05, lambda: None))
QTimer.singleShot(0, reactor.stop)
reactor.run()
""",
    ],
)
def test_ends_in_order_wherever_it_is_stopped_from(body: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM % body], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.stdout.split("\n"), done.returncode) == (["before", "after", "done False", ""], 0)
    assert "Traceback" not in done.stderr
