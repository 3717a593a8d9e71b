"""The manhole's SSH server: Conch's coloured prompt and nothing else. Each line and exception is recorded."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Mapping
from typing import Any

from twisted.conch.insults.insults import ServerProtocol
from twisted.conch.interfaces import IConchUser, ISession
from twisted.conch.manhole import ManholeInterpreter
from twisted.conch.manhole_ssh import TerminalRealm, TerminalSession, TerminalUser
from twisted.conch.ssh.common import NS, getNS
from twisted.conch.ssh.connection import MSG_CHANNEL_OPEN_FAILURE, OPEN_ADMINISTRATIVELY_PROHIBITED, SSHConnection
from twisted.conch.ssh.transport import DISCONNECT_BY_APPLICATION, SSHServerTransport
from twisted.cred.portal import IRealm
from twisted.internet.error import ProcessTerminated
from twisted.python.failure import Failure
from zope.interface import implementer

from app import events
from app.limits import HANDSHAKE_SECONDS, IDLE_SECONDS
from app.responders.manhole.line_editor import LineEditor

WITH_SHA1 = (b"ssh-rsa", b"ssh-dss")
"""Signature algorithms that are not accepted."""

SIGNATURES = [name for name in SSHServerTransport.supportedPublicKeys if name not in WITH_SHA1]
"""Signature algorithms with which clients may prove that they own a key."""

KEY_EXCHANGES = (
    b"mlkem768x25519-sha256", b"curve25519-sha256", b"curve25519-sha256@libssh.org",
    b"ecdh-sha2-nistp256", b"ecdh-sha2-nistp384", b"ecdh-sha2-nistp521",
)  # fmt: skip
CIPHERS = (b"aes256-ctr", b"aes192-ctr", b"aes128-ctr")
MACS = (b"hmac-sha2-512", b"hmac-sha2-256")
"""What Conch can do of OpenSSH's own defaults. No CBC, 3DES, MD5 or SHA-1, and no compression before the login."""

CLOSING_SECONDS = 5.0
"""Time in which a client must take our last message."""


class Interpreter(ManholeInterpreter):
    """Shows the exception that a line raises, and records it with the source that raised it."""

    handler: Prompt

    def showtraceback(self) -> None:
        error, source = sys.exc_info()[1], b"\n".join(self.buffer)
        super().showtraceback()
        if error is not None:
            self.handler.tap.failed(error, source)


class Prompt(LineEditor):
    """One terminal of one user.

    Attributes:
        tap: the Tap of the connection.
    """

    def __init__(self, realm: Realm, user: str, tap: Any, leave: Callable[[], None]) -> None:
        super().__init__(realm.namespace())
        self._realm, self._user, self.tap, self._leave = realm, user, tap, leave
        self._idle_timer: Any = None

    def connectionMade(self) -> None:
        self._realm.open += 1
        super().connectionMade()
        self.interpreter = Interpreter(self, self.namespace)
        self._restart_idle_timer()

    def initializeScreen(self) -> None:
        self.terminal.reset()
        self.terminal.write(self._realm.welcome.encode())
        self.terminal.write(self.ps[self.pn])
        self.setInsertMode()

    def closed(self) -> None:
        """The session was closed. (Conch calls ``connectionLost`` in some cases and not in others.)"""
        self._realm.open -= 1
        if self._idle_timer is not None and self._idle_timer.active():
            self._idle_timer.cancel()

    def handle_QUIT(self) -> None:
        self._leave()

    def keystrokeReceived(self, keyID: bytes, modifier: Any) -> None:
        self._restart_idle_timer()
        super().keystrokeReceived(keyID, modifier)

    def lineReceived(self, line: bytes) -> None:
        text = line.decode("utf-8", "backslashreplace")
        self.tap.record(events.LOG, f"ssh> {text}", {"user": self._user, "line": text})
        try:
            super().lineReceived(line)
        except SystemExit:
            self._leave()
        except Exception as e:  # raised by Conch, as for a line that is not UTF-8
            self.tap.failed(e, line)
            self.interpreter.resetBuffer()
            self.terminal.write(f"{type(e).__name__}: {e}\r\n".encode())
            self.terminal.write(self.ps[0])

    def _restart_idle_timer(self) -> None:
        seconds = self._realm.idle_seconds
        if self._idle_timer is not None and self._idle_timer.active():
            self._idle_timer.reset(seconds)
        elif seconds:
            self._idle_timer = self._realm.reactor.callLater(seconds, self._on_idle)

    def _on_idle(self) -> None:
        reached = IDLE_SECONDS.reached(self._realm.idle_seconds, "prompt").carrying(user=self._user)
        self.tap.record_limit(reached)
        self.terminal.write(f"\r\n{reached.text}\r\n".encode())
        self._leave()


class Session(TerminalSession):
    """An SSH session that offers the prompt and no commands."""

    realm: Realm
    user: str
    width, height = 80, 24
    _prompt: Prompt | None = None

    def openShell(self, proto: Any) -> None:
        if self.realm.open >= self.realm.sessions:
            _end(proto, 1, f"open already: {self.realm.open}, and no more prompts are allowed")
            return
        tap = IConchUser(self.original).conn.transport.transport
        prompt = self._prompt = Prompt(self.realm, self.user, tap, lambda: _end(proto, 0))
        self.chainedProtocolFactory: Any = lambda: ServerProtocol(lambda: prompt)
        super().openShell(proto)

    def closed(self) -> None:
        prompt, self._prompt = self._prompt, None
        if prompt is not None:
            prompt.closed()

    def execCommand(self, proto: Any, cmd: bytes) -> None:
        tap = IConchUser(self.original).conn.transport.transport
        tap.record(events.LOG, f"ssh refused: a command: {cmd.decode('utf-8', 'backslashreplace')}", {})
        _end(proto, 1, "only a prompt can be opened here: log in without a command")

    def windowChanged(self, newWindowSize: Any) -> None:
        """Nothing to do: the prompt does not depend on the terminal's size."""

    def eofReceived(self) -> None:
        """The client's input has ended, as with ``echo 1 + 1 | ssh``: leave the prompt, as a shell does.

        Only the channel is closed. If the connection closed, the client would not print what it received.
        """
        if self._prompt is not None:
            self._prompt.handle_QUIT()


def _end(proto: Any, code: int, text: str = "") -> None:
    if text:
        proto.errReceived(f"{text}\r\n".encode())
    proto.processEnded(Failure(ProcessTerminated(code)))


class Transport(SSHServerTransport):
    """The SSH transport. It has today's algorithms only, and a time limit for the login, from the first byte on.

    It records a client's disconnect message as an event, where Conch logs an error.
    """

    factory: Any
    transport: Any
    _overdue: Any = None

    def connectionMade(self) -> None:
        able = self.supportedKeyExchanges
        self.supportedKeyExchanges = [name for name in KEY_EXCHANGES if name in able]
        self.supportedCiphers, self.supportedMACs = list(CIPHERS), list(MACS)
        self.supportedCompressions = [b"none"]
        self._wait(self.factory.login_seconds, self._on_overdue)
        super().connectionMade()

    def _wait(self, seconds: float, call: Callable[[], None]) -> None:
        self._overdue = self.factory.clock.callLater(seconds, call)

    def logged_in(self) -> None:
        """The login is done."""
        self._stop_waiting()

    def _stop_waiting(self) -> None:
        overdue, self._overdue = self._overdue, None
        if overdue is not None and overdue.active():
            overdue.cancel()

    def _on_overdue(self) -> None:
        seconds = self.factory.login_seconds
        if self.transport.held:  # while we do not read, the client cannot be blamed
            self._wait(seconds, self._on_overdue)
            return
        self.transport.record_limit(HANDSHAKE_SECONDS.reached(seconds, "login"))
        self.transport.ended("closed by us: the login took too long")
        self._wait(CLOSING_SECONDS, self.transport.abortConnection)
        self.sendDisconnect(DISCONNECT_BY_APPLICATION, b"the login took too long")

    def connectionLost(self, reason: Failure | None = None) -> None:
        self._stop_waiting()
        super().connectionLost(reason)

    def sendExtInfo(self, extensions: list[tuple[bytes, bytes]]) -> None:
        # WORKAROUND: Conch announces only the algorithm of the server's own key, and clients then do not
        # offer their RSA keys.
        super().sendExtInfo([(b"server-sig-algs", b",".join(SIGNATURES))])

    def receiveError(self, reasonCode: int, description: bytes) -> None:
        text = description.decode("utf-8", "replace")
        self.transport.record(events.LOG, f"ssh left: {text}", {"code": reasonCode})


class Channels(SSHConnection):
    """Opens channels for sessions. Refuses all others, such as forwarded ports."""

    transport: Any

    def ssh_CHANNEL_OPEN(self, packet: bytes) -> None:
        kind, rest = getNS(packet)
        if kind == b"session":
            super().ssh_CHANNEL_OPEN(packet)
            return
        self.transport.transport.record(events.LOG, f"ssh refused: a channel for {kind.decode('ascii', 'replace')}", {})
        refusal = rest[:4] + struct.pack(">L", OPEN_ADMINISTRATIVELY_PROHIBITED)
        self.transport.sendPacket(MSG_CHANNEL_OPEN_FAILURE, refusal + NS(b"only a prompt is here") + NS(b""))


@implementer(IRealm)
class Realm(TerminalRealm):
    """Gives each user a session after login. There is no port forwarding and no file transfer.

    Attributes:
        namespace: makes the namespace of a new prompt.
        open: number of open prompts.
    """

    def __init__(
        self, namespace: Callable[[], dict[str, Any]], welcome: str, options: Mapping[str, Any], reactor: Any
    ) -> None:
        super().__init__()
        self.namespace, self.welcome, self.reactor = namespace, welcome, reactor
        self.sessions, self.idle_seconds = options["sessions"], options["idle_seconds"]
        self.open = 0

    def _getAvatar(self, avatarId: bytes) -> Any:
        realm = self

        class UsersSession(Session):
            pass

        UsersSession.realm, UsersSession.user = realm, avatarId.decode("utf-8", "replace")

        class User(TerminalUser):
            def __conform__(self, interface: Any) -> Any:
                # A session for each channel: Conch would make one for all channels of a connection, and each
                # new channel would take the prompt from the channel before.
                return UsersSession(self.original) if interface is ISession else super().__conform__(interface)

        self.userFactory, self.sessionFactory = User, UsersSession
        return super()._getAvatar(avatarId)
