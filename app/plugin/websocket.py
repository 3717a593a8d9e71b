"""Handlers on WebSocket."""

from __future__ import annotations

from typing import Any

from app.plugin.handling import Connection, Handler, Turns, parts
from app.responders import Context, Options
from app.responders.script.wires import Wire

INTERNAL_ERROR = 1011

NOT_OPEN = "a message was not sent: the WebSocket is not open"


def protocol(handler: Handler, options: Options, context: Context) -> Any:
    """A class of autobahn protocol that answers messages with ``handler``: ``str`` as text, ``bytes`` as they came."""
    from autobahn.twisted.websocket import WebSocketServerProtocol

    class HandledMessages(WebSocketServerProtocol):
        _turns: Turns | None = None

        def onOpen(self) -> None:
            wire: Any = self.transport
            self._turns = Turns(self._work, wire.pauseProducing, wire.resumeProducing)
            self._text = False
            self._connection = Connection(str(self.peer).partition(":")[2], self._send_answer, self.sendClose)

        def onMessage(self, payload: bytes, isBinary: bool) -> None:
            assert self._turns is not None
            self._turns.put(_Message(payload, not isBinary))

        async def _work(self, message: _Message) -> None:
            self._text = message.text
            payload = bytes(message)
            try:
                for part in parts(await handler.answer(payload, self._connection, options, context)):
                    self._send_answer(part)
            except BaseException as e:
                if self._turns is None:
                    return
                Wire(context, self.transport).failed(e, payload)
                if handler.close_on_error:
                    self.sendCloseFrame(INTERNAL_ERROR, b"the responder failed")

        def _send_answer(self, answer: bytes | str) -> None:
            if self.state != self.STATE_OPEN:  # autobahn would raise: on TCP such an answer is no failure either
                Wire(context, self.transport).note(NOT_OPEN)
            elif isinstance(answer, str):
                self.sendMessage(answer.encode(), False)
            else:
                self.sendMessage(answer, not self._text)

        def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
            turns, self._turns = self._turns, None
            if turns is not None:
                turns.stop()

    return HandledMessages


class _Message(bytes):
    text: bool

    def __new__(cls, payload: bytes, text: bool) -> _Message:
        made = super().__new__(cls, payload)
        made.text = text
        return made
