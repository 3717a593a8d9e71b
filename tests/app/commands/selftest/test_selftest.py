"""app.commands.selftest, as the command runs it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from app.commands.selftest import running
from tests.helpers import run, run_bytes

LOOKS_AT = {
    "TCP echo", "UDP echo", "HTTP inspector", "WebSocket echo", "TCP echo over TLS", "HTTP inspector over TLS",
    "WebSocket echo over TLS", "script", "rest", "mock", "static file", "relay", "plugin", "SSH banner",
    "capture read back", "export to pcapng",
}  # fmt: skip


def test_all_is_well_and_the_users_folders_stay_as_they_are(tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path / "data"), "TMPDIR": str(tmp_path)}
    done = run_bytes("selftest", "--json", environment=environment)
    checks = [json.loads(line) for line in done.stdout.splitlines()]
    assert [check for check in checks if not check["ok"]] == []
    assert {check["check"] for check in checks} >= LOOKS_AT
    assert (done.returncode, done.stderr) == (0, b"")
    assert list(tmp_path.iterdir()) == []


def test_what_is_missing_is_said_in_one_line(tmp_path: Path) -> None:
    """A program without autobahn still answers where it is not needed."""
    done = run("selftest", env={**os.environ, "PYTHONPATH": str(_broken(tmp_path))})
    assert done.returncode == 1
    assert "FAILED  start every server: ws-echo: " in done.stdout
    assert "FAILED  WebSocket echo: ws-echo does not listen" in done.stdout
    assert "ok      TCP echo (" in done.stdout
    assert done.stderr == "listening-post: this program is not complete\n"


def _broken(folder: Path) -> Path:
    """A folder whose ``autobahn`` is in the way of the real one."""
    (folder / "autobahn.py").write_text("raise ImportError('no autobahn here')\n")
    return folder


def test_a_check_that_fails_says_why() -> None:
    check = running.Check("UDP echo", "no answer within 5 seconds", 5.0)
    assert str(check) == "FAILED  UDP echo: no answer within 5 seconds (5000 ms)"
    assert check.as_json() == {
        "check": "UDP echo", "ok": False, "problem": "no answer within 5 seconds", "seconds": 5.0,
    }  # fmt: skip
