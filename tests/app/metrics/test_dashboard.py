"""The dashboard for Grafana asks for what there is."""

from __future__ import annotations

import json
import re
from typing import Any

from app.metrics.declared import METRICS, PREFIX
from tests.helpers import ROOT

DASHBOARD = json.loads((ROOT / "packaging/grafana/listening-post.json").read_text())


def queries() -> list[str]:
    panels: list[Any] = DASHBOARD["panels"]
    found = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    return found + [
        variable["query"]["query"] for variable in DASHBOARD["templating"]["list"] if variable["type"] == "query"
    ]


def test_every_query_names_series_that_exist_with_labels_that_they_have() -> None:
    labels = {name: {*metric.labels, "le", "instance", "job"} for metric in METRICS.values() for name in metric.series}
    for query in queries():
        names = re.findall(rf"{PREFIX}\w+", query)
        assert names, query
        for name in names:
            assert name in labels, query
        known = set.union(*(labels[name] for name in names))
        used = {label.strip() for text in re.findall(r"by \(([^)]*)\)", query) for label in text.split(",")}
        used |= set(re.findall(r"[{,]\s*(\w+)\s*=~?", query))
        assert used <= known, query


def test_every_metric_is_shown() -> None:
    text = " ".join(queries())
    assert [metric.name for metric in METRICS.values() if metric.name not in text] == []


def test_panels_do_not_overlap_and_have_what_they_need() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & cells
        assert place["x"] + place["w"] <= 24
        taken |= cells
        assert panel["title"]
        assert panel["type"] in ("timeseries", "stat", "heatmap", "table")
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
