"""One filter, chart and list of failures over our events and those of all outposts."""

from contextlib import closing

import pytest_twisted

from app.capture.filters.language import parse
from app.capture.reading.charts import Charts, fitting
from app.capture.reading.groups import groups
from app.capture.reading.store import Store
from app.capture.rollup import SUMS
from app.services.config import ServiceConfig
from tests.app.outposts.consoles import carrier_to, spoken, until_read


@pytest_twisted.ensureDeferred
async def test_filters_charts_and_groups_of_failures_take_them_as_events_of_here(bench, desk):
    desk.post.add(ServiceConfig("echo", "tcp", "127.0.0.1", 0, "echo"))
    with closing(await spoken(bench)):
        for at in (bench, desk):  # the same mistake there and here
            number = at.post.services["echo"].number
            for text in ("1", "2"):
                try:
                    int(f"x{text}")
                except ValueError as e:
                    at.post.recorder.record_failure(e, number)
        for name in ("pi-3", "pi-4"):
            desk.console.add(name, carrier_to(bench.path))
        for name in ("pi-3", "pi-4"):
            await until_read(bench, desk, name)
    with closing(Store(desk.post.capture)) as store:
        last = store.range()[1]

        def count(text):
            return len(store.matches(parse(text), 1, last)[0])

        said = count('service == "pi-3/echo" and payload == "hello"')
        assert said == count('service == "pi-4/echo" and payload == "hello"') == 2  # received, and sent
        assert count('service contains "/echo" and payload == "hello"') == count("outpost exists and size == 5") == 4
        assert count('service == "echo" and payload == "hello"') == 0
        assert count("kind == failure and outpost exists") == 4

        _, [group] = groups(store)
        assert (group.count, sorted(group.services)) == (6, ["echo", "pi-3/echo", "pi-4/echo"])
        assert len(store.matches(group.filter, 1, last)[0]) == 6

        charts = Charts()
        with closing(charts):
            while charts.step(store) < 1:
                pass
            extent = charts.extent(store)
            span = fitting(extent.first, extent.last, 100)
            of = {name: charts.read(store, span, name) for name in ("pi-3/echo", "pi-4/echo", "echo", "")}
        at = SUMS.index("received")
        received = {name: sum(sums[at] for sums in chart.sums.values()) for name, chart in of.items()}
        assert received == {"pi-3/echo": 5, "pi-4/echo": 5, "echo": 0, "": 10}
