"""Conversations by hand."""

from __future__ import annotations

import os
import pty
from pathlib import Path
from typing import Any

import pytest

from app.commands.send.converse import Lines
from app.sending.contents import MAX_DATA
from tests.app.sending.helpers import certificate, program, websockets_server
from tests.helpers import Piped, run_bytes


def conversing(*args: object, **more: Any) -> Piped:
    return Piped("send", *args, "--converse", **more)


def say(process: Any, data: bytes) -> None:
    process.stdin.write(data)
    process.stdin.flush()


def test_what_is_typed_is_answered_at_once() -> None:
    with (
        program("socat", "TCP-LISTEN:PORT,bind=127.0.0.1", "EXEC:cat") as port,
        conversing(f"tcp://127.0.0.1:{port}") as process,
    ):
        for line in (b"one\n", b"two\n", b"\xff no end"):
            say(process, line)
            assert process.stdout.read(len(line)) == line
        assert process.communicate() == (b"", b"")
        assert process.returncode == 0


def test_at_its_end_only_our_side_is_closed() -> None:
    with program("socat", "TCP-LISTEN:PORT,bind=127.0.0.1", "SYSTEM:wc -c; echo bye") as port:
        done = run_bytes("send", f"tcp://127.0.0.1:{port}", "--converse", "--wait", "60", data=b"hello")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"5\nbye\n", b"")


def test_over_tls_it_is_the_same(tmp_path: Path) -> None:
    file = certificate(tmp_path, "127.0.0.1")
    with (
        program("openssl", "s_server", "-accept", "PORT", "-cert", file, "-key", file, "-quiet", "-rev") as port,
        conversing(f"tls://127.0.0.1:{port}", "--insecure") as process,
    ):
        for line, answer in ((b"abc\n", b"cba\n"), (b"de\n", b"ed\n")):
            say(process, line)
            assert process.stdout.read(len(line)) == answer
        assert process.communicate() == (b"", b"")
        assert process.returncode == 0


def test_each_line_is_a_message_of_a_websocket() -> None:
    with websockets_server() as port, conversing(f"ws://127.0.0.1:{port}", "--wait", "2") as process:
        say(process, b"one\ntwo\n")
        assert process.stdout.read(8) == b"one\ntwo\n"
        assert process.communicate(b"rest") == (b"rest\n", b"")
        assert process.returncode == 0


def test_c15_each_message_that_comes_is_a_line_and_binary_is_told_apart() -> None:
    with websockets_server() as port, conversing(f"ws://127.0.0.1:{port}", "--wait", "2") as process:
        said = b"a\nb\n\xff\x00\n\nc"
        out, _ = process.communicate(said)
    assert out == b"a\nb\n(binary, 2 bytes) ff 00\n\nc\n"


def test_it_ends_when_the_peer_closes_though_input_goes_on() -> None:
    with (
        program("socat", "TCP-LISTEN:PORT,bind=127.0.0.1", "SYSTEM:echo hello") as port,
        conversing(f"tcp://127.0.0.1:{port}") as process,
    ):
        assert process.wait(100) == 0
        assert process.stdout.read() == b"hello\n"


def test_a_terminal_is_left_as_it_was(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    with (
        program("socat", "TCP-LISTEN:PORT,bind=127.0.0.1", "EXEC:cat") as port,
        conversing(f"tcp://127.0.0.1:{port}", "--wait", "0.3", stdin=theirs) as process,
    ):
        os.write(ours, b"typed\n")
        assert process.stdout.read(6) == b"typed\n"
        os.write(ours, b"\x04")
        assert process.wait(100) == 0
    assert os.get_blocking(theirs)
    os.close(ours)
    os.close(theirs)


def test_a_file_for_standard_input_is_sent_whole(tmp_path: Path) -> None:
    data = bytes(range(256)) * 2000
    (tmp_path / "in").write_bytes(data)
    with (
        program("socat", "TCP-LISTEN:PORT,bind=127.0.0.1", "EXEC:cat") as port,
        (tmp_path / "in").open("rb") as file,
        conversing(f"tcp://127.0.0.1:{port}", stdin=file.fileno()) as process,
    ):
        found, said = process.communicate()
    assert (process.returncode, found == data, said) == (0, True, b"")


@pytest.mark.parametrize("args", [("udp://127.0.0.1:9",), ("http://127.0.0.1:9",), ("tcp://127.0.0.1:9", "data")])
def test_what_cannot_be_conversed_with_is_wrong_usage(args: tuple[str, ...]) -> None:
    done = run_bytes("send", *args, "--converse")
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)


# -- lines


def test_a_line_is_held_until_it_is_whole() -> None:
    lines = Lines()
    assert list(lines.cut(b"on")) == []
    assert list(lines.cut(b"e\ntwo\nth")) == [b"one", b"two"]
    assert list(lines.cut(b"\n\nree")) == [b"th", b""]
    assert list(lines.cut(b"")) == [b"ree"]
    assert list(lines.cut(b"")) == []


def test_a_line_without_end_is_held_no_longer_than_it_may_be() -> None:
    lines = Lines()
    assert list(lines.cut(bytes(MAX_DATA))) == []
    assert [len(line) for line in lines.cut(b"x")] == [MAX_DATA + 1]
