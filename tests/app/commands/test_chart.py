"""``listening-post chart``: CSV of a capture's charts."""

import csv
import io

import pytest

from app.commands import main as cli
from tests.ui.charts import samples


@pytest.fixture(scope="module")
def capture(tmp_path_factory):
    return samples.make(tmp_path_factory.mktemp("charts") / "x.lpost", 60)


def run(capsys, *args):
    code = cli.main(["chart", *map(str, args)], lambda *_: 0)
    out, err = capsys.readouterr()
    return code, list(csv.DictReader(io.StringIO(out))), err


def test_it_prints_the_series_that_are_asked_for(capsys, capture):
    code, rows, _ = run(capsys, capture, "--series", "requests,received_bytes", "--step", "1", "--service", "shop")
    assert code == 0
    assert list(rows[0]) == ["time", "requests", "received_bytes"]
    assert len(rows) == 60
    assert sum(float(row["requests"]) for row in rows) > 100
    assert {row["received_bytes"] for row in rows} == {"0"}


def test_series_of_ones_own_stand_behind(capsys, capture):
    own = ["http.status >= 400", "bytes: service == sensor-hub"]
    _, rows, _ = run(capsys, capture, "--series", "", "--own", own[0], "--own", own[1])
    assert list(rows[0]) == ["time", "count: http.status >= 400", own[1]]


def test_all_are_printed_where_nothing_is_asked_for(capsys, capture):
    _, rows, _ = run(capsys, capture)
    assert {"latency_p99", "open_connections", "memory", "loop_p99", "lost"} <= set(rows[0])


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--series", "speed"], "There is no series speed. Use one of received_bytes"),
        (["--own", "size >"], "not complete"),
        (["--own", ""] * 7, "A chart has at most 6 series"),
    ],
)
def test_what_cannot_be_is_said_in_words(capsys, capture, args, words):
    code, _, err = run(capsys, capture, *args)
    assert code != 0
    assert words in err
