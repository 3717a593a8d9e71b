"""The password for mail: from a variable, from the keyring, or words why not."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import keyring
import keyring.errors
import pytest
import pytest_twisted
from keyring.backend import KeyringBackend
from twisted.internet.task import Clock

from app.alerts import errors, password
from app.alerts.password import VARIABLE

ensure = pytest_twisted.ensureDeferred


class Ring(KeyringBackend):
    """In memory; ``trouble`` is what it raises."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.threads: set[int] = set()
        self.trouble: Exception | None = None

    def _use(self) -> None:
        self.threads.add(threading.get_ident())
        if self.trouble is not None:
            raise self.trouble

    def get_password(self, service: str, username: str) -> str | None:
        self._use()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._use()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._use()
        if self.kept.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ring]:
    monkeypatch.delenv(VARIABLE, raising=False)
    before, ring = keyring.get_keyring(), Ring()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


@ensure
async def test_it_is_kept_and_found_and_taken_away_off_the_reactor(ring: Ring) -> None:
    from twisted.internet import reactor

    await password.keep(reactor, "mail.example.org", "post", "s3cret")
    assert ring.kept == {("Listening Post mail mail.example.org", "post"): "s3cret"}
    assert await password.of(reactor, "mail.example.org", "post") == "s3cret"
    await password.keep(reactor, "mail.example.org", "post", "")
    await password.keep(reactor, "mail.example.org", "post", "")
    assert ring.kept == {}
    assert threading.get_ident() not in ring.threads


@ensure
async def test_the_variable_comes_first(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    from twisted.internet import reactor

    monkeypatch.setenv(VARIABLE, "from outside")
    assert await password.of(reactor, "mail.example.org", "post") == "from outside"
    assert not ring.threads


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (None, "none is kept"),
        (keyring.errors.NoKeyringError("a long\nstory"), "this system has no keyring that can be used"),
        (keyring.errors.KeyringLocked("no"), "the keyring is locked"),
        (RuntimeError("it\nbroke."), "it broke"),
    ],
)
@ensure
async def test_why_there_is_none_is_told(ring: Ring, trouble: Exception | None, words: str) -> None:
    from twisted.internet import reactor

    ring.trouble = trouble
    with pytest.raises(errors.NoPasswordError) as told:
        await password.of(reactor, "mail.example.org", "post")
    assert f"There is no password for post at mail.example.org: {words}. " in str(told.value)
    assert VARIABLE in str(told.value)


def test_a_keyring_that_waits_for_the_user_holds_up_nothing(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, waits = Clock(), threading.Event()
    clock.callFromThread = lambda call, *args: None  # type: ignore[attr-defined]
    monkeypatch.setattr(ring, "get_password", lambda service, username: waits.wait(30))
    failed: list[str] = []
    password.of(clock, "mail.example.org", "post").addErrback(lambda failure: failed.append(failure.getErrorMessage()))
    assert not failed
    clock.advance(password.PATIENCE)
    waits.set()
    assert "the keyring does not answer" in failed[0]
