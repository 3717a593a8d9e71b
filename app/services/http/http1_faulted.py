"""An exchange of HTTP/1 that fails on purpose: what ends it ends its connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.services.http.faulted_target import FailingExchange
from app.services.http.malformed import BAD_SIZE, FLOOD, INTERIMS, NO_END


class Exchange1(FailingExchange):
    def _pass_on(self, data: bytes) -> None:
        # A fault on this connection, set by hand, swallows what is written.
        self._lost = self._lost or self.tap.outgoing.hanging
        super()._pass_on(data)

    def _after_bytes(self, call: Callable[[], None]) -> None:
        self.tap.outgoing.after(call)

    def _write_first(self, data: bytes) -> None:
        if "head" in self.spoiled:
            request = self.request
            line = b"%b %d %b\r\n" % (request.clientproto, request.code, request.code_message)
            self.tap.write(line + data)
            return
        floods = b"HTTP/1.1 102 Processing\r\n\r\n" * INTERIMS if FLOOD in self.spoiled else b""
        self.tap.write(floods + self._head() + self._framed(data))

    def _write_body(self, data: bytes) -> None:
        if data:
            self.tap.write(self._framed(data))

    def _framed(self, data: bytes) -> bytes:
        if not (data and self.chunked):
            return data
        size = b"%x" % len(data)
        if BAD_SIZE in self.spoiled:
            self.spoiled.discard(BAD_SIZE)
            size = b"size"
        return b"%b\r\n%b\r\n" % (size, data)

    def _write_end(self) -> None:
        if self.chunked and NO_END not in self.spoiled:
            self.tap.write(b"0\r\n\r\n")

    def _skip(self) -> None:
        self.channel.requestDone(self.request)

    def _break_off(self, reset: bool) -> None:
        self.tap.end(reset=reset)

    def half_close(self) -> None:
        if not self._over:
            self.request.hangs = True
            self._stop()
            self.tap.outgoing.after(self.tap.half_close)

    def close_slowly(self, seconds: float, fault: Any = None) -> None:
        self.tap.close_slowly(seconds, fault)
