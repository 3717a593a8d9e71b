"""Watches on servers that this project did not write: stopped, started, made slow, made to lie."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest_twisted

from app import events
from app.sending.url import parse
from app.watch.config import WatchConfig
from app.watch.watches import Watches
from tests.helpers import kept_port, until
from tests.real_servers import nginx, running


@contextmanager
def answering(folder: Path, port: int, answer: str) -> Iterator[None]:
    """An nginx that answers everything so."""
    with nginx(folder, port, f"server {{ listen 127.0.0.1:{port}; location / {{ {answer} }} }}"):
        yield


@pytest_twisted.ensureDeferred
async def test_nginx_goes_and_comes_back(desk: Any, tape: Any, checking: Any, tmp_path: Path) -> None:
    with kept_port() as port:
        place = f"127.0.0.1:{port}"
        watches = Watches(desk.reactor, desk.recorder, checking.check, dict)
        more = {"every_seconds": 3600, "timeout_seconds": 20, "fails_after": 2, "recovers_after": 1}
        watches.become([WatchConfig("page", f"http://{place}/", expect="well", **more)])

        async def check() -> tuple[str, str]:
            watch = watches["page"]
            count = watch.checks
            watches.check_now("page")
            await until(lambda: watch.checks > count, 60)
            return watch.state, watch.words

        with answering(tmp_path, port, "return 200 'all is well';"):
            assert await check() == ("up", "ok")
        for state in ("up", "down"):
            found = await check()
            assert found[0] == state
            assert found[1].startswith(f"{place} refused")
        with answering(tmp_path, port, "return 200 'all is lost';"):
            assert await check() == ("down", "“well” is not in the answer: it sent “all is lost”")
        with answering(tmp_path, port, "return 503 'all is well';"):
            assert await check() == ("down", f"{place} answered with status 503, not 200..299")
        with answering(tmp_path, port, "return 200 'all is well again';"):
            assert await check() == ("up", "ok")
        watches.stop()
    changes = [e.kind for e in tape.all("watch.failed", "watch.recovered")]
    assert changes == [events.NAMES[events.WATCH_FAILED], events.NAMES[events.WATCH_RECOVERED]]


@pytest_twisted.ensureDeferred
async def test_socat_is_slow_and_lies(checking: Any) -> None:
    async def check(script: str, timeout: float, **more: Any) -> str:
        with kept_port() as port:
            listens = f"TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork"
            with running(port, "socat", listens, f"SYSTEM:{script}"):
                url = parse(f"tcp://127.0.0.1:{port}")
                config = WatchConfig("it", url.text, timeout_seconds=timeout, send=r"PING\n", **more)
                return str((await checking.check(config, url)).reason.replace(url.address, "PLACE"))

    assert await check("read x; printf PO; printf NG", 20, expect="PONG") == ""
    assert await check("read x; read y", 0.2, expect="PONG") == "PLACE did not answer within 0.2 s"
    assert await check("read x; echo NO", 20, expect="PONG") == (
        "PLACE closed the connection before “PONG” came: it sent “NO\\n”"
    )
