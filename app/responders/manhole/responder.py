"""A Python prompt inside the running program, over SSH.

What users type runs in the reactor's thread: an endless loop stops the whole program.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from app import events
from app.files import confined
from app.responders import Context, Option, Options, Responder
from app.responders.manhole import errors

AUTO = "auto"
"""The value of the option ``password`` that stands for a new random password at each start."""

LOGIN_SECONDS = 60.0
"""Time from the connection to the end of the login."""

ATTEMPTS = 6
"""Wrong passwords and keys after which a connection is closed."""

WELCOME = "Listening Post. help() says what is here, exit() leaves. What you type stops all traffic while it runs.\r\n"

HELP = """\
post          the running whole: post.services, post.recorder, post.start_all(), post.stop_all()
services      the services by name: services["tcp-echo"].status, .connections, .start(), .stop()
{names}
later(c)      runs a coroutine, as in later(services["tcp-echo"].start())
exit()        leaves; the program goes on
"""


def namespace(given: Mapping[str, Any]) -> dict[str, Any]:
    """The names at the prompt: ``given``, the services by name, and replacements for help, input and exit."""
    from twisted.internet.defer import Deferred

    services = given["post"].services if "post" in given else {}
    named = {re.sub(r"\W|^(?=\d)", "_", name): service for name, service in services.items()}

    def leave() -> None:
        raise SystemExit

    def explain(thing: object = None) -> None:
        names = ", ".join(named) or "(no services)"
        print(HELP.format(names=names) if thing is None else getattr(thing, "__doc__", None) or repr(thing))

    def refuse(*_: object) -> None:
        raise RuntimeError("nobody can answer: it would wait for the program's own standard input")

    # Python's own help and input would wait for the program's standard input; exit would close it.
    ours = {"help": explain, "input": refuse, "exit": leave, "quit": leave, "later": Deferred.fromCoroutine}
    return named | dict(given) | {"services": services} | ours


def _ssh(options: Options, context: Context) -> Any:
    from twisted.conch.error import IgnoreAuthentication
    from twisted.conch.ssh import keys, userauth
    from twisted.conch.ssh.factory import SSHFactory
    from twisted.cred.checkers import ICredentialsChecker
    from twisted.cred.credentials import IUsernamePassword
    from twisted.cred.error import UnauthorizedLogin
    from twisted.cred.portal import Portal
    from zope.interface import implementer

    from app.responders.manhole.terminal import Channels, Realm, Transport

    password = options["password"]
    if password == AUTO:
        password = secrets.token_urlsafe(12)
        context.log(f"the password of {context.name} for this run is {password}")
    keys_file = confined.named(context.folder, options["authorized_keys"]) if options["authorized_keys"] else None

    @implementer(ICredentialsChecker)
    class PasswordChecker:
        credentialInterfaces = (IUsernamePassword,)

        def requestAvatarId(self, credentials: Any) -> Any:
            if hmac.compare_digest(credentials.password, password.encode()):
                return bytes(credentials.username)
            raise UnauthorizedLogin("wrong password")

    class Login(userauth.SSHUserAuthServer):  # type: ignore[misc,unused-ignore]
        attemptsBeforeDisconnect = ATTEMPTS
        clock = context.reactor
        transport: Any
        user: Any
        method: Any

        def _record(self, text: str, **more: str) -> None:
            user, method = (name.decode("utf-8", "replace") for name in (self.user, self.method))
            tap = self.transport.transport
            detail = {"user": user, "method": method, "peer": tap.peer} | more
            tap.record(events.LOG, f"ssh {text}: {user} by {method}", detail)

        def _cbFinishedAuth(self, result: Any) -> Any:
            self._record("login")
            self.transport.logged_in()
            return super()._cbFinishedAuth(result)

        def _ebBadAuth(self, reason: Any) -> None:
            # Not refusals: clients ask for the methods with "none", and whether a key would be accepted.
            if self.method != b"none" and not reason.check(IgnoreAuthentication):
                self._record("login refused", reason=reason.getErrorMessage())
            super()._ebBadAuth(reason)

    class ManholeFactory(SSHFactory):
        noisy = False
        protocol = Transport
        portal: Portal
        clock = context.reactor
        login_seconds = LOGIN_SECONDS
        services = {b"ssh-userauth": Login, b"ssh-connection": Channels}  # noqa: RUF012

        def startFactory(self) -> None:
            if not (keys_file or password):
                raise errors.ManholeOpenError
            super().startFactory()

    factory = ManholeFactory()
    checkers: list[Any] = [PasswordChecker()] if password else []
    if keys_file:
        checkers.append(_key_checker(keys_file, keys, context))
    factory.portal = Portal(Realm(lambda: namespace(context.namespace), WELCOME, options, context.reactor), checkers)
    return factory


def _key_checker(file: Path, keys: Any, context: Context) -> Any:
    """A checker for the public keys in ``file``, which is read for each login, in a thread.

    Conch's own checker reads the file in the reactor's thread, and its module imports the one for the
    system's passwords.
    """
    from twisted.conch.error import ValidPublicKey
    from twisted.conch.ssh.common import getNS
    from twisted.cred.checkers import ICredentialsChecker
    from twisted.cred.credentials import ISSHPrivateKey
    from twisted.cred.error import UnauthorizedLogin
    from zope.interface import implementer

    from app.responders.manhole.terminal import WITH_SHA1

    @implementer(ICredentialsChecker)
    class KeyChecker:
        credentialInterfaces = (ISSHPrivateKey,)

        def requestAvatarId(self, credentials: Any) -> Any:
            return context.in_thread(authorized_keys, file, keys.Key.fromString).addCallback(self._check, credentials)

        def _check(self, known: list[Any], credentials: Any) -> bytes:
            key = keys.Key.fromString(credentials.blob)
            if key not in known:
                raise UnauthorizedLogin("unknown key")
            if not credentials.signature:
                raise ValidPublicKey  # the client asks whether the key would be accepted, before it signs
            if getNS(credentials.signature)[0] in WITH_SHA1:
                raise UnauthorizedLogin("a signature with SHA-1")
            if not key.verify(credentials.signature, credentials.sigData):
                raise UnauthorizedLogin("wrong signature")
            return bytes(credentials.username)

    return KeyChecker()


def authorized_keys(file: Path, parse: Callable[[bytes], Any]) -> list[Any]:
    """The public keys in a file such as ``~/.ssh/authorized_keys``. Lines with options are skipped.

    Raises AuthorizedKeysError.
    """
    try:
        lines = file.read_bytes().splitlines()
    except OSError as e:
        raise errors.AuthorizedKeysError(path=file, reason=e.strerror or e) from e
    found = []
    for line in lines:
        if line.strip() and not line.lstrip().startswith(b"#"):
            try:
                found.append(parse(line.strip()))
            except Exception:
                continue
    return found


RESPONDER = Responder(
    "manhole",
    "A Python prompt inside this program; whoever logs in can run any code",
    {"ssh": _ssh},
    (
        Option(
            "password",
            str,
            "",
            "Password to log in with; auto: a new one at each start, shown in the log; empty: keys only",
            secret=True,
        ),
        Option(
            "authorized_keys", str, "", "File with the public keys that may log in, such as ~/.ssh/authorized_keys",
            path="file", admits=True,
        ),
        Option("sessions", int, 4, "Most prompts open at once", minimum=1, maximum=100),
        Option("idle_seconds", float, 600.0, "Close a prompt without input after this time; 0: never", "s", 0, 1e7),
    ),
    runs="logs in can run any code, as you",
)  # fmt: skip
