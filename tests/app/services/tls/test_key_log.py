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
    file.write_bytes(b"before\n")
    file.chmod(0o644)
    KeyLog(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_bytes() == b"before\n"


@pytest.mark.parametrize("read", [False, True], ids=["alone", "with a reader"])
def test_a_pipe_is_refused_at_once(read: bool, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK) if read else None
    with pytest.raises(KeyLogError, match="Cannot write session keys"):
        KeyLog(pipe)
    if reader is not None:
        os.close(reader)
