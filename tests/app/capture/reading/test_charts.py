"""Charts: the rollup against the events themselves, times that jump, older captures, and what is drawn as CSV."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import events
from app.capture import rollup
from app.capture.figures import answered
from app.capture.filters.errors import FilterError
from app.capture.reading import chart_lines
from app.capture.reading.chart_lines import CARDS, FOREVER, LINES, as_csv
from app.capture.reading.charts import LAST, Chart, Charts, Span, fitting, quantile
from app.capture.reading.coverage import Coverage
from app.capture.reading.own_series import BYTES, OwnSeries, Wish, wish
from app.capture.reading.store import Store
from app.capture.reading.summary import Summary, place_for, tidy
from app.capture.writing.file import CaptureFile
from app.capture.writing.rolling import Rolling
from tests.app.capture.captures import LIMIT, SERVICES, batch, read

S = 10**9
T = 1_700_000_000
"""A whole minute and 20 seconds."""

TWO = [*SERVICES, ("shop", "http")]


def response(status: int = 200, seconds: float | None = 0.01, **more: Any) -> dict[str, Any]:
    known = {} if seconds is None else {"seconds": seconds}
    return {"status": status, "reason": "OK", "fields": [['"seconds": 9', "x"]], "body": 1, **known, **more}


def row(
    second: float, kind: int, service: int = 1, conn: int = 1, size: int | None = None, detail: Any = None
) -> list[Any]:
    payload = b"x" * 5 if kind in events.RAW and size is None else None
    return [int(second * S), kind, service, conn, size, payload, "s", None if detail is None else json.dumps(detail)]


def write(path: Path, *batches: list[list[Any]]) -> Path:
    file = CaptureFile(path, "run", LIMIT)
    for sequence, rows in enumerate(batches, 1):
        file.store(batch(sequence, *rows, services=TWO))
    file.close()
    return path


def forget(path: Path) -> Path:
    """Make it as a build without a rollup has left it."""
    with closing(sqlite3.connect(path)) as db:
        db.executescript("DROP TABLE rollup; DROP TABLE latency; DELETE FROM meta WHERE key = 'rolled'")
    return path


@contextmanager
def opened(path: Path) -> Iterator[Store]:
    with closing(Store(path)) as store:
        yield store


def chart(path: Path, span: Span, service: str = "") -> Chart:
    with opened(path) as store:
        return Charts().read(store, span, service)


def values(path: Path, key: str, span: Span, service: str = "") -> chart_lines.Values:
    return LINES[key].values(chart(path, span, service), FOREVER)


# -- the rollup and the events say the same

_KINDS = st.sampled_from(
    [events.DATA_RECEIVED, events.DATA_SENT, events.DATAGRAM_RECEIVED, events.DATAGRAM_SENT, events.CONNECTION_CLOSED,
     events.HTTP_REQUEST, events.HTTP_RESPONSE, events.FAILURE, events.LOST, events.LOG]
)  # fmt: skip
_DETAILS = st.one_of(
    st.builds(response, st.integers(100, 599), st.floats(0, 5000)),
    st.builds(response, st.integers(100, 599), st.none()),
    st.just(response(503, 0.5, outgoing=True)),
    st.just({"count": 3, "seconds": 2, "status": "no"}),
    st.just({"fields": [], "seconds": 1e-9}),
)
_ROWS = st.lists(
    st.builds(
        row, st.integers(T - 4000, T + 4000).map(lambda s: s / 7), _KINDS, st.integers(0, 2), st.integers(0, 3),
        st.none() | st.integers(1, 10_000), _DETAILS,
    ),
    min_size=1, max_size=12,
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_ROWS, min_size=1, max_size=4))
def test_the_rollup_of_the_writer_equals_a_summary_of_the_events(tmp_path, batches):
    path = tmp_path / "x.lpost"
    path.unlink(missing_ok=True)
    write(path, *batches)
    with opened(path) as store, closing(Summary()) as summary:
        first, last = store.range()
        while summary.step(store, first, last):
            pass
        for table in ("rollup", "latency"):
            sql = f"SELECT * FROM {table} ORDER BY id"  # noqa: S608
            assert read(path, sql) == summary.db.execute(sql).fetchall()


# -- points


def test_rates_are_of_the_seconds_of_a_point_and_of_one_service(tmp_path):
    path = write(
        tmp_path / "x.lpost",
        [row(T, events.DATA_RECEIVED), row(T + 1, events.DATA_RECEIVED, 2, 2), row(T + 1, events.DATA_SENT, 2, 2)],
        [row(T + 9, events.DATA_RECEIVED, size=35)],
    )
    assert values(path, "received_bytes", Span(T, T + 3, 1)) == [5, 5, 0, 0]
    assert values(path, "received_bytes", Span(T, T + 9, 10)) == [4.5]
    assert values(path, "received_bytes", Span(T, T + 9, 10), "shop") == [0.5]
    assert values(path, "sent_messages", Span(T, T + 3, 1)) == [0, 1, 0, 0]
    assert values(path, "sent_messages", Span(T, T + 3, 1), "gone") == [0, 0, 0, 0]
    assert values(path, "received_messages", Span(T - 7200, T, 3600)) == [0, 0, 3 / 3600]


def test_open_connections_count_those_from_before(tmp_path):
    rows = [row(T - 90_000, events.CONNECTION_OPENED, detail={}), row(T - 4000, events.CONNECTION_OPENED, detail={}),
            row(T - 70, events.CONNECTION_OPENED, detail={}), row(T - 30, events.CONNECTION_CLOSED, detail={}),
            row(T - 1, events.CONNECTION_OPENED, detail={})]  # fmt: skip
    rows.append(row(T + 1, events.CONNECTION_CLOSED, detail={}))
    path = write(tmp_path / "x.lpost", rows)
    assert values(path, "open_connections", Span(T, T + 2, 1)) == [3, 2, 2]
    assert values(path, "new_connections", Span(T - 1, T, 1)) == [1, 0]


def test_requests_and_errors_leave_out_what_we_ask_of_others(tmp_path):
    asked = {"method": "GET", "target": "/", "version": "HTTP/1.1", "fields": [], "body": None}
    rows = [row(T, events.HTTP_REQUEST, detail=asked), row(T, events.HTTP_RESPONSE, detail=response(404)),
            row(T, events.HTTP_REQUEST, detail=asked | {"outgoing": True}),
            row(T, events.HTTP_RESPONSE, detail=response(500, outgoing=True)),
            row(T, events.HTTP_RESPONSE, detail={"status": 503, "refused": "too many"})]  # fmt: skip
    path = write(tmp_path / "x.lpost", rows)
    found = {key: values(path, key, Span(T, T, 1)) for key in ("requests", "client_errors", "server_errors")}
    assert found == {"requests": [1], "client_errors": [1], "server_errors": [1]}


def test_quantiles_are_within_a_bucket_of_the_latencies(tmp_path):
    rows = [row(T, events.HTTP_RESPONSE, detail=response(200, ms / 1000)) for ms in range(1, 101)]
    path = write(tmp_path / "x.lpost", rows)
    found = {key: values(path, f"latency_{key}", Span(T, T + 1, 1)) for key in ("p50", "p95", "p99")}
    for key, exact in (("p50", 0.050), ("p95", 0.095), ("p99", 0.099)):
        assert found[key][0] == pytest.approx(exact, rel=0.06), key
        assert found[key][1] is None
    assert quantile({}, 0.5) is None


@pytest.mark.parametrize("seconds", [0, 1e-7, 1e-6, 0.00123, 1, 5000, 1e9, float("nan")])
def test_a_bucket_holds_its_latency(seconds):
    bucket = rollup.bucket(seconds)
    assert 0 <= bucket < rollup.BUCKETS
    if 1e-6 < seconds < 4000:
        assert rollup.middle(bucket - 0.5) <= seconds < rollup.middle(bucket + 0.5)


def test_a_clock_that_is_set_back_counts_twice_in_the_same_seconds(tmp_path):
    rows = [[row(T + second, events.DATA_RECEIVED)] for second in (0, 1, 2, 0, 1)]
    path = write(tmp_path / "x.lpost", *rows)
    assert values(path, "received_messages", Span(T, T + 2, 1)) == [2, 2, 1]
    with opened(path) as store:
        extent = Charts().extent(store)
    assert (extent.first, extent.last, extent.newest) == (T, T + 2, T + 1)


def test_times_that_cannot_be_are_counted_at_the_ends(tmp_path):
    path = write(tmp_path / "x.lpost", [row(-5e6, events.DATA_RECEIVED), row(9e9, events.DATA_RECEIVED)])
    with opened(path) as store:
        charts = Charts()
        extent = charts.extent(store)
        span = fitting(extent.first, extent.last, 500)
        found = charts.read(store, span)
    assert extent.first == 0
    assert extent.last == 9_000_000_000
    assert sum(sums[rollup.MESSAGES_RECEIVED] for sums in found.sums.values()) == 2
    assert len(span.slots) <= 501


def test_a_point_that_has_hardly_begun_is_left_out():
    span = Span(T, T + 2, 1)
    chart = Chart(span, {T: [1] * 11, T + 1: [1] * 11, T + 2: [1] * 11})
    assert LINES["requests"].values(chart, T + 2.5) == [1, 1, None]
    assert LINES["requests"].values(Chart(Span(T, T, 60), {T - 20: [8] * 11}), T + 20) == [8 / 40]


@pytest.mark.parametrize(
    ("first", "last", "points", "step"), [(0, 59, 600, 1), (0, 3599, 600, 10), (0, 10**9, 600, 2_592_000)]
)
def test_the_step_fits_the_room(first, last, points, step):
    assert fitting(first, last, points).step == step


# -- the program itself


def test_a_sample_of_the_program_is_charted(tmp_path):
    file = CaptureFile(tmp_path / "x.lpost", "run", LIMIT)
    file.store((*batch(1, row(T, events.LOG)), (T * S, [0.001, 0.004], 50_000_000)))
    file.store((*batch(2, row(T + 1, events.LOG)), ((T + 1) * S, [], None)))
    file.close()
    assert values(file.path, "memory", Span(T, T + 1, 1)) == [50_000_000, None]
    assert values(file.path, "loop_max", Span(T, T + 1, 1))[0] == pytest.approx(0.004, rel=0.06)
    assert values(file.path, "requests", Span(T, T + 1, 1)) == [0, 0]


@pytest.mark.parametrize(
    ("detail", "told"),
    [
        ('{"status": 200, "seconds": 0.25}', (200, 0.25)),
        ('{"status": 503, "reason": "\\"seconds\\": 9, ", "seconds": 1e-05, "rule": 2}', (503, 1e-05)),
        ('{"seconds": 1}', (0, 1.0)),
        ('{"status":201,"seconds":2}', (201, 2.0)),
        ('{"status": 200, "seconds": NaN}', (200, None)),
        ('{"status": 200, "seconds": -1}', (200, -1.0)),
        ('{"status": "x", "seconds": [1]}', (0, None)),
        ('{"status": 200, "seconds": ', (0, None)),
        ("[]", (0, None)),
        (f'{{"status": 200, "seconds":1{"0" * 400}}}', (200, None)),
    ],
)
def test_what_a_response_tells_is_read_as_json_would_be(detail, told):
    assert answered(detail) == told


# -- bounds


def test_sizes_that_cannot_be_do_not_keep_a_batch_from_being_stored(tmp_path):
    path = write(tmp_path / "x.lpost", [row(T, events.DATA_RECEIVED, conn=0, size=(1 << 63) - 1) for _ in range(4)])
    assert read(path, "SELECT count(*) FROM event") == [(4,)]


def test_a_file_may_say_anything_in_its_rollup(tmp_path):
    path = write(tmp_path / "x.lpost", [row(T, events.DATA_RECEIVED)])
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE rollup SET received = 'much', sent = 9e999, memory = x'00'")
        last = rollup.row(2, rollup.MAX_SLOT * 3600, 1)
        db.execute("INSERT INTO rollup (id) VALUES (-1), (?), (?)", (last, (1 << 63) - 1))
        db.execute("INSERT INTO latency VALUES (?, 'often'), (-5, -5)", (rollup.bucket_row(last, 3),))
        db.commit()
    with opened(path) as store:
        charts = Charts()
        extent = charts.extent(store)
        assert extent.last <= LAST
        found = charts.read(store, fitting(extent.first, extent.last, 500))
        for line in LINES.values():
            as_csv(found.span.slots, [(line.key, line.values(found, FOREVER))])


def test_the_oldest_seconds_go_and_hours_stay(tmp_path, monkeypatch):
    monkeypatch.setattr("app.capture.writing.rolling.LEAST_ROWS", 100)
    monkeypatch.setattr("app.capture.writing.rolling.LOOK", 1)
    file = CaptureFile(tmp_path / "x.lpost", "run", 1_000_000)
    for start in range(0, 1000, 100):
        rows = [row(T + second, events.DATA_RECEIVED) for second in range(start, start + 100)]
        file.store(batch(start // 100 + 1, *rows))
    file.close()
    [(count,)] = read(file.path, "SELECT count(*) FROM rollup")
    assert count <= 100 + 18 + 1
    with opened(file.path) as store:
        charts = Charts()
        assert charts.read(store, Span(T + 950, T + 999, 1)).span.step == 1
        old = charts.read(store, Span(T, T + 999, 1))
    assert old.span.step == 60
    assert sum(sums[rollup.MESSAGES_RECEIVED] for sums in old.sums.values()) == 1000


def test_buckets_are_bounded_too(tmp_path):
    with closing(sqlite3.connect(tmp_path / "x", isolation_level=None)) as db:
        for statement in rollup.TABLES.split(";"):
            db.execute(statement)
        rolling = Rolling(db, 0)
        keys = [(rollup.bucket_row(rollup.row(0, T + n // 200, 1), n % 200), 1) for n in range(5000)]
        db.execute("BEGIN")  # not each in a transaction of its own
        db.executemany("INSERT INTO latency VALUES (?, ?)", keys)
        rolling.prune()
        assert 1500 < db.execute("SELECT count(*) FROM latency").fetchone()[0] <= 2000


# -- captures of earlier builds


def test_an_older_capture_is_summarised_part_by_part_and_remembered(tmp_path, monkeypatch):
    rows = [[row(T + n, events.DATA_RECEIVED), row(T + n, events.HTTP_RESPONSE, detail=response())] for n in range(40)]
    path = write(tmp_path / "x.lpost", *rows)
    span = Span(T, T + 39, 1)
    known = chart(path, span)
    forget(path)
    before = path.read_bytes()
    monkeypatch.setattr(Coverage.next, "__defaults__", (30,))
    with opened(path) as store:
        charts = Charts(tmp_path / "kept")
        assert charts.extent(store).last == 0
        assert charts.step(store) == 30 / 80
        assert min(charts.read(store, span).sums) == T + 25
        while charts.step(store) < 1:
            pass
        found = charts.read(store, span)
        assert (found.sums, found.latency) == (known.sums, known.latency)
        charts.close()
    assert path.read_bytes() == before
    with opened(path) as store:
        again = Charts(tmp_path / "kept")
        assert again.step(store) == 1
        assert again.read(store, span).sums == known.sums
        again.close()


def test_a_capture_that_an_older_build_began_is_charted_whole(tmp_path):
    path = forget(write(tmp_path / "x.lpost", [row(T, events.DATA_RECEIVED)]))
    file = CaptureFile(path, "later", LIMIT)
    file.store(batch(1, row(T, events.DATA_RECEIVED), row(T + 1, events.DATA_RECEIVED), services=TWO))
    file.close()
    with opened(path) as store:
        charts = Charts()
        assert charts.step(store) == 1
        assert LINES["received_messages"].values(charts.read(store, Span(T, T + 1, 1)), FOREVER) == [2, 1]
        charts.close()


def test_few_summaries_are_kept(tmp_path):
    for number in range(25):
        (tmp_path / f"{number:02}.rollup").touch()
    tidy(tmp_path)
    assert len(list(tmp_path.iterdir())) == 20
    assert place_for(tmp_path / "gone.lpost", tmp_path) is None


# -- series of one's own


def series(path: Path, wish: Wish, span: Span) -> chart_lines.Values:
    one = OwnSeries(wish)
    with opened(path) as store:
        while one.step(store) < 1:
            pass
    return one.values(span, FOREVER)


def test_a_series_counts_adds_bytes_or_averages(tmp_path):
    rows = [row(T, events.DATA_RECEIVED, size=10), row(T, events.DATA_SENT, size=30)]
    rows += [row(T + 1, events.HTTP_RESPONSE, detail=response(*told)) for told in ((500, 0.2), (200, 0.4))]
    path = write(tmp_path / "x.lpost", rows)
    span = Span(T, T + 2, 1)
    assert series(path, Wish("kind == data.received or http.status >= 500"), span) == [1, 1, 0]
    assert series(path, Wish("size > 5", BYTES), span) == [40, 0, 0]
    assert series(path, Wish("", "http.seconds"), span) == [None, pytest.approx(0.3), None]
    assert series(path, Wish("", "size"), Span(T, T + 9, 10)) == [20]


def test_a_series_looks_at_the_newest_first_and_then_only_at_what_is_new(tmp_path, monkeypatch):
    monkeypatch.setattr(Coverage.next, "__defaults__", (4,))
    file = CaptureFile(tmp_path / "x.lpost", "run", LIMIT)
    file.store(batch(1, *(row(T + n, events.DATA_RECEIVED) for n in range(10))))
    one, span = OwnSeries(Wish("")), Span(T, T + 11, 1)
    with opened(file.path) as store:
        assert one.step(store) == 0.4
        assert one.values(span, FOREVER) == [0] * 6 + [1] * 4 + [0] * 2
        while one.step(store) < 1:
            pass
        file.store(batch(2, row(T + 10, events.DATA_RECEIVED), row(T + 11, events.DATA_RECEIVED)))
        assert one._coverage.next(*store.range()) == (11, 12)
        assert one.step(store) == 1
    file.close()
    assert one.values(span, FOREVER) == [1] * 12


def test_a_series_over_very_many_seconds_is_kept_by_the_minute(tmp_path, monkeypatch):
    monkeypatch.setattr("app.capture.reading.own_series.MOST_SECONDS", 50)
    path = write(tmp_path / "x.lpost", [row(T + n, events.DATA_RECEIVED) for n in range(100)])
    one = OwnSeries(Wish(""))
    with opened(path) as store:
        one.step(store)
    assert len(one._found) == 2
    assert sum(value or 0 for value in one.values(Span(T, T + 99, 60), FOREVER)) * 60 == pytest.approx(100)


def test_what_a_series_shows_is_one_text():
    for text in ("count: http.status >= 500", "bytes: peer contains 127", "http.seconds: service == shop"):
        assert str(wish(text)) == text
    assert wish("size > 3") == Wish("size > 3")
    assert wish("time: 3") == Wish("time: 3")  # a text to search for
    with pytest.raises(FilterError):
        wish("bytes: size >")


# -- CSV


def test_csv_has_a_column_for_each_line(tmp_path):
    path = write(
        tmp_path / "x.lpost", [row(T, events.DATA_RECEIVED), row(T + 2, events.HTTP_RESPONSE, detail=response())]
    )
    span = Span(T, T + 2, 1)
    found = chart(path, span)
    lines = [line for card in CARDS for line in card.lines]
    columns = [(line.key, line.values(found, FOREVER)) for line in lines]
    table = list(csv.DictReader(io.StringIO(as_csv(span.slots, columns))))
    assert [one["time"] for one in table] == ["2023-11-14T22:13:20Z", "2023-11-14T22:13:21Z", "2023-11-14T22:13:22Z"]
    for key, drawn in columns:
        read_back = [float(one[key]) if one[key] else None for one in table]
        assert read_back == [value if value is None else pytest.approx(value, rel=1e-5) for value in drawn], key
