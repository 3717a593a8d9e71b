"""Faults whose hits are recorded on the connections of a service, or of who sends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app import events
from app.faults.live import Faults
from app.services.interfaces import Owner


def faults_of(owner: Owner, clock: Any, told: Callable[[str], object] = lambda words: None) -> Faults:
    """No faults yet of ``owner``. ``told`` is called with what each does, as one line."""

    def record(conn: int, summary: str, detail: str, payload: bytes | None) -> None:
        owner.recorder.record(events.FAULT_APPLIED, owner.number, conn, payload, summary, detail)
        told(summary)

    def failed(conn: int, error: BaseException, payload: bytes | None) -> None:
        owner.recorder.record_failure(error, owner.number, conn, payload)

    return Faults(clock, record, failed)
