"""SSH services with the manhole, and OpenSSH's own client."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred
from twisted.internet.protocol import ProcessProtocol

from app.responders.manhole import responder
from app.services import errors
from app.services.service import Service
from app.services.ssh import host_key
from app.services.surroundings import Surroundings
from app.status import Failed, Listening
from tests.app.services.helpers import Desk, Peer, Tape, address
from tests.helpers import until


class Ssh(ProcessProtocol):
    """OpenSSH's client at work.

    Attributes:
        shown: what it printed, on either output, without colours and cursor movements.
        code: its exit code, once it has ended.
    """

    def __init__(self) -> None:
        self._said = b""
        self.code: int | None = None

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        self._said += data

    def processEnded(self, reason: Any) -> None:
        self.code = reason.value.exitCode if reason.value.exitCode is not None else -1

    @property
    def shown(self) -> str:
        return re.sub(r"\x1b(\[[\d;?]*[a-zA-Z]|[A-Z])", "", self._said.decode("utf-8", "replace"))

    def type(self, text: str) -> None:
        self.transport.write(text.encode())  # type: ignore[union-attr]

    def type_last(self, text: str) -> None:
        """Type this and nothing more, as a pipe does."""
        self.type(text)
        self.transport.closeStdin()  # type: ignore[union-attr]

    async def ended(self) -> int:
        await until(lambda: self.code is not None)
        assert self.code is not None
        return self.code

    async def sees(self, text: str) -> None:
        await until(lambda: text in self.shown or self.code is not None)
        assert text in self.shown


@dataclass
class Clients:
    """Starts clients, with a key pair of their own, and ends them."""

    desk: Desk
    folder: Path
    started: list[Ssh] = field(default_factory=list)

    def key(self, name: str = "id", kind: str = "ed25519") -> Path:
        path = self.folder / name
        if not path.exists():
            size = ["-b", "2048"] if kind == "rsa" else []  # to find one of 3,072 bits takes a second
            made = ["ssh-keygen", "-q", "-t", kind, *size, "-N", "", "-f", str(path)]
            subprocess.run(made, check=True)
        return path

    def start(
        self,
        service: Service,
        *command: str,
        key: Path | None = None,
        password: str = "",
        tty: bool = True,
        before: tuple[str, ...] = (),
    ) -> Ssh:
        host, port = address(service)
        options = {
            "UserKnownHostsFile": self.folder / "known_hosts",
            "StrictHostKeyChecking": "accept-new",
            "IdentitiesOnly": "yes",
            "BatchMode": "no" if password else "yes",
            "NumberOfPasswordPrompts": "1",
            "LogLevel": "ERROR",
        }
        args = ["ssh", "-F", "/dev/null", "-p", str(port), "-l", "alice", *(["-tt"] if tty else ["-T"])]
        args += [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
        args += ["-i", str(key)] if key else ["-o", "PubkeyAuthentication=no"]
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "TERM": "xterm"}
        if password:
            (self.folder / "askpass").write_text(f"#!/bin/sh\necho '{password}'\n")
            (self.folder / "askpass").chmod(0o700)
            env |= {"SSH_ASKPASS": str(self.folder / "askpass"), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":none"}
        client = Ssh()
        self.desk.reactor.spawnProcess(client, "/usr/bin/ssh", [*args, *before, host, *command], env)
        self.started.append(client)
        return client


@pytest.fixture
def clients(desk: Desk, tmp_path: Path) -> Iterator[Clients]:
    class Whole:
        """Stands for the Post."""

        services: dict[str, Service] = {}  # noqa: RUF012

    folder = tmp_path / "client"
    folder.mkdir()
    whole = Whole()
    desk.surroundings = Surroundings(tmp_path, tmp_path / "data", {"post": whole})
    made = Clients(desk, folder)
    yield made
    for client in made.started:
        if client.code is None:
            client.transport.signalProcess("KILL")  # type: ignore[union-attr]
            pytest_twisted.blockon(ensureDeferred(client.ended()))


async def manhole(clients: Clients, **more: Any) -> Service:
    """A manhole that lets in the clients' key."""
    keys = clients.folder / "authorized_keys"
    keys.write_text(f"# mine\n\n{clients.key().with_suffix('.pub').read_text()}nonsense here\n")
    service = await clients.desk.start("ssh", "manhole", options={"authorized_keys": str(keys)} | more)
    clients.desk.surroundings.namespace["post"].services["the-door"] = service
    return service


def said(tape: Tape) -> list[str]:
    return [event.summary for event in tape.all("log", "limit.reached")]


@pytest_twisted.ensureDeferred
async def test_a_key_opens_a_prompt_that_knows_the_post(clients: Clients, tape: Tape) -> None:
    client = clients.start(await manhole(clients), key=clients.key())
    await client.sees("help() says what is here")
    client.type("post.services['the-door'].status\r")
    await client.sees("Listening(host='127.0.0.1:")
    client.type("the_door is services['the-door']\rhelp()\r")
    await client.sees("True")
    await client.sees("the_door")
    client.type("exit()\r")
    assert await client.ended() == 0
    await until(lambda: tape.all("connection.closed"))
    assert said(tape)[:5] == [
        "ssh login: alice by publickey",
        "ssh> post.services['the-door'].status",
        "ssh> the_door is services['the-door']",
        "ssh> help()",
        "ssh> exit()",
    ]
    [line] = [e for e in tape.all("log") if e.detail.get("line") == "help()"]
    assert line.conn == 1
    assert tape.data("data.received").startswith(b"SSH-2.0-OpenSSH")
    assert b"post.services" not in tape.data("data.received")


@pytest_twisted.ensureDeferred
async def test_what_a_line_raises_is_shown_and_recorded_and_the_prompt_lives_on(clients: Clients, tape: Tape) -> None:
    client = clients.start(await manhole(clients), key=clients.key())
    client.type("def f(x):\r    return x / 0\r\rf(41)\r")
    await client.sees("ZeroDivisionError: division by zero")
    client.type("6 * 7\r")
    await client.sees("42")
    client.type("input()\r")
    await client.sees("nobody can answer")
    client.type("\x04")
    await client.ended()
    failure = tape.all("failure")[0]
    assert failure.summary.startswith("ZeroDivisionError")
    assert ["x", "41"] in failure.detail["frames"][-1]["locals"]
    assert (failure.payload, failure.conn) == (b"f(41)", 1)


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
@pytest_twisted.ensureDeferred
async def test_a_key_may_be_of_another_kind_than_ours(kind: str, clients: Clients) -> None:
    key = clients.key(kind=kind)
    client = clients.start(await manhole(clients), key=key)
    await client.sees("help() says what is here")
    client.type("exit()\r")
    assert await client.ended() == 0


@pytest_twisted.ensureDeferred
async def test_another_key_is_refused_and_recorded(clients: Clients, tape: Tape) -> None:
    client = clients.start(await manhole(clients), key=clients.key("other"))
    assert await client.ended() == 255
    assert "Permission denied" in client.shown
    [refused] = tape.all("log")
    assert refused.summary == "ssh login refused: alice by publickey"
    assert refused.detail["peer"].startswith("127.0.0.1:")


@pytest_twisted.ensureDeferred
async def test_a_key_taken_out_of_the_file_lets_nobody_in_any_more(clients: Clients) -> None:
    service = await manhole(clients)
    (clients.folder / "authorized_keys").write_text("")
    assert await clients.start(service, key=clients.key()).ended() == 255


@pytest_twisted.ensureDeferred
async def test_a_password_opens_it_and_is_recorded_nowhere(clients: Clients, tape: Tape) -> None:
    service = await clients.desk.start("ssh", "manhole", options={"password": "open sesame"})
    client = clients.start(service, password="open sesame")
    client.type("1 + 1\r")
    await client.sees("2")
    client.type("exit()\r")
    assert await client.ended() == 0
    wrong = clients.start(service, password="close sesame")
    assert await wrong.ended() == 255
    assert said(tape) == [
        "ssh login: alice by password", "ssh> 1 + 1", "ssh> exit()", "ssh left: disconnected by user",
        "ssh login refused: alice by password",
    ]  # fmt: skip
    assert "sesame" not in repr(tape.all())


@pytest_twisted.ensureDeferred
async def test_it_starts_only_for_this_machine_and_only_with_a_lock(clients: Clients) -> None:
    for host, options, words in (
        ("0.0.0.0", {"password": "x"}, "is for this machine only"),
        ("::", {"password": "x"}, "is for this machine only"),
        ("127.0.0.1", {}, "the service needs a password or a file of authorized keys"),
    ):
        status = await clients.desk.service("ssh", "manhole", host, options=options).start()
        assert isinstance(status, Failed)
        assert words in status.reason


@pytest_twisted.ensureDeferred
async def test_commands_files_and_forwarding_are_refused(clients: Clients) -> None:
    service = await manhole(clients)
    command = clients.start(service, "ls", key=clients.key(), tty=False)
    assert await command.ended() == 1
    assert "only a prompt can be opened here" in command.shown
    forward = clients.start(service, key=clients.key(), tty=False)
    port = address(service)[1]
    through = clients.start(service, "-W", f"127.0.0.1:{port}", key=clients.key(), tty=False)
    assert await through.ended() != 0
    forward.type("print('still here')\r")
    await forward.sees("still here")


@pytest_twisted.ensureDeferred
async def test_who_types_no_more_still_sees_what_was_said(clients: Clients, tape: Tape) -> None:
    service = await manhole(clients)
    command = clients.start(service, "ls -l", key=clients.key(), tty=False)
    command.type_last("")
    assert await command.ended() == 1
    assert "only a prompt can be opened here" in command.shown
    assert "ssh refused: a command: ls -l" in said(tape)
    piped = clients.start(service, key=clients.key(), tty=False)
    piped.type_last("20 + 22\n")
    assert await piped.ended() == 0
    assert "42" in piped.shown


@pytest_twisted.ensureDeferred
async def test_prompts_over_one_connection_end_each_by_itself(clients: Clients) -> None:
    service = await manhole(clients, sessions=2)
    control = f"ControlPath={clients.folder / 'c'}"
    first = clients.start(service, "-M", "-o", control, key=clients.key(), tty=False)
    await first.sees(">>>")
    for number in (1, 2, 3):
        other = clients.start(service, "-o", control, key=clients.key(), tty=False)
        other.type_last(f"{number} + 40\n")
        assert await other.ended() == 0
        assert str(40 + number) in other.shown
    assert len(service.connections) == 1
    first.type_last("50 + 5\n")
    assert await first.ended() == 0
    assert "55" in first.shown


@pytest_twisted.ensureDeferred
async def test_one_prompt_too_many_is_refused_in_words(clients: Clients) -> None:
    service = await manhole(clients, sessions=1)
    first = clients.start(service, key=clients.key())
    await first.sees(">>>")
    second = clients.start(service, key=clients.key())
    await second.ended()
    assert "open already: 1" in second.shown
    first.type("exit()\r")
    await first.ended()


@pytest_twisted.ensureDeferred
async def test_a_silent_prompt_is_closed(clients: Clients, tape: Tape) -> None:
    client = clients.start(await manhole(clients, idle_seconds=0.05), key=clients.key())
    assert await client.ended() == 0
    assert "nothing typed for 0.05 s" in client.shown
    assert "nothing typed for 0.05 s" in said(tape)
    [reached] = tape.all("limit.reached")
    assert reached.detail == {"limit": "idle_seconds", "value": 0.05, "user": reached.detail["user"]}


@pytest_twisted.ensureDeferred
async def test_stopping_ends_live_prompts(clients: Clients) -> None:
    service = await manhole(clients)
    client = clients.start(service, key=clients.key())
    await client.sees(">>>")
    await service.stop(0.5)
    assert not service.connections
    await client.ended()


@pytest_twisted.ensureDeferred
async def test_the_host_key_stays_the_same_and_is_ours_alone(clients: Clients, tmp_path: Path) -> None:
    service = await manhole(clients)
    path = tmp_path / "data" / "ssh_host_key"
    before = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    await service.stop()
    assert isinstance(await service.start(), Listening)
    assert path.read_bytes() == before


def test_a_host_key_that_others_can_read_or_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    host_key(path)
    path.chmod(0o644)
    with pytest.raises(errors.HostKeyError, match="other users can read it"):
        host_key(path)
    path.chmod(0o600)
    path.write_text("no key")
    with pytest.raises(errors.HostKeyError, match="Delete it"):
        host_key(path)


# -- who does not log in, algorithms, and characters


@pytest.mark.parametrize("sent", [b"", b"SSH-2.0-silent\r\n", b"SSH-2.0-silent"], ids=["nothing", "version", "half"])
@pytest_twisted.ensureDeferred
async def test_a14_who_does_not_log_in_is_gone_in_time(
    sent: bytes, clients: Clients, tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(responder, "LOGIN_SECONDS", 0.2)
    service = await manhole(clients)
    peer = Peer(service)
    await peer.send(sent)
    await until(lambda: tape.all("connection.closed"))
    (reached,) = tape.all("limit.reached")
    assert (reached.summary, reached.detail["limit"]) == ("no login within 0.2 s: closing", "handshake_seconds")
    assert tape.all("connection.closed")[0].detail["reason"] == "closed by us: the login took too long"
    assert not service.connections
    assert b"the login took too long" in await peer.end()


@pytest_twisted.ensureDeferred
async def test_a14_a_prompt_stays_when_the_login_time_is_over(
    clients: Clients, tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(responder, "LOGIN_SECONDS", 8.0)
    service = await manhole(clients)
    client = clients.start(service, key=clients.key())
    await client.sees(">>>")
    (tap,) = service.connections.values()
    assert tap.wrappedProtocol._overdue is None  # type: ignore[attr-defined]
    client.type("exit()\r")
    await client.ended()


@pytest_twisted.ensureDeferred
async def test_b8_only_todays_algorithms_are_offered(clients: Clients) -> None:
    service = await manhole(clients)
    peer = Peer(service)
    await peer.send(b"SSH-2.0-looks\r\n")
    await until(lambda: b"none" in peer.pull().got)
    offered = bytes(peer.got)
    for old in (b"cbc", b"3des", b"arcfour", b"md5", b"sha1", b"ssh-rsa", b"ssh-dss", b"zlib", b"group14"):
        assert old not in offered.lower()
    for today in (b"curve25519-sha256", b"aes256-ctr", b"hmac-sha2-256", b"ssh-ed25519"):
        assert today in offered
    peer.reset()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("Ciphers", "aes128-cbc,3des-cbc"), ("MACs", "hmac-md5,hmac-sha1"),
        ("KexAlgorithms", "diffie-hellman-group14-sha1,diffie-hellman-group-exchange-sha1"),
    ],
)  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_b8_a_client_with_old_algorithms_only_is_refused(option: str, value: str, clients: Clients) -> None:
    service = await manhole(clients)
    client = clients.start(service, key=clients.key(), before=("-o", f"{option}={value}"))
    assert await client.ended() == 255


@pytest_twisted.ensureDeferred
async def test_b8_a_signature_with_sha1_lets_nobody_in(clients: Clients, tape: Tape) -> None:
    key = clients.key("old", kind="rsa")
    service = await manhole(clients)
    (clients.folder / "authorized_keys").write_text(key.with_suffix(".pub").read_text())
    options = ("-o", "PubkeyAcceptedAlgorithms=ssh-rsa")
    client = clients.start(service, key=key, before=options)
    assert await client.ended() == 255
    today = clients.start(service, key=key)
    await today.sees(">>>")
    today.type("exit()\r")
    await today.ended()


@pytest_twisted.ensureDeferred
async def test_c26_what_is_not_ascii_is_shown_and_evaluated(clients: Clients, tape: Tape) -> None:
    client = clients.start(await manhole(clients), key=clients.key())
    await client.sees(">>>")
    client.type("größe = 'häß 日本 🎉'; print(größe, len(größe))\r")
    await client.sees("häß 日本 🎉 8")
    assert "größe = 'häß 日本 🎉'" in client.shown
    client.type("\x1b[A")  # the line before, from the history
    await until(lambda: client.shown.count("print(größe, len(größe))") >= 2)
    client.type("\x1b[D + 1\r")
    await client.sees("häß 日本 🎉 9")
    client.type("'日本\x7f' + 'ö'\r")
    await client.sees("'日ö'")
    client.type("exit()\r")
    await client.ended()
    lines = [e.detail["line"] for e in tape.all("log") if "line" in e.detail]
    assert lines[0] == "größe = 'häß 日本 🎉'; print(größe, len(größe))"
    assert lines[1] == "größe = 'häß 日本 🎉'; print(größe, len(größe) + 1)"
    assert lines[2] == "'日' + 'ö'"


@pytest_twisted.ensureDeferred
async def test_c26_bytes_that_are_no_characters_ring_the_bell(clients: Clients) -> None:
    client = clients.start(await manhole(clients), key=clients.key())
    await client.sees(">>>")
    client.transport.write(b"1 \xe4+ 1 \xff+ 40\r")  # type: ignore[union-attr]
    await client.sees("42")
    assert "\a" in client.shown
    client.type("exit()\r")
    await client.ended()
