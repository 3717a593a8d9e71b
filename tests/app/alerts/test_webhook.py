"""Webhooks: redirects, answers, and servers that are no help."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from app.alerts import errors
from app.alerts.actions import brief, webhook
from app.alerts.means import Means
from app.alerts.told import Told
from tests.helpers import closed_port

ensure = pytest_twisted.ensureDeferred

TOLD = Told("a", "raised", "x", 1, 60, 1)


async def posted(means: Means, url: str) -> str:
    return await webhook.ACTION.act(TOLD, url, means)


def mock(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"rules": list(rules)}


def to(status: int, location: str) -> dict[str, Any]:
    return {"path": "/from", "status": status, "answer_fields": [f"Location: {location}"]}


@pytest.mark.parametrize("location", ["/to", "http://127.0.0.1:{port}/to"])
@ensure
async def test_a_redirect_is_followed_on_the_same_host(means: Means, desk: Any, location: str) -> None:
    other = await desk.start("http", "mock", options=mock({"path": "/to", "status": 202}))
    port = other.status.host.rpartition(":")[2]
    if location == "/to":
        service = await desk.start("http", "mock", options=mock(to(308, location), {"path": "/to", "status": 202}))
    else:
        service = await desk.start("http", "mock", options=mock(to(307, location.format(port=port))))
    assert (await posted(means, f"http://{service.status.host}/from")).endswith("answered 202")


@pytest.mark.parametrize(
    ("status", "location", "error", "words"),
    [
        (307, "http://localhost:1/", errors.RedirectError, "another host"),
        (308, "tcp://127.0.0.1:1", errors.RedirectError, "another host"),
        (308, "//[", errors.RedirectError, "not an address"),
        (308, "/from", errors.RedirectError, "more than 3 in a row"),
        (302, "/to", errors.RefusedError, "answered 302. Check the address"),
        (404, "/", errors.RefusedError, "answered 404. Its own log"),
        (503, "/", errors.BusyError, "answered 503"),
        (429, "/", errors.BusyError, "answered 429"),
    ],
)
@ensure
async def test_what_is_not_taken(
    means: Means, desk: Any, status: int, location: str, error: type[errors.AlertError], words: str
) -> None:
    service = await desk.start("http", "mock", options=mock(to(status, location)))
    with pytest.raises(error, match=words) as told:
        await posted(means, f"http://{service.status.host}/from")
    assert told.value.again == (error is errors.BusyError)


def test_https_does_not_lead_to_http() -> None:
    from types import SimpleNamespace

    from app.sending.url import parse

    answer: Any = SimpleNamespace(fields=[("location", "http://example.org/")])
    with pytest.raises(errors.RedirectError, match="without TLS"):
        webhook._next(parse("https://example.org/"), answer)


@ensure
async def test_a_server_that_is_down_may_be_up_later(means: Means) -> None:
    with closed_port() as port, pytest.raises(errors.UnreachedError, match="nothing listens there") as told:
        await posted(means, f"http://127.0.0.1:{port}/")
    assert told.value.again


@ensure
async def test_a_certificate_that_is_not_trusted_is_no_choice(means: Means, desk: Any, tmp_path: Path) -> None:
    from app.services.surroundings import Surroundings

    desk.surroundings = Surroundings(data=tmp_path / "elsewhere")
    service = await desk.start("http", "inspector", tls={})
    with pytest.raises(errors.UnreachedError, match="is not trusted") as told:
        await posted(means, f"https://{service.status.host}/")
    assert "insecure" not in str(told.value)


def test_what_an_address_may_hide_is_in_no_event() -> None:
    assert brief("webhook https://hooks.example.org/services/T0/SECRET?x=1") == "webhook https://hooks.example.org"
