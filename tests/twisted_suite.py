"""Twisted's own tests for reactors, run against one reactor class in a process of its own.

    python -m tests.twisted_suite app.reactor.PromptEPollReactor

prints one line of JSON: how many ran, and which of them failed.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import types
import unittest
from pathlib import Path
from typing import Any

from tests.helpers import ROOT

MODULES = (
    *("tcp", "time", "core", "udp", "threads", "fdset", "base", "unix"),
    *("stdio", "sigchld", "socket", "process", "endpoints", "posixbase"),
)

LEFT_OUT = (
    "test_logPrefix",  # we dispatch without a log context, on purpose
    "test_lostFileDescriptor",  # Twisted leaves it out for its own epoll reactor, by name
    "test_changeUID",  # needs a Python that other users can read; fails alike on Twisted's own
    "test_process_unregistered_before_protocol_ended_callback",  # needs PyHamcrest
)


def run(reactor: str, folder: Path) -> dict[str, Any]:
    """Run the suite against ``reactor`` in another process, which leaves its files in ``folder``."""
    command = [sys.executable, "-m", "tests.twisted_suite", reactor]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _tests(suite: Any) -> Any:
    for test in suite:
        yield from _tests(test) if isinstance(test, unittest.TestSuite) else [test]


def _main(reactor: str) -> None:
    if reactor.startswith("ui."):
        from PyQt5.QtWidgets import QApplication

        application = QApplication(["tests", "-platform", "offscreen"])
        assert application
    sys.modules.setdefault("hamcrest", types.ModuleType("hamcrest"))  # imported for one test
    from twisted.internet.test.reactormixins import ReactorBuilder

    builder: Any = ReactorBuilder
    builder._reactors = [reactor]
    builder.getTimeout = lambda self: 60.0
    suite = unittest.TestSuite()
    for name in MODULES:
        for found in vars(importlib.import_module(f"twisted.internet.test.test_{name}")).values():
            if isinstance(found, type) and issubclass(found, builder) and issubclass(found, unittest.TestCase):
                suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(found))
    kept = unittest.TestSuite(t for t in _tests(suite) if t._testMethodName not in LEFT_OUT)
    result = unittest.TextTestRunner().run(kept)
    failed = [str(test) for test, _ in result.failures + result.errors]
    print(json.dumps({"run": result.testsRun, "failed": failed}))


if __name__ == "__main__":
    _main(sys.argv[1])
