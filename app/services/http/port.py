"""Opens HTTP services: twisted.web behind the Tap, with each exchange recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from twisted.internet.interfaces import IListeningPort, IProtocol
from twisted.web.http import Request as PlainRequest
from twisted.web.resource import IResource
from twisted.web.server import Site

from app.options import with_defaults
from app.responders import find
from app.services import settings, tcp
from app.services.http.http1 import RecordedChannel
from app.services.http.options import Common, OptedRequest
from app.services.http.request import RecordedRequest
from app.services.protocols import options_of
from app.services.service import Service
from app.services.tap.tap import Tap

DEFAULTS = settings.filled("limits", "http", {})


class HTTPTap(Tap):
    """A Tap that lets responses end before it closes."""

    def finish(self, why: str = "closed by us") -> None:
        drain = getattr(self.wrappedProtocol, "drain", None)
        if drain is not None and drain():
            self._ended_by = self._ended_by or why
        else:
            super().finish(why)


class RecordedSite(Site):
    """A site that records each response in the capture instead of an access log.

    Attributes:
        limits: those of ``[service.limits]``, with their defaults.
        common: the options that apply to all requests whatever the resource, or None.
        streams_body: whether the root resource takes bodies as they come.
    """

    def __init__(
        self,
        resource: IResource,
        reactor: Any,
        limits: Mapping[str, Any] = DEFAULTS,
        common: Common | None = None,
        *,
        http2: bool = False,
    ) -> None:
        # For ``request.args``; a resource that does without can take forms that are broken or large.
        forms = getattr(resource, "parses_forms", True)
        super().__init__(
            resource,
            requestFactory=OptedRequest if common else RecordedRequest,
            parsePOSTFormSubmission=forms,
            timeout=None,  # the channels have their own
            reactor=reactor,
        )
        self.limits, self.common = limits, common
        self.streams_body: bool = getattr(resource, "streams_body", False)
        self._http2 = http2

    def protocol(self) -> IProtocol:  # type: ignore[override]
        return RecordedChannel()

    def acceptableProtocols(self) -> list[bytes]:
        """What TLS offers; without it, HTTP/2 is not spoken."""
        return [b"h2", b"http/1.1"] if self._http2 else [b"http/1.1"]

    def speak_http2(self, tap: Tap) -> None:
        """Switch a connection to HTTP/2, as was negotiated by ALPN."""
        from app.services.http.http2 import RecordedConnection

        connection = RecordedConnection(self, self.reactor)
        tap.protocol = connection
        connection.makeConnection(tap)

    def _updateLogDateTime(self) -> None:
        """Do nothing: Twisted would format a date for its access log each second."""

    def log(self, request: PlainRequest) -> None:
        """Record the response; Twisted calls this when all of it was written."""
        cast(RecordedRequest, request).record_response()


def open_port(service: Service, host: str, port: int) -> IListeningPort:
    """Listen with the service's resource tree behind the Tap. Raises CannotListenError."""
    return tcp.listen(service, lambda: _site(service), host, port, HTTPTap)


def _site(service: Service) -> RecordedSite:
    config = service.config
    offered = options_of(find(config.responder), "http")  # a responder's own may have such a name
    given = {o.name: config.options[o.name] for o in settings.HTTP if o in offered and o.name in config.options}
    common = Common(config.name, with_defaults(settings.HTTP, given))
    http2 = config.tls is not None and config.settings("tls")["http2"]
    return RecordedSite(service.build(), service.reactor, config.settings("limits"), common, http2=http2)
