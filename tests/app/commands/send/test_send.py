"""``listening-post send``, as people and scripts run it."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from app.commands.send import running
from app.commands.send.order import Order
from app.sending.request import Request
from app.sending.url import parse
from tests import preloaded
from tests.app.sending.helpers import certificate, http_server, program, websockets_server
from tests.helpers import ROOT, Piped, run, run_bytes


def send(*args: object, data: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    return run_bytes("send", *map(str, args), data=data)


@pytest.fixture(scope="module")
def echo() -> Iterator[str]:
    with program("socat", "TCP-LISTEN:PORT,bind=127.0.0.1,fork", "PIPE") as port:
        yield f"tcp://127.0.0.1:{port}"


@contextmanager
def echo_of(count: int) -> Iterator[str]:
    """The URL of an echo for one client, that closes after so many bytes: nobody waits for silence.

    Fails where more came.
    """
    got = bytearray()

    def answer() -> None:
        client, _ = listening.accept()
        with client:
            while len(got) < count and (data := client.recv(65536)):
                got.extend(data)
                client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            while data := client.recv(65536):
                got.extend(data)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"tcp://127.0.0.1:{listening.getsockname()[1]}"
        thread.join(60)
    assert len(got) == count


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("web")
    (folder / "a.bin").write_bytes(bytes(range(256)) * 1000)
    with http_server(folder) as port:
        yield f"http://127.0.0.1:{port}"


def outcome(done: subprocess.CompletedProcess[bytes]) -> tuple[int, bytes, bytes]:
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("args", "data", "answer"),
    [
        ((r"h\x00\n",), None, b"h\0\n"),
        (("48 65", "--hex"), None, b"He"),
        ((os.fsdecode(b"\xff\xfe"),), None, b"\xff\xfe"),
        ((os.fsdecode(b"\xff{{number}}\xfe"), "--template"), None, b"\xff1\xfe"),
        (("{{number}};", "--template", "--repeat", 3, "--every", 5), None, b"1;2;3;"),
        (("-",), b"raw\\n\xff", b"raw\\n\xff"),
        (("-", "--hex"), b"41\n42\n", b"AB"),
        (("x", "--repeat", 1000), None, b"x" * 1000),
    ],
)
def test_what_comes_back_goes_to_standard_output(args: Any, data: bytes | None, answer: bytes) -> None:
    with echo_of(len(answer)) as url:
        assert outcome(send(url, *args, "--wait", 60, data=data)) == (0, answer, b"")


def test_it_leaves_after_silence(echo: str) -> None:
    assert outcome(send(echo, "x", "--wait", 2)) == (0, b"x", b"")


def test_data_may_stand_behind_options_and_begin_with_a_dash() -> None:
    with echo_of(2) as url:
        assert outcome(send("--wait", 60, url, "--hex", "41 42")) == (0, b"AB", b"")
    with echo_of(2) as url:
        assert outcome(send(url, "--wait", 60, "--", "-x")) == (0, b"-x", b"")


def test_a_file_is_sent(tmp_path: Path) -> None:
    content = bytes(range(256)) * 4000
    (tmp_path / "f").write_bytes(content)
    with echo_of(len(content)) as url:
        assert outcome(send(url, "--file", tmp_path / "f", "--wait", 60)) == (0, content, b"")


def test_it_ends_when_the_peer_closes(tmp_path: Path) -> None:
    with program("socat", "TCP-LISTEN:PORT,bind=127.0.0.1", "SYSTEM:echo hello") as port:
        assert outcome(send(f"tcp://127.0.0.1:{port}", "--wait", 30)) == (0, b"hello\n", b"")


def test_an_http_body_is_written_whatever_it_takes(web: str) -> None:
    assert outcome(send(f"{web}/a.bin")) == (0, bytes(range(256)) * 1000, b"")


def test_an_http_error_is_a_failure_if_asked_for(web: str) -> None:
    assert send(f"{web}/none").returncode == 0
    code, _, said = outcome(send(f"{web}/none", "--fail"))
    assert (code, said) == (1, f"listening-post: {web[7:]} answered 404.\n".encode())


def test_verbose_tells_of_status_and_fields(web: str) -> None:
    said = send(f"{web}/a.bin", "-v", "--method", "HEAD", "--field", "X-A: 1").stderr.decode()
    assert "* connected to 127.0.0.1:" in said
    assert "< HTTP/1.0 200 OK\n" in said
    assert "< Content-Length: 256000\n" in said


def test_websocket_messages_come_back() -> None:
    with websockets_server() as port:
        assert outcome(send(f"ws://127.0.0.1:{port}/", "hello", "--wait", 2)) == (0, b"hello", b"")


def test_certificates_are_verified_unless_told_otherwise(tmp_path: Path) -> None:
    file = certificate(tmp_path, "127.0.0.1")
    with program("openssl", "s_server", "-accept", "PORT", "-cert", file, "-key", file, "-quiet", "-rev") as port:
        code, out, said = outcome(send(f"tls://127.0.0.1:{port}", r"abc\n"))
        assert (code, out) == (1, b"")
        assert said.count(b"\n") == 1
        assert b"is not trusted" in said
        assert outcome(send(f"tls://127.0.0.1:{port}", r"abc\n", "--insecure")) == (0, b"cba\n", b"")


def test_a_server_that_wants_a_certificate_gets_ours_if_there_is_one(tmp_path: Path) -> None:
    file = certificate(tmp_path, "127.0.0.1")
    alone, key = tmp_path / "alone.pem", tmp_path / "key.pem"
    secret, begin, public = file.read_text().partition("-----BEGIN CERTIFICATE")
    key.write_text(secret)
    alone.write_text(begin + public)
    wanting = ("-Verify", "1", "-verify_return_error", "-CAfile", file, "-quiet", "-rev")
    with program("openssl", "s_server", "-accept", "PORT", "-cert", file, "-key", file, *wanting) as port:
        url = f"tls://127.0.0.1:{port}"
        code, out, said = outcome(send(url, r"abc\n", "--insecure"))
        wants = "requires a client certificate. Name a file with one that it trusts, and its key (--certificate)."
        assert (code, out, said.decode()) == (1, b"", f"listening-post: 127.0.0.1:{port} {wants}\n")
        for ours in ((file,), (alone, "--key", key)):
            shown = send(url, r"abc\n", "--insecure", "--certificate", *ours)
            assert outcome(shown) == (0, b"cba\n", b"")
        assert b"There is no private key in" in send(url, "x", "--certificate", alone).stderr


@pytest.mark.parametrize("scheme", ["tcp", "tls", "udp", "http", "https", "ws", "wss"])
def test_a_refusal_is_one_sentence_and_exit_code_1(scheme: str) -> None:
    code, out, said = outcome(send(f"{scheme}://127.0.0.1:9", "x"))
    assert (code, out) == (1, b"")
    wanted = "127.0.0.1:9 refused the connection: nothing listens there. Start the server or check the port."
    assert said.decode() == f"listening-post: {wanted}\n"


@pytest.mark.parametrize(
    "args",
    [
        ("nonsense",), ("tcp://127.0.0.1",), ("tcp://127.0.0.1:9", r"\q"), ("tcp://127.0.0.1:9", "4", "--hex"),
        ("tcp://127.0.0.1:9", "{{", "--template"), ("tcp://127.0.0.1:9", "x", "--field", "a: b"),
        ("http://127.0.0.1:9", "--field", "none"), ("http://127.0.0.1:9", "--method", "A B"),
        ("ws://127.0.0.1:9", "--method", "GET"), ("tcp://127.0.0.1:9", "x", "--file", "y"),
        ("tcp://127.0.0.1:9", "x", "--certificate", "f"), ("tls://127.0.0.1:9", "x", "--key", "f"),
        ("tcp://127.0.0.1:9", "x", "--repeat", "-1"), ("tcp://127.0.0.1:9", "x", "--every", "soon"),
    ],
)  # fmt: skip
def test_wrong_usage_is_one_line_and_exit_code_2(args: tuple[str, ...]) -> None:
    code, out, said = outcome(send(*args))
    assert (code, out) == (2, b"")
    assert said.startswith(b"listening-post: ")
    assert said.count(b"\n") == 1


def test_it_is_quiet_when_its_reader_has_had_enough(echo: str, tmp_path: Path) -> None:
    script = '"$@" | head -c 5; echo " ${PIPESTATUS[0]}"'
    orders = preloaded.command(tmp_path / "program")
    command = ["bash", "-c", script, "sh", tmp_path / "program", "send", echo, "hello", "--repeat", "0"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=True, pass_fds=[orders]
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("hello 0\n", "")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("more", [(), ("--repeat", "0", "--every", "20")], ids=["waiting", "sending"])
def test_a_signal_ends_it_without_a_word(echo: str, number: int, code: int, more: tuple[str, ...]) -> None:
    with Piped("send", echo, "x", "--wait", "30", *more) as process:
        assert process.stdout.read(1) == b"x"
        process.send_signal(number)
        _, said = process.communicate()
    assert (process.returncode, said) == (code, b"")


@pytest.mark.parametrize(
    ("where", "reason"), [("/dev/full", "No space left on device"), ("", "Bad file descriptor")], ids=["full", "closed"]
)
def test_it_says_when_standard_output_cannot_be_written(echo: str, where: str, reason: str) -> None:
    with open(where or os.devnull, "wb") as out:
        done = run_bytes("send", echo, "x", out=out.fileno(), closed=[] if where else [1])
    assert (done.returncode, done.stderr.decode()) == (
        1, f"listening-post: Cannot write standard output: {reason}.\n",
    )  # fmt: skip


def test_it_captures_into_a_file_if_asked_to(tmp_path: Path) -> None:
    capture = tmp_path / "c.lpost"
    with echo_of(5) as url:
        assert send(url, "hello", "--wait", 60, "--capture", capture).returncode == 0
    printed = run("query", capture).stdout.splitlines()
    assert [line.split()[2] for line in printed] == ["send"] * 4
    kinds = [line.split()[4] for line in printed]
    assert kinds == ["connection.opened", "data.sent", "data.received", "connection.closed"]


def test_it_sends_nothing_that_cannot_be_captured(echo: str, tmp_path: Path) -> None:
    capture = tmp_path / "c.lpost"
    capture.touch()
    with open(capture, "rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        code, out, said = outcome(send(echo, "hello", "--wait", 2, "--capture", capture))
    words = f"listening-post: {capture} is in use by another program. Close that, or capture into another file\n"
    assert (code, out, said.decode()) == (1, b"", words)


@pytest_twisted.ensureDeferred
async def test_it_says_what_of_it_was_not_captured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from twisted.internet import reactor

    order = Order(Request(parse("tcp://127.0.0.1:9")), None, capture=tmp_path / "c.lpost")
    whole = running._Run(reactor, order)
    whole._post.recorder.lost_before(2)
    await whole.shut_down()
    assert whole.exit_code == 1
    assert capsys.readouterr().err == "listening-post: 2 of 2 events were not captured\n"


def test_without_a_capture_it_leaves_no_file(echo: str, tmp_path: Path) -> None:
    env = {"XDG_DATA_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    assert run_bytes("send", echo, "x", "--wait", "0.3", environment=env).returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_it_loads_no_qt(echo: str) -> None:
    script = (
        "import sys; from app.commands import main as cli\n"
        "code = cli.main(sys.argv[1:], None)\n"
        "print(code, [m for m in sys.modules if m.split('.')[0] in ('PyQt5', 'qt5reactor', 'sip', 'ui')])"
    )
    command = [sys.executable, "-c", script, "send", echo, r"x\n", "--wait", "2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=True)
    assert done.stdout == "x\n0 []\n"


# -- variables, headers and saved messages


WORKSPACE = """version = 1

[variables]
who = "Ann"
base = "{base}"

[[message]]
name = "hello"
url = "{{{{base}}}}"
form = "plain"
data = "{{{{who}}}} and {{{{other}}}}"

[[message]]
name = "odd"
url = "http://x/"
method = "a b"
"""


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[str], Path]:
    def save(base: str) -> Path:
        path = tmp_path / "w.toml"
        path.write_text(WORKSPACE.format(base=base))
        return path

    return save


def test_variables_of_a_workspace_are_filled_in(saved: Callable[[str], Path]) -> None:
    with echo_of(4) as url:
        done = send("{{base}}", "{{who}}!", "--as", "plain", "--workspace", saved(url), "--wait", 60)
        assert outcome(done) == (0, b"Ann!", b"")


def test_a_saved_message_is_sent_by_its_name(saved: Callable[[str], Path]) -> None:
    with echo_of(11) as url:
        done = send("--workspace", saved(url), "--message", "hello", "--set", "other=Bob", "--wait", 60)
        assert outcome(done) == (0, b"Ann and Bob", b"")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["{{bas}}", "x"], b"There is no variable bas: known are who, base"),
        (["--message", "hello"], b"There is no variable other: known are number, who, base"),
        (["--message", "bye"], b"there is no message bye in the workspace. It has hello, odd"),
        (["--message", "hello", "tcp://x:1"], b"--message brings its URL"),
        ([], b"a URL is missing"),
        (["--message", "odd"], b"a b is not a method"),
        (["tcp://x:1", "--set", "a"], b"--set a has no value"),
        (["tcp://x:1", "--set", "counter=1"], b"--set counter is taken"),
    ],
)
def test_what_is_wrong_with_names_is_told_before_anything_is_sent(
    saved: Callable[[str], Path], args: list[str], words: bytes
) -> None:
    done = send("--workspace", saved("tcp://127.0.0.1:9"), *args)
    assert done.returncode == 2
    assert words in done.stderr


def test_variables_that_are_wrong_are_told_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "w.toml"
    path.write_text("version = 1\n\n[variables]\n1a = 'x'\n")
    done = send("tcp://127.0.0.1:9", "x", "--workspace", path)
    assert (done.returncode, b"w.toml:4: variables.1a: is not a valid name" in done.stderr) == (1, True)


def test_headers_and_forms_go_out_as_they_are_typed() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
    got = bytearray()

    def serve(listening: socket.socket) -> None:
        client, _ = listening.accept()
        with client:
            while b"a=1%262" not in got:
                got.extend(client.recv(65536))
            client.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/x"
        done = send(url, "a=1&2", "--as", "form", "-H", "x-lower: {{v}}", "--header", "X-Two: 2", "--set", "v=7")
        thread.join(60)
    assert outcome(done) == (0, b"ok", b"")
    head, _, body = bytes(got).partition(b"\r\n\r\n")
    assert body == b"a=1%262"
    assert b"\r\nx-lower: 7\r\nX-Two: 2\r\nContent-Type: application/x-www-form-urlencoded" in head
