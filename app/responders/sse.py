"""Sends server-sent events, which ``EventSource`` in browsers receives (WHATWG HTML section 9.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from app.options import live
from app.responders import Context, Option, Options, Responder
from app.text import templates

if TYPE_CHECKING:
    from app.text.templates import Template

VALUES = frozenset({"count", "path", "last"})
"""Values in a template: the event's number, the request's path, and the request's ``Last-Event-ID``."""


class Listener:
    """The stream of events to one client. It pauses while the client does not read."""

    def __init__(self, request: Any, options: Options, template: Template, clock: Any) -> None:
        self._request, self._options, self._template, self._clock = request, options, template, clock
        last = request.getHeader(b"Last-Event-ID") or b""
        self._count = int(last) if last.isdigit() and len(last) < 19 else 0
        self._values = {"path": request.path, "last": last}
        self._timer: Any = None
        self._paused = self._due = False

    @property
    def over(self) -> bool:
        """Whether as many events were sent as the option ``count`` allows."""
        return bool(self._options["count"]) and self._count >= self._options["count"]

    def start(self) -> None:
        request = self._request
        request.notifyFinish().addBoth(self._stop)
        request.registerProducer(self, True)
        retry = self._options["retry"]
        request.write(b"retry: %d\n\n" % retry if retry else b":\n\n")
        self._wait(0.0, self._send)

    def _wait(self, seconds: float, then: Callable[[], None]) -> None:
        self._timer = self._clock.callLater(seconds, then)

    def _stop(self, _: object) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def _send(self) -> None:
        if self._paused:
            self._due = True
            return
        self._count += 1
        try:
            data = self._template.render(self._values | {"count": self._count})
        except Exception:
            from twisted.python.failure import Failure

            self._request.unregisterProducer()
            self._request.processingFailed(Failure())
            return
        self._request.write(encode(self._count, data, self._options["event"].encode()))
        if self.over:
            self._request.unregisterProducer()
            self._request.finish()
        else:
            self._next_event_at = self._clock.seconds() + self._options["interval"]
            self._wait_for_next()

    def _wait_for_next(self) -> None:
        left, silence = self._next_event_at - self._clock.seconds(), self._options["keep_alive"]
        if silence and left > silence:
            self._wait(silence, self._keep_alive)
        else:
            self._wait(max(0.0, left), self._send)

    def _keep_alive(self) -> None:
        if not self._paused:
            self._request.write(b":\n\n")
        self._wait_for_next()

    # -- IPushProducer: the client reads, or does not

    def pauseProducing(self) -> None:
        self._paused = True

    def resumeProducing(self) -> None:
        self._paused = False
        if self._due:
            self._due = False
            self._wait(0.0, self._send)

    def stopProducing(self) -> None:
        """Nothing to do: ``notifyFinish`` of the request stops the timer."""


def encode(number: int, data: bytes, event: bytes = b"") -> bytes:
    """One event in the format of a stream: each line of ``data`` becomes one ``data`` field."""
    lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    head = b"event: %s\n" % event if event else b""
    return b"%sid: %d\n%s\n" % (head, number, b"".join(b"data: %s\n" % line for line in lines))


def _http(options: Options, context: Context) -> Any:
    from twisted.web.resource import Resource
    from twisted.web.server import NOT_DONE_YET

    template = templates.Template(options["data"])

    class Events(Resource):
        isLeaf = True
        parses_forms = False

        def render(self, request: Any) -> Any:
            if request.method not in (b"GET", b"HEAD"):
                request.setResponseCode(405)
                request.setHeader(b"Allow", b"GET, HEAD")
                request.setHeader(b"Content-Type", b"text/plain; charset=utf-8")
                return b"Events can be listened to with GET.\n"
            listener = Listener(request, options, template, context.reactor)
            if listener.over:
                request.setResponseCode(204)  # tells an EventSource not to reconnect
                return b""
            request.setHeader(b"Content-Type", b"text/event-stream")
            request.setHeader(b"Cache-Control", b"no-store")
            if request.method == b"HEAD":
                request.write(b"")
                request.finish()
            else:
                listener.start()
            return NOT_DONE_YET

    return Events()


def _template(text: str) -> str | None:
    if wrong := templates.problem(text):
        return wrong
    unknown = sorted(templates.Template(text).names - VALUES)
    return f"knows no {unknown[0]}. Use one of {', '.join(sorted(VALUES))}" if unknown else None


def _line(text: str) -> str | None:
    return "must be one line" if set(text) & set("\r\n\0") else None


RESPONDER = Responder(
    "sse",
    "Sends server-sent events to browsers and other clients",
    {"http": _http},
    live(
        Option("interval", float, 1.0, "Time between two events", "s", 0.01, 86_400),
        Option(
            "data",
            str,
            "{{count}}",
            "Data of an event; may use {{count}}, {{path}} and {{last}}",
            check=_template,
            multiline=True,
        ),
        Option("event", str, "", "Type of the events; empty: message", check=_line),
        Option("count", int, 0, "Events until a stream ends, counted across reconnections; 0: no end", "", 0),
        Option(
            "retry",
            int,
            0,
            "Time after which a disconnected client reconnects; 0: the client decides",
            "ms",
            0,
            86_400_000,
        ),
        Option("keep_alive", float, 15.0, "Send a comment after this much silence; 0: never", "s", 0, 3600),
    ),
)
