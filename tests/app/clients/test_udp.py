"""UDP conversations with a whole network."""

from __future__ import annotations

from typing import Any

import pytest_twisted

from tests.app.clients.helpers import Talker
from tests.app.services.helpers import Desk, address
from tests.helpers import until


@pytest_twisted.ensureDeferred
async def test_the_broadcast_address_of_a_network_is_sent_to_and_its_hosts_answer(
    talker: Talker, desk: Desk, tape: Any
) -> None:
    _, port = address(await desk.start("udp", host="0.0.0.0"))
    heard = await talker.talk(f"udp://127.255.255.255:{port}", b"anybody?")
    await until(lambda: heard.got == b"anybody?")
    heard.conversation.close()
    assert heard.reason == "Closed by us."
