"""app.capture.link: recorder, link and writer process together, and what can happen to the file."""

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
from time import monotonic, time_ns

import pytest
import pytest_twisted
from twisted.internet.error import ProcessDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from app import events
from app.capture import link as module
from app.capture import recorder
from app.capture.reading.store import Store
from app.capture.recorder import LOSE_ABOVE
from app.capture.writing.writer import RETRY
from tests import writers
from tests.app.capture.captures import event, is_sound, make, payloads, read
from tests.app.capture.capturing import Capturing, capturing
from tests.helpers import until

pytestmark = pytest.mark.usefixtures("soon")


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr(module, "RESTART", 0.05)


@pytest.fixture
def for_real():
    """Writers are started as in a program, not forked from one that is loaded."""
    with writers.started_for_real():
        yield


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.lpost"


@pytest.mark.usefixtures("for_real")
@pytest_twisted.ensureDeferred
async def test_every_event_reaches_the_file_once(path):
    async with capturing(path) as one:
        for _ in range(100):
            one.batch()
    assert payloads(path) == one.recorded
    assert one.recorder.stored == 1000
    assert is_sound(path)


@pytest_twisted.ensureDeferred
async def test_closing_stores_what_no_batch_has_taken_yet(path):
    async with capturing(path) as one:
        one.recorded.append(b"last")
        one.recorder.record(events.DATA_RECEIVED, payload=b"last")
    assert payloads(path) == [b"last"]


@pytest.mark.usefixtures("for_real")
@pytest_twisted.ensureDeferred
async def test_a_writer_killed_under_load_is_replaced_and_every_batch_is_there_once(path):
    async with capturing(path) as one:
        for _ in range(3):
            for _ in range(30):
                one.batch(50, size=2000)
            stored = one.recorder.stored
            await until(lambda: one.recorder.stored > stored)  # noqa: B023
            os.kill(one.pid, signal.SIGKILL)
            for _ in range(10):
                one.batch(50, size=2000)
            await one.in_trouble("ended unasked")
            one.batch(50)
            await until(lambda: one.recorder.trouble is None)
        await one.all_stored()
    assert payloads(path) == one.recorded
    assert one.recorder.lost == 0
    assert is_sound(path)


@pytest_twisted.ensureDeferred
async def test_batches_sent_into_a_broken_pipe_are_not_lost(path):
    """The pipe may break long before the end of the process is known."""
    async with capturing(path) as one:
        pid = one.pid
        os.kill(pid, signal.SIGSTOP)
        for _ in range(20):
            one.batch(100, size=10_000)
        os.kill(pid, signal.SIGKILL)

        def send_more():
            one.batch(1)
            return not one.recorder.connected

        await until(send_more)
        one.batch(5)
        await one.all_stored()
    assert payloads(path) == one.recorded


@pytest_twisted.ensureDeferred
async def test_closing_while_the_writer_is_dead_still_stores_all(path, monkeypatch):
    monkeypatch.setattr(module, "RESTART", 60)
    monkeypatch.setattr(module, "GRACE", 30)  # a new one has to start
    monkeypatch.setattr(module, "GRACE_IN_TROUBLE", 0)
    async with capturing(path) as one:
        os.kill(one.pid, signal.SIGKILL)
        await one.in_trouble("ended unasked")
        one.batch()
    assert payloads(path) == one.recorded
    assert one.recorder.lost == 0


@pytest_twisted.ensureDeferred
async def test_closing_an_idle_link_whose_writer_is_dead_leaves_nothing_running(path, monkeypatch):
    monkeypatch.setattr(module, "RESTART", 60)
    async with capturing(path) as one:
        os.kill(one.pid, signal.SIGKILL)
        await one.in_trouble("ended unasked")
    assert (one.recorder.seen, one.recorder.lost) == (0, 0)


@pytest_twisted.ensureDeferred
async def test_a_writer_that_hangs_at_the_end_is_killed_and_its_batches_counted_as_lost(path, monkeypatch):
    monkeypatch.setattr(module, "GRACE", 0.1)
    monkeypatch.setattr(module, "PATIENCE", 0.2)
    async with capturing(path) as one:
        os.kill(one.pid, signal.SIGSTOP)
        one.batch(10)
    assert (one.recorder.stored, one.recorder.lost) == (0, 10)


@pytest_twisted.ensureDeferred
async def test_a_writer_that_is_slow_at_the_end_may_store_what_it_was_sent(path, monkeypatch):
    monkeypatch.setattr(module, "GRACE", 0.0)
    one = await Capturing(path).open()
    looked, hurry = [], one.link._hurry
    monkeypatch.setattr(one.link, "_hurry", lambda: looked.append(hurry()))
    os.kill(one.pid, signal.SIGSTOP)
    one.batch(10)
    closed = one.link.close()
    await until(lambda: len(looked) > 1)
    os.kill(one.pid, signal.SIGCONT)
    await closed
    assert (one.recorder.stored, one.recorder.lost) == (10, 0)
    assert payloads(path) == one.recorded


@pytest_twisted.ensureDeferred
async def test_services_may_start_when_the_writer_cannot(path, monkeypatch):
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    async with capturing(path) as one:
        one.batch()
        assert one.recorder.trouble
    assert one.recorder.lost == 10


@pytest_twisted.ensureDeferred
async def test_a_refused_file_is_said_once_and_everything_counted_as_lost(path):
    path.write_bytes(b"notes")
    async with capturing(path) as one:
        one.batch()
        await one.in_trouble("is not a capture")
        await until(lambda: one.pid is None)
        assert len(one.troubles) == 1
    assert (one.recorder.stored, one.recorder.lost) == (0, 10)
    assert path.read_bytes() == b"notes"


@pytest_twisted.ensureDeferred
async def test_closing_ends_although_a_listener_raises(path, logged_failures):
    async with capturing(path) as one:
        one.recorder.stored_changed.connect(lambda _: 1 / 0)
        one.batch()
    assert payloads(path) == one.recorded
    raised = []
    await until(lambda: raised.extend(logged_failures(ZeroDivisionError)) or len(raised) >= 2)


# -- a writer that cannot write


def mount(*args):
    """Whether this machine lets us."""
    return (
        bool(shutil.which("mount"))
        and not subprocess.run(["mount", *args], capture_output=True, check=False).returncode
    )


def umount(folder):
    # At once, also while a writer looks at it.
    subprocess.run(["umount", "-l", folder], check=True)


@contextlib.contextmanager
def small_disk(folder):
    """A disk of 1 MB, where one can be mounted; yields whether it was."""
    folder.mkdir()
    mounted = mount("-t", "tmpfs", "-o", "size=1m", "none", folder)
    try:
        yield mounted
    finally:
        if mounted:
            umount(folder)


@pytest_twisted.ensureDeferred
async def test_a_full_disk_is_said_and_the_capture_goes_on_when_there_is_room(tmp_path):
    folder = tmp_path / "disk"
    with small_disk(folder) as mounted:
        async with capturing(folder / "x.lpost") as one:
            one.batch()
            await one.all_stored()
            before = time_ns()
            filler = folder / "filler"
            if mounted:
                filler.write_bytes(b"x" * 500_000)
            else:
                resource.prlimit(one.pid, resource.RLIMIT_FSIZE, (200_000, -1))
            one.batch(100, size=5000)
            one.batch()
            # A limit on the size of files is no full disk to SQLite.
            await one.in_trouble("No space left" if mounted else "cannot be written")
            assert before < one.recorder.trouble.since < time_ns()
            assert one.recorder.stored == 10
            if mounted:
                os.remove(filler)
                assert mount("-o", "remount,size=16m", folder)
            else:
                resource.prlimit(one.pid, resource.RLIMIT_FSIZE, (-1, -1))
            await one.all_stored()
        assert payloads(one.path) == one.recorded
        assert is_sound(one.path)
        assert one.recorder.lost == 0


@pytest_twisted.ensureDeferred
async def test_what_did_not_fit_is_counted_as_lost(path):
    async with capturing(path) as one:
        one.batch()
        await one.all_stored()
        resource.prlimit(one.pid, resource.RLIMIT_FSIZE, (50_000, -1))
        for _ in range(LOSE_ABOVE // 2_000_000 + 6):
            one.batch(2, size=1_000_000)
        await one.in_trouble("cannot be written")
        one.batch(2, size=1_000_000)
        assert one.recorder.lost > 0
        assert not one.recorder.pressed
        resource.prlimit(one.pid, resource.RLIMIT_FSIZE, (-1, -1))
        await one.all_stored()
        one.batch()
        lost = one.recorder.lost
    assert read(path, "SELECT value FROM meta WHERE key = 'lost'") == [(lost,)]
    stored = [payload for payload in payloads(path) if payload is not None]  # the event of the loss has none
    assert len(stored) == len(one.recorded) - lost
    assert stored == one.recorded[: len(stored) - 10] + one.recorded[-10:]


@contextlib.contextmanager
def unwritable(folder):
    """A folder in which nothing can be made: mounted read-only; where that is not allowed, a file."""
    folder.mkdir()
    bind = mount("--bind", folder, folder)
    if bind and not mount("-o", "remount,bind,ro", folder):
        umount(folder)
        bind = False
    if not bind:
        folder.rmdir()
        folder.touch()
    mended = False

    def mend():
        nonlocal mended
        if not mended and bind:
            umount(folder)
        elif not mended:
            folder.unlink()
        mended = True

    try:
        yield mend
    finally:
        mend()


@pytest_twisted.ensureDeferred
async def test_a_read_only_folder_is_said_and_used_once_it_can_be(tmp_path):
    with unwritable(tmp_path / "folder") as mend:
        async with capturing(tmp_path / "folder" / "x.lpost") as one:
            assert one.recorder.trouble.text.startswith(str(one.path))
            assert "cannot be" in one.recorder.trouble.text
            one.batch()
            mend()
            await one.all_stored()
        assert payloads(one.path) == one.recorded


@pytest_twisted.ensureDeferred
async def test_a_path_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    async with capturing(tmp_path / "file" / "folder" / "x.lpost") as one:
        assert "is below something that is not a folder" in one.recorder.trouble.text
        assert one.link.refused


# -- a file taken away


async def lose_file(one, how):
    one.batch()
    await one.all_stored()
    how()
    one.batch()
    await until(lambda: one.recorder.idle)
    one.batch()
    await one.all_stored()


@pytest.mark.parametrize("also", [(), ("-wal",), ("-wal", "-shm")])
@pytest_twisted.ensureDeferred
async def test_a_deleted_file_comes_back_with_all_it_held(path, also):
    async with capturing(path) as one:
        await lose_file(one, lambda: [os.remove(f"{path}{end}") for end in ("", *also)])
        assert ["was deleted or moved" in t.text if t else t for t in one.troubles] == [True, None]
    assert payloads(path) == one.recorded
    assert is_sound(path)
    assert os.listdir(path.parent) == [path.name]


@pytest_twisted.ensureDeferred
async def test_peers_wait_while_a_deleted_file_is_made_anew(path, monkeypatch):
    """However much comes: without it, all above 64 MiB was lost while a large file was copied."""
    monkeypatch.setattr(recorder, "PAUSE_ABOVE", 100_000)
    monkeypatch.setattr(recorder, "RESUME_BELOW", 50_000)
    monkeypatch.setattr(recorder, "LOSE_ABOVE", 200_000)
    async with capturing(path) as one:
        held = []
        one.batch(1000, size=10_000)
        await one.all_stored()
        one.recorder.trouble_changed.connect(
            lambda trouble: (
                [one.batch(100, size=10_000) for _ in range(3) if trouble] and held.append(one.recorder.pressed)
            )
        )
        path.unlink()
        one.batch()
        await until(lambda: held)
        await one.all_stored()
        assert held == [True]
        assert not one.recorder.pressed
    assert payloads(path) == one.recorded
    assert one.recorder.lost == 0


@pytest_twisted.ensureDeferred
async def test_a_file_that_cannot_be_made_anew_holds_nobody_back(tmp_path, monkeypatch):
    monkeypatch.setattr(recorder, "PAUSE_ABOVE", 100_000)
    folder = tmp_path / "folder"
    async with capturing(folder / "x.lpost") as one:
        one.batch()
        await one.all_stored()
        shutil.rmtree(folder)
        folder.touch()
        one.batch(100, size=10_000)
        await one.in_trouble("is not a folder")
        assert not one.recorder.pressed
        troubles = len(one.troubles)
        began = monotonic()
        await until(lambda: monotonic() > began + 3 * RETRY)
        assert len(one.troubles) == troubles
        folder.unlink()
        await one.all_stored()
    assert payloads(one.path) == one.recorded


def remove(log):
    log.unlink()


def empty(log):
    os.truncate(log, 0)


def halve(log):
    os.truncate(log, log.stat().st_size // 2)


def overwrite(log):
    log.write_bytes(b"\xff" * 4096)


def overwrite_all(log):
    with log.open("r+b") as file:
        file.write(b"\xff" * log.stat().st_size)


@pytest.mark.parametrize("harm", [remove, empty, halve, overwrite])
@pytest_twisted.ensureDeferred
async def test_a_log_that_is_removed_or_cut_off_is_noticed_and_nothing_is_lost(path, harm):
    """While the writer runs, it still has what the log held."""
    async with capturing(path) as one:
        one.batch(100, size=1000)
        await one.all_stored()
        harm(path.with_name(f"{path.name}-wal"))
        one.batch(100, size=1000)
        await until(lambda: None in one.troubles)
        await one.all_stored()
        assert "log of" in one.troubles[0].text
        os.kill(one.pid, signal.SIGKILL)
        await one.in_trouble("ended unasked")
        one.batch()
        await one.all_stored()
    assert payloads(path) == one.recorded
    assert one.recorder.lost == 0
    assert is_sound(path)
    assert os.listdir(path.parent) == [path.name]


@pytest_twisted.ensureDeferred
async def test_what_only_an_overwritten_log_held_is_counted_as_lost(path):
    async with capturing(path) as one:
        one.batch(100, size=1000)
        await one.all_stored()
        overwrite_all(path.with_name(f"{path.name}-wal"))
        one.batch(10, size=1000)
        await until(lambda: None in one.troubles)
        await one.all_stored()
        assert one.recorder.lost == 100
        one.recorder.flush()
        await one.all_stored()
        await until(lambda: one.recorder.losses.told == 1)
        await one.all_stored()
    stored = payloads(path)
    assert [payload for payload in stored if payload] == one.recorded[100:]
    assert read(path, "SELECT value FROM meta WHERE key = 'lost'") == [(100,)]
    assert is_sound(path)


@pytest.mark.parametrize("harm", [remove, empty, overwrite_all])
@pytest_twisted.ensureDeferred
async def test_what_a_killed_writer_had_in_a_lost_log_is_counted_as_lost(path, harm):
    """It was stored, and said so; the next writer finds a file without it."""
    async with capturing(path) as one:
        for _ in range(3):
            one.batch(10)
        await one.all_stored()
        os.kill(one.pid, signal.SIGSTOP)  # so that it does not notice
        harm(path.with_name(f"{path.name}-wal"))
        os.kill(one.pid, signal.SIGKILL)
        await one.in_trouble("ended unasked")
        one.batch(10)
        await one.all_stored()
        await until(lambda: one.recorder.losses.told == 1)
        await one.all_stored()
        assert (one.recorder.lost, one.recorder.stored) == (30, 11)
    [(detail,)] = read(path, "SELECT detail FROM event WHERE kind = ?", events.LOST)
    assert "removed or damaged" in detail
    assert '"count": 30' in detail
    assert read(path, "SELECT value FROM meta WHERE key = 'lost'") == [(30,)]


@pytest_twisted.ensureDeferred
async def test_a_removed_folder_comes_back_with_the_file(tmp_path):
    folder = tmp_path / "folder"
    async with capturing(folder / "x.lpost") as one:
        await lose_file(one, lambda: shutil.rmtree(folder))
    assert payloads(one.path) == one.recorded
    assert is_sound(one.path)


@pytest_twisted.ensureDeferred
async def test_a_removed_folder_in_whose_place_is_a_file_is_waited_for(tmp_path):
    folder = tmp_path / "folder"
    async with capturing(folder / "x.lpost") as one:
        one.batch()
        await one.all_stored()
        shutil.rmtree(folder)
        folder.touch()
        one.batch()
        await one.in_trouble("is not a folder")
        folder.unlink()
        await one.all_stored()
    assert payloads(one.path) == one.recorded


@pytest_twisted.ensureDeferred
async def test_a_file_moved_away_stays_whole_and_the_capture_goes_on_in_its_place(path):
    elsewhere = path.with_name("elsewhere.lpost")
    async with capturing(path) as one:
        await lose_file(one, lambda: path.rename(elsewhere))
    assert payloads(path) == one.recorded
    assert payloads(elsewhere) == one.recorded[:10]
    assert is_sound(path)
    assert is_sound(elsewhere)


@pytest_twisted.ensureDeferred
async def test_another_capture_in_its_place_is_added_to_and_what_was_held_is_kept(path):
    other = make(path.with_name("other.lpost"), event(b"other"), run="another")
    async with capturing(path) as one:
        await lose_file(one, lambda: other.replace(path))
    assert payloads(path) == [b"other", *one.recorded[10:]]
    assert payloads(path.with_name("x (rescued 1).lpost")) == one.recorded[:10]
    assert is_sound(path)


@pytest_twisted.ensureDeferred
async def test_a15_any_other_file_in_its_place_is_set_aside_and_the_capture_goes_on(path):
    async with capturing(path) as one:
        await lose_file(one, lambda: (path.unlink(), path.write_bytes(b"notes")))
    assert path.with_name("x (rescued 1).lpost").read_bytes() == b"notes"
    assert payloads(path) == one.recorded
    assert one.recorder.lost == 0


@pytest_twisted.ensureDeferred
async def test_a15_garbage_written_into_the_capture_is_set_aside_and_a_new_one_is_begun(path):
    async with capturing(path) as one:
        await lose_file(one, lambda: path.write_bytes(b"garbage" * 100_000))
        assert ["is set aside as x (rescued 1).lpost" in t.text if t else t for t in one.troubles] == [True, None]
    assert path.with_name("x (rescued 1).lpost").read_bytes() == b"garbage" * 100_000
    assert payloads(path)[-20:] == one.recorded[10:]
    assert is_sound(path)
    assert one.recorder.lost == 0


@pytest_twisted.ensureDeferred
async def test_a15_garbage_that_a_new_writer_finds_is_set_aside_too(path):
    async with capturing(path) as one:
        one.batch()
        await one.all_stored()
        os.kill(one.pid, signal.SIGKILL)
        await one.in_trouble("ended unasked")
        for end in ("", "-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)
        path.write_bytes(b"notes")
        one.batch()
        await one.all_stored()
    assert path.with_name("x (rescued 1).lpost").read_bytes() == b"notes"
    assert one.recorder.lost == 10
    assert [payload for payload in payloads(path) if payload] == one.recorded[10:]


@pytest_twisted.ensureDeferred
async def test_a15_a_capture_behind_a_symbolic_link_is_written_and_read(tmp_path):
    real, link = tmp_path / "real" / "x.lpost", tmp_path / "link.lpost"
    link.symlink_to(real)
    async with capturing(link) as one:
        one.batch()
        await one.all_stored()
        store = Store(link)
        assert store.range() == (1, 10)
        store.close()
    assert payloads(real) == one.recorded
    assert os.listdir(real.parent) == ["x.lpost"]


@pytest_twisted.ensureDeferred
async def test_a_writer_that_has_stored_all_may_end_alone(path, monkeypatch):
    """It copies its log, which may take longer than a program may take to end."""
    monkeypatch.setattr(module, "GRACE", 0.1)
    async with capturing(path) as one:
        one.batch(10)
        await one.all_stored()
        pid = one.pid
        os.kill(pid, signal.SIGSTOP)
    os.kill(pid, signal.SIGCONT)
    await until(lambda: one.pid is None)
    assert (one.recorder.stored, one.recorder.lost) == (10, 0)
    assert os.listdir(path.parent) == [path.name]


# -- a system that has no more descriptors or memory


@contextlib.contextmanager
def no_more_files():
    """Nothing more can be opened in this process, which starts the writer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    reading, writing = os.pipe()  # the two lowest numbers that are free, and those below are taken
    os.close(reading)
    os.close(writing)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(reading, writing), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("for_real")
@pytest_twisted.ensureDeferred
async def test_a4_a_writer_that_cannot_be_started_for_want_of_descriptors_comes_back(path):
    async with capturing(path) as one:
        one.batch()
        await one.all_stored()
        kept = [os.dup(0) for _ in range(10)]  # what the dead writer leaves is taken at once
        os.kill(one.pid, signal.SIGKILL)
        with no_more_files():
            await one.in_trouble("cannot be started: Too many open files. It is tried again")
            one.batch()
            tries = len(one.troubles)
            await until(lambda: one.link._restarting is not None)
        for number in kept:
            os.close(number)
        await one.all_stored()
        assert tries >= 1
    assert payloads(path) == one.recorded
    assert one.recorder.lost == 0
    assert is_sound(path)


@pytest.mark.usefixtures("for_real")
@pytest_twisted.ensureDeferred
async def test_a4_a_writer_that_cannot_be_started_at_first_is_started_later(path):
    with no_more_files():
        one = await Capturing(path).open()
        assert "Too many open files" in one.recorder.trouble.text
        one.batch()
    await one.all_stored()
    await one.close()
    assert payloads(path) == one.recorded


@pytest.mark.usefixtures("for_real")
@pytest_twisted.ensureDeferred
async def test_a9_what_is_in_the_file_is_counted_as_stored_when_the_writer_is_short_of_memory(path, capfd):
    async with capturing(path) as one:
        one.batch()
        await one.all_stored()
        with open(f"/proc/{one.pid}/statm") as statm:
            mapped = int(statm.read().split()[0]) * resource.getpagesize()
        for room in (0, 1 << 20, 4 << 20):
            resource.prlimit(one.pid, resource.RLIMIT_AS, (mapped + room, -1))
            for _ in range(15):
                one.batch(100, size=10_000)
                one.batch(2, size=1_000_000)
            await until(lambda: one.recorder.idle or one.recorder.trouble)
            if one.pid is not None:  # one that could not even read a batch has ended
                resource.prlimit(one.pid, resource.RLIMIT_AS, (-1, -1))
            await one.all_stored()
    assert capfd.readouterr().err == ""
    stored = [payload for payload in payloads(path) if payload is not None]  # events of losses have none
    assert len(stored) == len(one.recorded) - one.recorder.lost
    assert set(stored) <= set(one.recorded)
    assert is_sound(path)


@pytest_twisted.ensureDeferred
async def test_a_released_writer_has_stored_all_it_was_sent_and_the_next_file_has_the_rest(path, tmp_path):
    """Under load, with large payloads in the shared memory of both."""
    from twisted.internet import reactor

    one = await Capturing(path).open()
    for _ in range(30):
        one.batch(50, size=8_000)
    released = one.link.release()
    sent = len(one.recorded)
    for _ in range(30):
        one.batch(50, size=8_000)
    await released
    following = module.WriterLink(reactor, one.recorder, tmp_path / "y.lpost", arena=one.link.arena)
    one.link = following
    following.start()
    await following.opened
    one.batch(5)
    await one.all_stored()
    await one.close()
    assert payloads(path) == one.recorded[:sent]
    assert payloads(tmp_path / "y.lpost") == one.recorded[sent:]
    assert is_sound(path)
    assert is_sound(tmp_path / "y.lpost")
    assert one.recorder.lost == 0


def test_a_writer_that_had_ended_when_it_was_released_may_close_its_pipes_later(path):
    clock = Clock()
    link = module.WriterLink(clock, recorder.Recorder(clock), path)
    released = link.release()
    link.processEnded(Failure(ProcessDone(0)))
    assert released.result is None


@pytest_twisted.ensureDeferred
async def test_what_a_dead_writer_had_not_stored_goes_into_the_next_file(path, tmp_path):
    from twisted.internet import reactor

    one = await Capturing(path).open()
    one.batch(10)
    await one.all_stored()
    os.kill(one.pid, signal.SIGSTOP)
    one.batch(10, size=1_000)
    os.kill(one.pid, signal.SIGKILL)
    await one.in_trouble("ended unasked")
    await one.link.release()
    one.link = module.WriterLink(reactor, one.recorder, tmp_path / "y.lpost", arena=one.link.arena)
    one.link.start()
    await one.link.opened
    await one.all_stored()
    await one.close()
    assert payloads(path) + payloads(tmp_path / "y.lpost") == one.recorded


@pytest_twisted.ensureDeferred
async def test_what_the_next_file_had_is_counted_as_lost_alone_where_that_is_removed(path, tmp_path):
    from twisted.internet import reactor

    one = await Capturing(path).open()
    one.batch(10)
    await one.all_stored()
    await one.link.release()
    other = tmp_path / "y.lpost"
    one.link = module.WriterLink(reactor, one.recorder, other, arena=one.link.arena)
    one.link.start()
    await one.link.opened
    one.batch(5)
    await one.all_stored()
    os.kill(one.pid, signal.SIGKILL)
    await one.in_trouble("ended unasked")
    for end in ("", "-wal", "-shm"):
        os.remove(f"{other}{end}")
    one.batch(5)
    await one.all_stored()
    assert one.recorder.lost == 5
    await one.close()
    assert payloads(path) == one.recorded[:10]
