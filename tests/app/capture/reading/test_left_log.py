"""A capture whose writer was killed: its log is beside it, and opening it loses and changes no event."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

from app.capture.filters.language import EVERYTHING
from app.capture.reading.store import Store
from app.capture.writing.file import CaptureFile
from tests.app.capture.captures import LIMIT, batch, event


def test_opening_copies_a_log_that_was_left_into_the_file_and_changes_no_event(tmp_path: Path) -> None:
    live, left = tmp_path / "live.lpost", tmp_path / "left.lpost"
    file = CaptureFile(live, "run", LIMIT)
    file.store(batch(1, *(event(b"%d" % number) for number in range(100))))
    for end in ("", "-wal"):
        shutil.copy(f"{live}{end}", f"{left}{end}")  # as a kill leaves them
    file.close()
    log = Path(f"{left}-wal")
    assert log.stat().st_size
    before = left.read_bytes()
    for _ in range(2):
        with closing(Store(left)) as store:
            payloads = [found.payload for found in store.events(EVERYTHING, *store.range())]
        assert payloads == [b"%d" % number for number in range(100)]
        assert not log.exists()
    whole = left.read_bytes()
    assert whole != before
    with closing(Store(left)):
        pass
    assert left.read_bytes() == whole
    assert sorted(path.name for path in tmp_path.iterdir()) == ["left.lpost", "live.lpost"]
