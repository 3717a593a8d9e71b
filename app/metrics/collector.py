"""Reads the counters of the running program when they are asked for. Nothing is kept up to date in between."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from operator import add

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from app.capture.counters import BOUNDS
from app.metrics.declared import METRICS
from app.post import Post

_UP = {"up": 1.0, "down": 0.0}
_FAMILIES = {"counter": CounterMetricFamily, "gauge": GaugeMetricFamily}


Sample = tuple[tuple[str, ...], float]
"""Values of the labels, in their order, and the figure."""


class PostCollector(Collector):
    """The metrics of one Post, in the order of their declarations."""

    def __init__(self, post: Post) -> None:
        self._post = post

    def collect(self) -> Iterator[Metric]:
        """Read all counters. Its time grows with the number of open connections, whose bytes are read."""
        samples = dict(self._samples())
        for name, metric in METRICS.items():
            if metric.type == "histogram":
                yield self._durations(name)
                continue
            family = _FAMILIES[metric.type](metric.family, metric.meaning, labels=metric.labels)
            for labels, value in samples[name]:
                family.add_metric(labels, value)
            yield family

    def _samples(self) -> Iterator[tuple[str, list[Sample]]]:
        recorder = self._post.recorder
        counted = recorder.counted().items()
        watches = self._post.watches.items()
        yield from self._of_services().items()
        yield "requests_total", [((name, f"{d}xx"), n) for name, of in counted for d, n in sorted(of.classes.items())]
        yield "faults_total", [((name, kind), n) for name, of in counted for kind, n in sorted(of.faults.items())]
        yield "failures_total", [((name,), of.failures) for name, of in counted]
        yield "events_total", [((), recorder.seen)]
        yield "events_lost_total", [((), recorder.lost)]
        yield "watch_up", [((name,), _UP[watch.state]) for name, watch in watches if watch.state in _UP]
        yield "watch_seconds", [((name,), took / 1000) for name, w in watches if (took := w.milliseconds) is not None]
        yield "reactor_lag_seconds", [((), self._post.loop.turns.longest())]
        yield "capture_bytes", [((), recorder.range.bytes)]

    def _of_services(self) -> dict[str, list[Sample]]:
        """Those of services, and of the ports of programs, of which two may have one name: they are added up."""
        figures: dict[tuple[str, ...], tuple[int, ...]] = {}
        for one in self._post.owners():
            labels = (one.config.name, one.config.protocol)
            values = (one.opened, one.accepted, *one.bytes_so_far())
            before = figures.get(labels, (0,) * len(values))
            figures[labels] = tuple(map(add, before, values))
        names = ("connections_total", "connections_open", "received_bytes_total", "sent_bytes_total")
        return {name: [(labels, values[at]) for labels, values in figures.items()] for at, name in enumerate(names)}

    def _durations(self, name: str) -> HistogramMetricFamily:
        metric = METRICS[name]
        family = HistogramMetricFamily(metric.family, metric.meaning, labels=metric.labels)
        bounds = (*(str(bound) for bound in BOUNDS), "+Inf")
        for service, counters in self._post.recorder.counted().items():
            if counters.classes:
                buckets = list(zip(bounds, accumulate(counters.durations), strict=True))
                family.add_metric((service,), buckets, counters.seconds)
        return family
