"""Every metric: its name, type, labels and meaning. The collector, the manual and the tests go by these.

Names follow https://prometheus.io/docs/practices/naming/. No label has what a peer chooses: each value would be a time
series of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PREFIX = "listening_post_"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: as it is scraped, ``_total`` included; without that which a histogram adds.
        meaning: in one line, for the page itself and the manual.
        more: what else the manual says.
    """

    name: str
    type: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    meaning: str
    more: str = ""

    @property
    def family(self) -> str:
        """The name of its family in OpenMetrics."""
        return self.name.removesuffix("_total")

    @property
    def series(self) -> tuple[str, ...]:
        """The names of its time series."""
        if self.type == "histogram":
            return tuple(f"{self.name}_{part}" for part in ("bucket", "sum", "count"))
        return (self.name,)


METRICS: dict[str, Metric] = {}
"""Every metric, by its name without the prefix."""


def _metric(
    name: str, type: Literal["counter", "gauge", "histogram"], labels: str, meaning: str, more: str = ""
) -> None:
    METRICS[name] = Metric(f"{PREFIX}{name}", type, tuple(labels.split()), meaning, more)


_metric(
    "connections_total", "counter", "service protocol", "Connections that clients have opened; on UDP, peers.",
    "Those of a `relay` to its upstreams are not in it.",
)  # fmt: skip
_metric("connections_open", "gauge", "service protocol", "Connections of clients that are open.")
_metric(
    "received_bytes_total", "counter", "service protocol", "Bytes received; behind TLS, in plain text.",
    "Those of open connections are in it.",
)  # fmt: skip
_metric("sent_bytes_total", "counter", "service protocol", "Bytes sent; behind TLS, in plain text.")
_metric(
    "requests_total", "counter", "service status_class", "HTTP requests that were answered.",
    "`status_class` is `2xx`, `4xx` and so on. What was refused before a responder had it counts, too.",
)  # fmt: skip
_metric(
    "request_seconds", "histogram", "service", "Time from the head of an HTTP request to the end of its answer.",
    "Without those that were refused before a responder had them.",
)  # fmt: skip
_metric("events_total", "counter", "", "Events that happened, stored or not.")
_metric("events_lost_total", "counter", "", "Events that are not in the capture, but for those of a pause.")
_metric(
    "failures_total", "counter", "service", "Exceptions that were recorded.",
    "`service` is empty for those of no service.",
)  # fmt: skip
_metric("faults_total", "counter", "service kind", "Hits of faults.")
_metric(
    "watch_up",
    "gauge",
    "watch",
    "1 while what is watched is well, 0 while it has failed.",
    "Not there while that is not known.",
)
_metric("watch_seconds", "gauge", "watch", "How long the last check took.")
_metric(
    "reactor_lag_seconds", "gauge", "", "The longest time for which the reactor did not come to its other work.",
    "Of the last 15 to 30 seconds. From 0.25 on, the Failures pane names what blocked it.",
)  # fmt: skip
_metric("capture_bytes", "gauge", "", "Size of the capture.")
