"""A storm of events, and a mail server that is down meanwhile: one mail by a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backends.fail
import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from app.alerts import errors, lanes, live, password
from app.alerts.alert import Alert
from app.alerts.mail import Mail
from app.post import Post
from app.workspace.reading import Workspace
from tests.app.alerts.desk import names
from tests.app.alerts.mail_server import PASSWORD, USER, Taken, mail_server
from tests.app.alerts.test_live import log, seen
from tests.helpers import kept_port, until

ALERT = Alert("storm", "boom", 10, quiet_seconds=1000, then=("mail qa@example.org",))


@pytest.fixture
def post(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    """A Post whose alerts trust the authority of a folder of its own, and know the password."""
    from twisted.internet import reactor

    monkeypatch.setattr(live, "PAUSE", 0.02)
    monkeypatch.setattr(lanes, "FIRST", 0.05)
    monkeypatch.setenv(password.VARIABLE, PASSWORD)
    post = Post(reactor, Workspace())
    post.alerts.means.sender.data = tmp_path / "data"
    pytest_twisted.blockon(post.open(tmp_path / "x.lpost"))
    yield post
    pytest_twisted.blockon(Deferred.fromCoroutine(post.shut_down()))


async def armed(post: Post, port: int) -> None:
    await post.become(Workspace(alerts=(ALERT,), mail=Mail("127.0.0.1", "post@example.org", port=port, user=USER)))


@pytest_twisted.ensureDeferred
async def test_ten_thousand_events_are_one_mail(post: Post) -> None:
    with mail_server(post.alerts.means.sender.data) as (port, taken):
        await armed(post, port)
        log(post, *(f"boom {number}" for number in range(10_000)))
        await seen(post)
        await until(lambda: taken.mails)
        log(post, *(f"boom {number}" for number in range(100)))
        await seen(post)
        await until(lambda: not post.alerts.lanes.waiting)
        [mail] = taken.mails
    assert mail["Subject"].startswith("[Listening Post] storm: ")
    assert names(post) == ["alert.raised", "alert.sent"]


@pytest_twisted.ensureDeferred
async def test_a_server_that_comes_back_gets_it(post: Post) -> None:
    with kept_port() as port:
        await armed(post, port)
        log(post, *(f"boom {number}" for number in range(20)))
        await until(lambda: post.alerts.lanes.outcomes)
        assert post.alerts.lanes.waiting == 1
        with mail_server(post.alerts.means.sender.data, port=port, taken=Taken()) as (_, taken):
            await until(lambda: taken.mails)
            await until(lambda: not post.alerts.lanes.waiting)
            await seen(post)
    assert len(taken.mails) == 1
    kinds = names(post)
    assert (kinds[0], set(kinds[1:-1]), kinds[-1]) == ("alert.raised", {"alert.unsent"}, "alert.sent")


@pytest_twisted.ensureDeferred
async def test_a_system_that_has_no_keyring_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    from twisted.internet import reactor

    monkeypatch.delenv(password.VARIABLE, raising=False)
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    try:
        with pytest.raises(errors.NoPasswordError, match="this system has no keyring that can be used"):
            await password.of(reactor, "mail.example.org", "post")
        with pytest.raises(errors.KeyringError, match=password.VARIABLE):
            await password.keep(reactor, "mail.example.org", "post", "s3cret")
    finally:
        keyring.set_keyring(before)
