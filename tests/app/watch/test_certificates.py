"""Certificates of a real nginx: one that expires while it is watched, and those that nobody should trust."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from app.sending.url import parse
from app.services.tls import authority
from app.watch import certificates
from app.watch.config import WatchConfig
from app.watch.watches import Watches
from tests import real_servers as real
from tests.app.watch.test_check import config
from tests.helpers import kept_port, until

DAY = timedelta(days=1)
HERE = ["127.0.0.1"]


def made(home: authority.Authority) -> dict[str, Any]:
    """Keys and certificates, by what is wrong with them; with "good", nothing is, for 20 days."""
    now = datetime.now(UTC)
    return {
        "good": home.sign(HERE, begin=now - DAY, lifetime=21 * DAY + timedelta(hours=1)),
        "expired": home.sign(HERE, begin=now - 3 * DAY, lifetime=2 * DAY),
        "not yet valid": home.sign(HERE, begin=now + DAY, lifetime=2 * DAY),
        "for another name": home.sign(["localhost"]),
        "without its intermediate": home.sign_authority("between").sign(HERE),
        "of a stranger": authority.self_signed(HERE),
    }


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, int]]]:
    """The folder of the authority, and the port of each certificate."""
    folder = tmp_path_factory.mktemp("nginx")
    data = folder / "data"
    with ExitStack() as stack:
        ports: dict[str, int] = {}
        servers = ""
        for name, (key, certificate) in made(authority.of(data)).items():
            port = ports[name] = stack.enter_context(kept_port())
            file = folder / f"{port}.pem"
            file.write_bytes(authority._key_pem(key) + authority._pem(certificate))
            servers += (
                f"server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {file}; ssl_certificate_key {file};"
                " location / { return 200 well; } }\n"
            )
        stack.enter_context(real.nginx(folder, ports["good"], servers))
        yield data, ports


@pytest.fixture
def trusting(nginx: tuple[Path, dict[str, int]], checking: Any) -> Any:
    """Checks that trust the authority."""
    checking.sender.data = nginx[0]
    return checking


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("expired", "(CN=Listening Post) has expired"),
        ("not yet valid", "(CN=Listening Post) is not valid yet"),
        ("for another name", "is for another name than 127.0.0.1"),
        ("without its intermediate", "(CN=Listening Post) is not signed by an authority that we trust"),
        ("of a stranger", "(CN=127.0.0.1,O=Listening Post) is signed by itself, not by an authority that we trust"),
    ],
)
@pytest.mark.parametrize("scheme", ["tls", "https"])
@pytest_twisted.ensureDeferred
async def test_what_is_wrong_is_said(
    scheme: str, name: str, words: str, nginx: tuple[Path, dict[str, int]], trusting: Any
) -> None:
    url = parse(f"{scheme}://127.0.0.1:{nginx[1][name]}")
    result = await trusting.check(config(url.text), url)
    assert not result.ok
    advice = ". Have this system trust its authority, or set verify = false in the watch."
    said = f"{url.address} is not trusted: the server's certificate {words}"
    assert result.reason == said + advice * words.endswith("trust")


@pytest_twisted.ensureDeferred
async def test_one_that_expires_while_it_is_watched_brings_the_watch_down(
    nginx: tuple[Path, dict[str, int]], trusting: Any, desk: Any, tape: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = timedelta()

    class Moved(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + ahead

    monkeypatch.setattr(certificates, "datetime", Moved)
    watches = Watches(desk.reactor, desk.recorder, trusting.check, dict)
    target = f"https://127.0.0.1:{nginx[1]['good']}/"
    more = {"every_seconds": 3600, "timeout_seconds": 20, "fails_after": 2, "recovers_after": 1}
    watches.become([WatchConfig("page", target, certificate_days=14, **more)])
    watch = watches["page"]

    async def check() -> str:
        count = watch.checks
        watches.check_now("page")
        await until(lambda: watch.checks > count, 60)
        return watch.state

    assert await check() == "up"
    ahead = 7 * DAY
    assert [await check(), await check()] == ["up", "down"]
    assert "expires in 13 days, on " in watch.words
    ahead = 21 * DAY
    assert await check() == "down"
    assert "has expired, on " in watch.words
    ahead = timedelta()  # as after another certificate
    assert await check() == "up"
    watches.stop()
    assert [e.kind for e in tape.all("watch.failed", "watch.recovered")] == ["watch.failed", "watch.recovered"]
    assert all(e.detail["expires"] for e in tape.all("watch.checked"))
