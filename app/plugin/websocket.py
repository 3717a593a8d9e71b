"""Protocols that answer with a handler on WebSocket."""

from __future__ import annotations

from functools import partial
from typing import Any

from app.plugin.handling import Connection, Handler, answers_in
from app.plugin.message_queue import MessageQueue
from app.responders import Context, Options
from app.responders.script.wires import Wire, gather

INTERNAL_ERROR, TRY_AGAIN_LATER = 1011, 1013

NOT_OPEN = "a message was not sent: the WebSocket is not open"


def protocol(handler: Handler, options: Options, context: Context) -> Any:
    """A class of autobahn's protocol that answers messages with ``handler``.

    An answer of type ``str`` is sent as text, ``bytes`` with the opcode of the message that is answered.
    """
    from autobahn.twisted.websocket import WebSocketServerProtocol

    class HandledMessages(WebSocketServerProtocol):
        _queue: MessageQueue | None = None

        def onOpen(self) -> None:
            wire: Any = self.transport
            waiting = partial(gather, wire, what="waiting")
            self._queue = MessageQueue(self._work, wire.pauseProducing, wire.resumeProducing, waiting)
            self._text = False
            self._connection = Connection(str(self.peer).partition(":")[2], self._send_answer, self.sendClose)

        def onMessage(self, payload: bytes, isBinary: bool) -> None:
            assert self._queue is not None
            if full := self._queue.put(_Message(payload, not isBinary)):
                self._queue.stop()
                Wire(context, self.transport).record_limit(full)
                self.sendCloseFrame(TRY_AGAIN_LATER, full.text.encode())

        async def _work(self, message: _Message) -> None:
            self._text = message.text
            payload = bytes(message)
            try:
                for part in answers_in(await handler.answer(payload, self._connection, options, context)):
                    self._send_answer(part)
            except BaseException as e:
                if self._queue is None:
                    return
                Wire(context, self.transport).failed(e, payload)
                if handler.close_on_error:
                    self.sendCloseFrame(INTERNAL_ERROR, b"the responder failed")

        def _send_answer(self, answer: bytes | str) -> None:
            if self.state != self.STATE_OPEN:  # autobahn would raise; such an answer is no failure, as on TCP
                Wire(context, self.transport).log(NOT_OPEN)
            elif isinstance(answer, str):
                self.sendMessage(answer.encode(), False)
            else:
                self.sendMessage(answer, not self._text)

        def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
            queue, self._queue = self._queue, None
            if queue is not None:
                queue.stop()

    return HandledMessages


class _Message(bytes):
    """A payload, and whether it came as text."""

    text: bool

    def __new__(cls, payload: bytes, text: bool) -> _Message:
        made = super().__new__(cls, payload)
        made.text = text
        return made
