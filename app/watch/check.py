"""One check of one target: connects, sends, and judges what comes back. Bounded in time and in bytes."""

from __future__ import annotations

from datetime import UTC
from time import time_ns
from typing import Any

from twisted.internet.defer import Deferred

from app.errors import PostError
from app.sending import open_conversation
from app.sending.answer import Answer
from app.sending.conversation import Closed, Conversation
from app.sending.errors import UnknownPeerError
from app.sending.request import Request
from app.sending.url import URL
from app.text.escapes import amount, preview, unescape
from app.watch.certificates import too_old
from app.watch.config import WatchConfig
from app.watch.expecting import Expecting
from app.watch.lookups import Lookups
from app.watch.owner import CheckOwner
from app.watch.result import Result

MOST = 256 << 10
"""Bytes that are read of what comes back."""

CLOSING = 1.0
"""Seconds in which the connection has to close in good order before it is aborted."""

_ADVICE = " To send anyway, "
"""With this begins what the words of an error advise to somebody who sends by hand."""

_STRANGER = "an authority that we trust"
"""So end the words about a certificate that somebody has signed whom this system does not know."""

_UNTRUSTED = "Have this system trust its authority, or set verify = false in the watch."


class OneCheck:
    """One check. Its Deferred fires once: with the result, when the connection is closed."""

    def __init__(self, config: WatchConfig, url: URL, owner: CheckOwner, lookups: Lookups) -> None:
        self._config, self._url, self._owner, self._lookups = config, url, owner, lookups
        self._clock = owner.reactor
        self._expecting = Expecting(self._clock, config, self._on_found)
        self._conversation: Conversation | None = None
        self._done: Deferred[Result] = Deferred(lambda _: self._give_up())
        self._result: Result | None = None
        self._given_up = False
        self._began = 0.0
        self._timer: Any = None
        self._doing = "looked up"
        self._read = 0
        self._head = b""
        self._expires = ""

    def run(self) -> Deferred[Result]:
        """Check. Can be cancelled."""
        self._began = self._clock.seconds()
        self._timer = self._clock.callLater(self._config.timeout_seconds, self._on_overdue)
        Deferred.fromCoroutine(self._go()).addErrback(self._on_broken)
        return self._done

    async def _go(self) -> None:
        try:
            await self._lookups.known(self._url.host)
        except (OSError, UnicodeError):
            self._decide(str(UnknownPeerError(host=self._url.host)))
            return
        if self._result is not None or self._done.called:
            return
        self._doing = "reached"
        conversation = self._conversation = open_conversation(
            Request(self._url, verify=self._config.verify), self._owner
        )
        conversation.patience = self._config.timeout_seconds + 1
        conversation.status_changed.connect(self._on_status)
        conversation.received.connect(self._on_received)
        conversation.noted.connect(self._on_noted)
        conversation.answered.connect(self._on_answered)
        await conversation.connect()
        if self._result is not None or conversation.closed is not None:
            return
        if self._url.client.tls and (wrong := self._look_at_certificate()):
            self._decide(wrong)
            return
        self._doing = "answered"
        data = unescape(self._config.send)
        if data or conversation.answers:
            await conversation.send(data)
        if self._result is None and not conversation.answers and not self._waits:
            self._decide("")

    @property
    def _waits(self) -> bool:
        """Whether something has to come back."""
        return self._expecting.wanted or self._url.scheme == "udp"

    # -- what happens

    def _on_status(self, conversation: Conversation) -> None:
        if isinstance(conversation.status, Closed):
            self._expecting.look()
            if self._result is None:
                self._decide(self._words(conversation.status))
            self._end()

    def _words(self, closed: Closed) -> str:
        missing = self._expecting.missing()
        if closed.failed or not missing:
            words, advises, _ = closed.reason.partition(_ADVICE)
            return f"{words} {_UNTRUSTED}" if advises and words.rstrip(".").endswith(_STRANGER) else words
        return f"{self._url.address} closed the connection before {missing} came{self._came()}"

    def _on_received(self, data: bytes) -> None:
        if self._result is not None:
            return
        self._read += len(data)
        if len(self._head) < 200:
            self._head += data[:200]
        apart = self._url.scheme == "udp" or (self._conversation is not None and self._conversation.messages)
        if self._expecting.wanted:
            self._expecting.take(data, apart=apart)
        elif self._url.scheme == "udp":
            self._decide("")
        if self._result is None and self._read > MOST:
            self._expecting.look()
        if self._result is None and self._read > MOST:
            missing = self._expecting.missing()
            self._decide(f"{missing} is not in the first {amount(MOST)} of what came" if missing else "", at_once=True)

    def _on_found(self) -> None:
        """All that is expected has come."""
        if self._result is None:
            self._decide("")

    def _on_noted(self, _: str) -> None:
        status = self._status
        if self._result is None and status and not self._config.well(status):
            self._decide(f"{self._url.address} answered with status {status}, not {self._config.expect_status}")

    def _on_answered(self, answer: Answer) -> None:
        if self._result is not None or not answer.whole:
            return  # the end of the connection says in words what is missing
        self._expecting.look()
        if self._result is None:
            missing = self._expecting.missing()
            self._decide(f"{missing} is not in the answer{self._came()}" if missing else "")

    def _on_overdue(self) -> None:
        self._expecting.look()
        if self._result is not None:
            return
        within = f"within {self._config.timeout_seconds:g} s"
        place = self._url.address
        missing = self._expecting.missing()
        if self._doing != "answered":
            words = f"{place} was not {self._doing} {within}"
        elif missing and self._read:
            words = f"{missing} did not come from {place} {within}{self._came()}"
        elif self._read or self._status:
            words = f"the answer of {place} did not end {within}"
        else:
            words = f"{place} did not answer {within}"
        self._decide(words, at_once=True)

    def _on_broken(self, failure: Any) -> None:
        """A bug of ours, or a text that cannot be sent."""
        error = failure.value
        if not isinstance(error, PostError):
            self._owner.recorder.record_failure(error, self._owner.number)
        self._decide(str(error) if isinstance(error, PostError) else f"the check broke: {type(error).__name__}")

    # -- the end

    def _decide(self, reason: str, *, at_once: bool = False) -> None:
        """This is what came of it. Close the connection, and then say so."""
        if self._result is not None:
            return
        self._timer.cancel() if self._timer.active() else None
        self._expecting.stop()
        connection = self._owner.connection
        self._result = Result(
            not reason,
            (self._clock.seconds() - self._began) * 1000,
            reason.rstrip(".") if reason.count(". ") == 0 else reason,
            self._status,
            self._expires,
            connection.number if connection is not None else 0,
            time_ns(),
        )
        conversation = self._conversation
        if conversation is None or conversation.closed is not None:
            self._end()
        elif reason or at_once:
            self._timer = self._clock.callLater(CLOSING, self._end)
            conversation.abort()
        else:
            self._timer = self._clock.callLater(CLOSING, self._close_now)
            conversation.close()

    def _close_now(self) -> None:
        self._timer = self._clock.callLater(CLOSING, self._end)
        assert self._conversation is not None
        self._conversation.abort()

    def _end(self) -> None:
        if self._timer.active():
            self._timer.cancel()
        if not (self._done.called or self._given_up) and self._result is not None:
            self._done.callback(self._result)

    def _give_up(self) -> None:
        """It was cancelled: nobody waits for a result. That its connection closes says nothing of the target."""
        self._given_up = True
        self._expecting.stop()
        self._result = self._result or Result(False, 0.0, "given up")
        if self._conversation is not None and self._conversation.closed is None:
            self._conversation.abort()
        if self._timer.active():
            self._timer.cancel()

    # -- what is known

    @property
    def _status(self) -> int:
        return int(getattr(self._conversation, "code", 0))

    def _came(self) -> str:
        """What came instead, as the end of a sentence."""
        return f": it sent “{preview(self._head[:60], self._read)}”" if self._read else ""

    def _look_at_certificate(self) -> str:
        """What is wrong with the certificate's time, in words."""
        wire = getattr(self._owner.connection, "wire", None)
        certificate = wire.getPeerCertificate() if wire is not None else None
        if certificate is None:
            return ""
        expires = certificate.to_cryptography().not_valid_after_utc
        self._expires = expires.astimezone(UTC).isoformat().replace("+00:00", "Z")
        return too_old(expires, self._config.certificate_days, self._url.address)
