"""app.files.limit, and every command where the system gives few descriptors (A5)."""

import os
import resource
import subprocess

import pytest

from app.files import limit
from app.files.errors import TooFewFilesError
from tests.app.capture.captures import event, make
from tests.helpers import PROGRAM, ROOT, run_bytes

DEMO = ROOT / "resources" / "demo.toml"


def limited(files, *args):
    """A finished command that could have so many files open."""
    return run_bytes(*map(str, args), files=files)


def really_limited(files, *args, seconds=60, **more):
    """As ``limited``, where the interpreter and its imports have to do with so few as well."""
    return subprocess.run(
        [*PROGRAM, *map(str, args)], cwd=ROOT, capture_output=True, timeout=seconds, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files)), **more,
    )  # fmt: skip


def test_the_file_limit_is_raised_to_the_hard_one():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        limit.raise_file_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_no_descriptor_is_left_open_by_the_count():
    before = os.listdir("/proc/self/fd")
    limit.raise_file_limit()
    assert os.listdir("/proc/self/fd") == before


def test_a5_too_few_that_are_free_are_an_error_in_words(monkeypatch):
    monkeypatch.setattr(limit, "NEEDED", 1 << 30)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    monkeypatch.setattr(limit.os, "open", lambda *_: (_ for _ in ()).throw(OSError(24, "Too many open files")))
    with pytest.raises(TooFewFilesError, match=f"only {hard} files open at once"):
        limit.raise_file_limit()
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == max(soft, hard)


@pytest.mark.parametrize("files", [7, 10, 13, 16, 30])
def test_a5_serve_says_a_sentence_and_ends(files, tmp_path):
    start = really_limited if files == 7 else limited
    done = start(files, "serve", DEMO, "--for", "3", "--capture", tmp_path / "x.lpost")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"listening-post: This program may have only %d files open at once" % files)
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("args", [["send", "tcp://127.0.0.1:9", "x"], ["--separate"], ["selftest"]])
def test_a5_so_do_the_other_commands_and_the_window(args):
    if args == ["--separate"]:
        done = really_limited(12, *args, env=os.environ | {"QT_QPA_PLATFORM": "offscreen"})
    else:
        done = limited(12, *args)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"listening-post: This program may have only 12 files open at once")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("files", [5, 6, 7, 8, 12])
def test_a5_query_answers_or_says_a_sentence(files, tmp_path):
    path = make(tmp_path / "x.lpost", event(b"one"))
    done = (really_limited if files == 5 else limited)(files, "query", path, "--count")
    assert done.stdout == b"1\n" if done.returncode == 0 else done.stderr.startswith(b"listening-post: ")
    assert b"Traceback" not in done.stderr
    assert done.stderr.count(b"\n") == done.returncode


def test_a5_a_descriptor_above_the_limit_that_a_shell_has_left_us_does_not_keep_the_writer_from_starting(tmp_path):
    """The system starts no process that would have to close such a one."""
    reading, writing = os.pipe()
    os.dup2(writing, 250)
    workspace = tmp_path / "w.toml"
    workspace.write_text('version = 1\n[[service]]\nname = "a"\nprotocol = "tcp"\nlisten = "127.0.0.1:0"\n')
    try:
        done = really_limited(
            64, "serve", workspace, "--for", "0.5", "--quiet", "--capture", tmp_path / "x.lpost",
            pass_fds=[250],
        )  # fmt: skip
    finally:
        for number in (reading, writing, 250):
            os.close(number)
    assert (done.returncode, done.stderr) == (0, f"capturing into {tmp_path / 'x.lpost'}\n".encode())
