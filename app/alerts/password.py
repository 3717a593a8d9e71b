"""The password for the mail server: in the platform's keyring, or in a variable; never in a file of ours."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, succeed

from app.alerts import errors

VARIABLE = "LISTENING_POST_MAIL_PASSWORD"

PATIENCE = 60.0
"""Seconds in which the keyring must answer. It may ask the user to unlock it."""

T = TypeVar("T")


def of(reactor: Any, server: str, user: str) -> Deferred[str]:
    """The password of ``user`` at ``server``. Fails with NoPasswordError."""
    given = os.environ.get(VARIABLE)
    if given:
        return succeed(given)

    def read() -> str:
        import keyring

        return keyring.get_password(_name(server), user) or ""

    def check(found: str) -> str:
        if not found:
            raise errors.NoPasswordError(user=user, server=server, reason="none is kept", variable=VARIABLE)
        return found

    return _asked(reactor, read, lambda reason: errors.NoPasswordError(
        user=user, server=server, reason=reason, variable=VARIABLE
    )).addCallback(check)  # fmt: skip


def keep(reactor: Any, server: str, user: str, password: str) -> Deferred[None]:
    """Keep a password in the keyring; an empty one is removed. Fails with KeyringError."""

    def write() -> None:
        import keyring
        from keyring.errors import PasswordDeleteError

        if password:
            keyring.set_password(_name(server), user, password)
            return
        with suppress(PasswordDeleteError):  # there is none
            keyring.delete_password(_name(server), user)

    return _asked(reactor, write, lambda reason: errors.KeyringError(reason=reason, variable=VARIABLE))


def _name(server: str) -> str:
    return f"Listening Post mail {server}"


def _asked(reactor: Any, call: Callable[[], T], error: Callable[[str], errors.AlertError]) -> Deferred[T]:
    """What ``call`` gives, in a thread of its own: a keyring that waits for the user must hold up nothing else."""
    done: Deferred[T] = Deferred(lambda _: overdue.cancel() if overdue.active() else None)
    overdue = reactor.callLater(PATIENCE, lambda: done.errback(error("the keyring does not answer")))

    def finish(value: Any) -> None:
        if done.called:
            return
        overdue.cancel()
        if isinstance(value, Exception):
            done.errback(value)
        else:
            done.callback(value)

    def work() -> None:
        try:
            found: Any = call()
        except Exception as e:
            found = error(_words(e))
        try:
            reactor.callFromThread(finish, found)
        except Exception:  # the reactor has stopped
            return

    threading.Thread(target=work, name="keyring", daemon=True).start()
    return done


def _words(e: Exception) -> str:
    kind = type(e).__name__
    if kind == "NoKeyringError":
        return "this system has no keyring that can be used"
    if kind == "KeyringLocked":
        return "the keyring is locked"
    if isinstance(e, ImportError):
        return "the package keyring is not installed"
    return " ".join(str(e).split())[:200].rstrip(".") or kind
