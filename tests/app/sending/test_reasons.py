"""app.sending.reasons: why there is no connection."""

from __future__ import annotations

import errno

from twisted.internet.error import getConnectError

from app.sending.reasons import not_connected
from app.sending.url import parse


def test_the_systems_reason_is_said_without_its_number() -> None:
    why = not_connected(getConnectError((errno.EINVAL, "Invalid argument")), parse("tcp://127.0.0.1:9"))
    assert str(why) == "Cannot connect to 127.0.0.1:9: Invalid argument."
