"""What the capture keeps of what a check receives: the beginning. A target may send as much as it likes, for ever."""

from __future__ import annotations

import json
from typing import Any

from app import events
from app.capture.recorder import Recorder
from app.text.escapes import amount

KEPT = 4_096
"""Bytes that are kept of what one check receives, and again of the messages in it."""

PIECES = 50
"""Events of that kind that are kept, however little each of them holds."""

FIELDS = 16_384
"""Characters of an event's detail, from which on the headers in it are left out; the bytes have their beginning."""

_CUT: tuple[int, ...] = (events.DATA_RECEIVED, events.DATAGRAM_RECEIVED, events.WS_MESSAGE)


class Sparing:
    """Stands before the recorder, for the connection of one check.

    What does not fit any more is one event before the connection's end, with its size and without its bytes.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._room = dict.fromkeys(_CUT, (KEPT, PIECES))
        self._left = dict.fromkeys(_CUT, 0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._recorder, name)

    def record(
        self,
        kind: int,
        service: int = 0,
        conn: int = 0,
        payload: bytes | None = None,
        summary: str | None = None,
        detail: str | None = None,
        size: int | None = None,
    ) -> None:
        """As ``Recorder.record``."""
        if kind == events.CONNECTION_CLOSED:
            self._tell_left(service, conn)
        elif kind in _CUT and payload is not None and not _was_sent(kind, detail):
            room, pieces = self._room[kind]
            kept = payload[:room] if pieces else b""
            self._left[kind] += len(payload) - len(kept)
            if not kept and payload:
                return
            if kind == events.WS_MESSAGE:
                size = len(payload) if size is None else size  # of the message; the bytes have been counted
            self._room[kind], payload = (room - len(kept), pieces - 1), kept
        if detail is not None and len(detail) > FIELDS:
            detail = _without_fields(detail)
        self._recorder.record(kind, service, conn, payload, summary, detail, size)

    def record_datagram(self, kind: int, service: int, conn: int, payload: bytes, detail: str | None = None) -> None:
        """As ``Recorder.record_datagram``."""
        self.record(kind, service, conn, payload, None, detail)

    def _tell_left(self, service: int, conn: int) -> None:
        for kind in (events.DATA_RECEIVED, events.DATAGRAM_RECEIVED):
            if left := self._left[kind]:
                self._left[kind] = 0
                words = f"{amount(left)} more came, which are not kept: of a check, the beginning is"
                self._recorder.record(kind, service, conn, b"", words, size=left)


def _was_sent(kind: int, detail: str | None) -> bool:
    return kind == events.WS_MESSAGE and '"direction": "sent"' in (detail or "")


def _without_fields(detail: str) -> str:
    found = json.loads(detail)
    found.pop("fields", None)
    return json.dumps(found)
