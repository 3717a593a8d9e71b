"""app.responders.relay.upstream: in words why there is no connection."""

from __future__ import annotations

import errno
from typing import Any

from twisted.internet.error import getConnectError
from twisted.python.failure import Failure

from app.responders.relay.loops import Loops
from app.responders.relay.upstream import Upstream


def test_the_systems_reason_is_said_once_and_without_its_number() -> None:
    upstream = Upstream("192.0.2.1:9", Any, None, 1.0, "relay", Loops())  # type: ignore[arg-type]
    failure = Failure(getConnectError((errno.ENETUNREACH, "Network is unreachable")))
    assert str(upstream.explain(failure)) == "The connection to 192.0.2.1:9 failed: Network is unreachable."
