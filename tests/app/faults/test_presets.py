"""Networks as faults."""

from __future__ import annotations

from typing import Any

import pytest

from app.faults import presets
from app.faults.presets import PRESETS, replaced
from app.faults.tables import problems

BY_NAME = {preset.name: preset for preset in PRESETS}


def test_each_says_its_figures():
    assert {preset.name: preset.figures for preset in PRESETS} == {
        "DSL": "2 Mbit/s / 256 kbit/s, 5 ms",
        "LTE": "50/10 Mbit/s, 50/65 ms",
        "4G slow": "1.6 Mbit/s / 750 kbit/s, 75 ms",
        "3G": "780/330 kbit/s, 100 ms",
        "EDGE": "240/200 kbit/s, 400 ms",
        "satellite": "15/3 Mbit/s, 300 ms",
        "lossy Wi-Fi": "40 ± 20 ms, 1 % lost",
        "very bad": "1/1 Mbit/s, 500 ms, 10 % lost",
    }
    assert all(preset.help for preset in PRESETS)


def test_bits_become_bytes_and_down_is_what_we_send():
    tables = BY_NAME["LTE"].tables("tcp")
    rates = {table["on"]: table["bytes_per_second"] for table in tables if table["kind"] == "rate"}
    delays = {table["on"]: table["ms"] for table in tables if table["kind"] == "delay"}
    assert rates == {"sent": 6_250_000.0, "received": 1_250_000.0}
    assert delays == {"sent": 50.0, "received": 65.0}


@pytest.mark.parametrize("protocol", ["tcp", "udp", "http", "websocket"])
@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_service_can_have_each(preset: Any, protocol: str):
    tables = preset.tables(protocol)
    assert tables
    assert list(problems(tables, protocol, tls=False)) == []
    assert len({table["name"] for table in tables}) == len(tables)


def test_what_is_lost_comes_late_on_tcp():
    late = [table for table in BY_NAME["very bad"].tables("tcp") if table["kind"] == "stall"]
    assert [(table["on"], table["probability"]) for table in late] == [("sent", 0.1), ("received", 0.1)]


def test_one_takes_the_place_of_another_and_what_was_renamed_stays():
    mine = {"kind": "reset", "name": "mine"}
    first = replaced((mine,), BY_NAME["DSL"], "tcp")
    renamed = [{**table, "name": "kept"} if table["name"] == "DSL delay down" else table for table in first]
    after = replaced(renamed, BY_NAME["3G"], "tcp")
    assert [table["name"] for table in after][:2] == ["mine", "kept"]
    assert after[2:] == BY_NAME["3G"].tables("tcp")
    assert replaced(first, None, "tcp") == (mine,)


def test_a_protocol_without_faults_has_none():
    assert presets.fitting("ssh") == []
