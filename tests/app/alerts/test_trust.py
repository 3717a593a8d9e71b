"""Opening a workspace of somebody else is not trusting it: its alerts are raised, and nobody is told."""

from __future__ import annotations

from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from app import events
from app.alerts import live
from app.plugin_loader.table import TABLE
from app.post import Post
from app.trust.store import Trust
from app.workspace import reading
from tests.app.alerts.desk import Shown, names, recorded
from tests.app.alerts.test_live import log, seen

FILE = """version = 1
[[alert]]
name = "loud"
when = "boom"
quiet_seconds = 1000
then = ["notify", "sound"]
"""


@pytest_twisted.ensureDeferred
async def test_a_stranger_s_alerts_are_neither_shown_nor_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from twisted.internet import reactor

    monkeypatch.setattr(TABLE, "_trust", Trust(TABLE.trust.file))
    monkeypatch.setattr(live, "PAUSE", 0.02)
    path = tmp_path / "theirs" / "a.toml"
    path.parent.mkdir()
    path.write_text(f"{FILE}# of {tmp_path}")
    post = Post(reactor, reading.load(path))
    shown, beeps = Shown(post), []
    post.alerts.means.beep = lambda: beeps.append("beep")
    await post.open(tmp_path / "x.lpost")
    try:
        log(post, "boom")
        await seen(post)
        await seen(post)  # what became of its actions is stored as well
        assert (shown.told, beeps) == ([], [])
        assert names(post) == ["alert.raised", "alert.unsent", "alert.unsent"]
        assert "Not allowed" in recorded(post, events.ALERT_UNSENT)[0].summary
        tried = await post.alerts.attempt(post.state().alerts[0], "notify")  # nor by its button
        assert not tried.done
        await post.trust("content")
        tried = await post.alerts.attempt(post.state().alerts[0], "notify")
        assert tried.done
        assert len(shown.told) == 1
    finally:
        await Deferred.fromCoroutine(post.shut_down())
