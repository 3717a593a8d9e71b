"""app.outposts.ways.keys, and the command that makes them."""

import pytest

from app.outposts.errors import KeyFileError
from app.outposts.ways import keys
from tests.helpers import run


def test_a_key_is_made_once_and_only_its_user_may_read_it(tmp_path):
    path = tmp_path / "pi-3.key"
    made = run("key", path)
    assert made.returncode == 0, made.stderr
    assert path.stat().st_mode & 0o777 == 0o600
    again = run("key", path)
    assert again.stdout == made.stdout == f"{keys.read(path).public}\n"
    (tmp_path / "pi-3.pub").write_text(f"{made.stdout.strip()} of the rack\n")
    assert keys.read_public(tmp_path / "pi-3.pub") == keys.read(path).public


def test_a_key_that_others_may_read_is_refused(tmp_path):
    keys.make(tmp_path / "k")
    (tmp_path / "k").chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        keys.read(tmp_path / "k")


def test_no_key_is_overwritten(tmp_path):
    (tmp_path / "k").write_text("mine")
    with pytest.raises(KeyFileError, match="File exists"):
        keys.make(tmp_path / "k")
    with pytest.raises(KeyFileError, match="it holds no key"):
        keys.read(tmp_path / "k")
    with pytest.raises(KeyFileError, match="it holds no public key"):
        keys.read_public(tmp_path / "k")
    with pytest.raises(KeyFileError, match="No such file"):
        keys.read(tmp_path / "none")
    assert run("key", tmp_path / "k").returncode == 1


def test_both_keys_differ_and_come_from_the_secret():
    one, other = keys.Key(b"1" * 32), keys.Key(b"2" * 32)
    assert one.public == keys.Key(b"1" * 32).public
    assert len({one.public.signing, one.public.sealing, other.public.signing, other.public.sealing}) == 4
