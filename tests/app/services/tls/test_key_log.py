"""app.services.tls.key_log."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from app.services.tls.errors import KeyLogError
from app.services.tls.key_log import KeyLog


def test_a_file_that_was_open_to_others_is_no_more(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_bytes(b"CLIENT_RANDOM 00ff ff00\n")
    file.chmod(0o644)
    KeyLog(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_bytes() == b"CLIENT_RANDOM 00ff ff00\n"


@pytest.mark.parametrize(
    "content", [b"# ~/.profile\nexport PATH=/bin\n", b"before\n", b"#" * 9999, b"\x7fELF", b"def f(): ...\n"]
)
def test_b3_a_file_that_holds_something_else_is_left_alone(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / ".profile"
    file.write_bytes(content)
    file.chmod(0o644)
    with pytest.raises(KeyLogError, match="it holds something else than session keys"):
        KeyLog(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert file.read_bytes() == content


def test_b3_a_link_that_appears_later_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "logs").mkdir()
    log = KeyLog(tmp_path / "logs" / "keys")
    (tmp_path / "logs" / "keys").unlink()
    (tmp_path / "logs").rmdir()
    (tmp_path / "logs").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError):  # noqa: PT011 - of several kinds
        log._append(b"SERVER_RANDOM 00 00\n")
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("read", [False, True], ids=["alone", "with a reader"])
def test_a_pipe_is_refused_at_once(read: bool, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK) if read else None
    with pytest.raises(KeyLogError, match="Cannot write session keys"):
        KeyLog(pipe)
    if reader is not None:
        os.close(reader)
