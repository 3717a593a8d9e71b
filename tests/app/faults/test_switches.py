"""Switches of faults in virtual time, without sockets."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock

from tests.app.faults.course import Stage


def test_one_that_was_switched_on_by_hand_lifts_itself_also_when_it_was_edited_meanwhile():
    clock = Clock()
    table = {"name": "outage", "kind": "stall", "ms": 60_000.0, "enabled": False, "ttl_seconds": 10.0}
    stage = Stage(clock, table)
    stage.faults.switch(stage.faults.all[0], on=True)
    clock.advance(4)
    stage.faults.configure([table | {"ms": 90_000.0}])
    [fault] = stage.faults.all
    course = stage.open()
    stage.message(course, b"held")
    clock.advance(5.9)
    assert fault.enabled
    clock.advance(0.2)
    target: Any = course.target
    assert not fault.enabled
    assert target.got["sent"] == [b"held"]
    assert not clock.getDelayedCalls()


def test_an_edited_fault_passes_what_it_held_and_hits_what_comes():
    stage = Stage(Clock(), {"kind": "delay", "ms": 60_000.0})
    course = stage.open()
    target: Any = course.target
    stage.message(course, b"1")
    stage.faults.configure([{"kind": "delay", "ms": 2_000.0}])
    assert target.got["sent"] == [b"1"]
    stage.message(course, b"2")
    stage.clock.advance(1.9)
    assert target.got["sent"] == [b"1"]
    stage.clock.advance(0.2)
    assert target.got["sent"] == [b"1", b"2"]


def test_what_is_written_while_a_fault_is_lifted_is_spared_by_it():
    """As when a producer goes on because there is room again."""
    for lift in ("off", "away"):
        stage = Stage(Clock(), {"kind": "delay", "ms": 60_000.0})
        course = stage.open()
        target: Any = course.target
        stage.message(course, b"1")
        passed: list[bytes] = target.got["sent"]
        target.outgoing.after(lambda stage=stage, course=course: stage.message(course, b"2"))
        if lift == "off":
            stage.faults.switch(stage.faults.all[0], on=False)
        else:
            stage.faults.configure([])
        assert passed == [b"1", b"2"], lift
        assert not stage.clock.getDelayedCalls()


def test_a_fault_that_finds_nothing_to_do_is_still_asked_for_the_next_candidate():
    stage = Stage(Clock(), {"kind": "corrupt", "enabled": False})
    course = stage.open()
    [fault] = stage.faults.all
    stage.faults.once_now(fault)
    stage.message(course, b"")
    assert (fault.once, stage.hits) == (1, set())
    stage.message(course, b"message")
    assert (fault.once, fault.hits) == (0, 1)


def test_the_total_of_an_edited_fault_is_told_at_once_and_kept_no_longer():
    stage = Stage(Clock(), {"kind": "delay", "ms": 1.0})
    course = stage.open()
    for milliseconds in range(2, 12):
        stage.message(course, b"1")
        stage.faults.configure([{"kind": "delay", "ms": float(milliseconds)}])
    assert not course.totals
