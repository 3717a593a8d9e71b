"""Opens HTTP services: twisted.web behind the Tap, with each exchange recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from twisted.internet.interfaces import IListeningPort, IProtocol, IProtocolFactory
from twisted.web.http import Request as PlainRequest
from twisted.web.resource import IResource
from twisted.web.server import Site

from app.services import settings, tcp
from app.services.budget import Budget
from app.services.hosts import Hosts
from app.services.http.http1 import RecordedChannel
from app.services.http.options import Common, OptedRequest, common_of
from app.services.http.request import RecordedRequest
from app.services.service import Service
from app.services.tap.factory import TapFactory
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
        hosts: the names by which clients may ask; None: any.
        budget: what unfinished bodies may take, with those of other services.
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
        hosts: Hosts | None = None,
        budget: Budget | None = None,
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
        self.limits, self.common, self.hosts, self.budget = limits, common, hosts, budget or Budget()
        self.streams_body: bool = getattr(resource, "streams_body", False)
        self._http2 = http2

    def become(self, other: RecordedSite) -> None:
        """Answer as ``other`` would, with its resource and settings, from the next request on."""
        self.resource, self.requestFactory = other.resource, other.requestFactory
        self.limits, self.common, self.hosts = other.limits, other.common, other.hosts
        self.streams_body = other.streams_body

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
    return tcp.listen(service, lambda resource: _site(service, resource), host, port, HTTPTap, _adapt)


def _adapt(tapped: TapFactory, site: IProtocolFactory) -> None:
    """Have the site of the port answer as ``site`` does, from the next request on, also on open connections."""
    answering, like = cast(RecordedSite, tapped.wrapped), cast(RecordedSite, site)
    answering.become(like)
    for tap in tapped.protocols:
        protocol = tap.wrappedProtocol
        if getattr(protocol, "site", None) is answering:
            protocol.requestFactory = like.requestFactory


def _site(service: Service, resource: IResource) -> RecordedSite:
    config = service.config
    http2 = config.tls is not None and config.settings("tls")["http2"]
    limits = config.settings("limits")
    hosts, budget = service.hosts(), service.surroundings.budget
    return RecordedSite(resource, service.reactor, limits, common_of(config), http2=http2, hosts=hosts, budget=budget)
